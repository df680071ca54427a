#include "config/tree_builder.h"

namespace pgconn::config {

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ > 1) {
    problems_.fail(line_of(mark), "",
                   "a second document starts here; a file holds one: remove the `---` before "
                   "this line, or fix its indentation");
  }
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  last_line_ = line_of(mark);
  if (wants_key()) fail_key("is missing before this `:`");
  finish(make(YamlNode::Kind::kNull, mark), anchor);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  last_line_ = line_of(mark);
  if (wants_key()) fail_key("is an alias");
  const auto found = anchored_.find(anchor);
  if (found == anchored_.end()) {
    problems_.fail(last_line_, path(),
                   "is an alias of something that is not a value yet (its own anchor, or a key); "
                   "write the value out");
  }
  count(found->second.size, last_line_);
  finish(found->second.node, YAML::anchor_t{});
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  last_line_ = line_of(mark);
  if (tag != "?" && tag != "!") refuse_tag();
  if (wants_key()) {
    begin_entry(value);
    return;
  }
  YamlNode node = make(YamlNode::Kind::kText, mark);
  node.quoted = tag == "!";
  node.text = value;
  finish(std::move(node), anchor);
}

YamlNode TreeBuilder::make(YamlNode::Kind kind, const YAML::Mark& mark) {
  count(1, line_of(mark));
  YamlNode node;
  node.kind = kind;
  node.line = line_of(mark);
  return node;
}

void TreeBuilder::fail_key(std::string_view what) {
  problems_.fail(last_line_, path(),
                 "a key " + std::string(what) + "; allowed: plain text followed by `: `");
}

void TreeBuilder::refuse_tag() {
  problems_.fail(last_line_, path(), "has a tag (`!`); tags are not allowed, put text in quotes");
}

std::string TreeBuilder::path() const {
  std::string path;
  for (const Open& open : open_) {
    if (open.node.kind == YamlNode::Kind::kList) {
      path += "[" + std::to_string(open.node.children.size()) + "]";
    } else if (open.has_key) {
      path += (path.empty() ? "" : ".") + shown_key(open.key);
    }
  }
  return path;
}

void TreeBuilder::count(std::size_t nodes, int line) {
  nodes_ += nodes;
  if (nodes_ > kMaxNodes) {
    problems_.fail(line, "",
                   "more than " + std::to_string(kMaxNodes) +
                       " values once aliases are written out; use fewer aliases or split the "
                       "targets across several exporters");
  }
}

void TreeBuilder::begin_entry(const std::string& key) {
  Open& open = open_.back();
  open.has_key = true;
  open.key = key;
  open.key_line = last_line_;
  const auto [first, inserted] = open.lines.emplace(key, last_line_);
  open.duplicate = !inserted;
  if (open.duplicate) {
    problems_.add(last_line_, path(),
                  "duplicate key, first given on line " + std::to_string(first->second) +
                      "; keep one of them");
  }
}

void TreeBuilder::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
  last_line_ = line_of(mark);
  if (!tag.empty() && tag != "?" && tag != "!") refuse_tag();
  if (wants_key()) fail_key("is a list or a mapping");
  if (open_.size() >= static_cast<std::size_t>(kMaxDepth)) {
    problems_.fail(last_line_, "",
                   "nested deeper than " + std::to_string(kMaxDepth) +
                       " levels; no key of this file needs that");
  }
  const std::size_t nodes_before = nodes_;
  open_.push_back({.node = make(kind, mark), .anchor = anchor, .nodes_before = nodes_before});
}

void TreeBuilder::close() {
  Open closed = std::move(open_.back());
  open_.pop_back();
  if (closed.anchor != YAML::anchor_t{}) {
    // The copy for later aliases counts too: anchors inside anchors multiply it.
    const std::size_t size = nodes_ - closed.nodes_before;
    count(size, closed.node.line);
    anchored_.insert_or_assign(closed.anchor, Anchored{closed.node, size});
  }
  finish(std::move(closed.node), YAML::anchor_t{});
}

void TreeBuilder::finish(YamlNode node, YAML::anchor_t anchor) {
  if (anchor != YAML::anchor_t{}) anchored_.insert_or_assign(anchor, Anchored{node, 1});
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& open = open_.back();
  if (open.node.kind == YamlNode::Kind::kMapping) {
    open.has_key = false;
    if (open.duplicate) return;
    node.line = open.key_line;
    node.key = std::move(open.key);
  }
  open.node.children.push_back(std::move(node));
}

}  // namespace pgconn::config
