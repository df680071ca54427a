// Builds a tree from the YAML parser's events. yaml-cpp's own tree hides duplicate keys, further
// documents and the size of aliases; this one shows them. Used by yaml_document.cc alone; one
// thread.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problems.h"
#include "config/yaml_document.h"

namespace pgconn::config {

// 1-based; the parser counts from 0.
inline int line_of(const YAML::Mark& mark) { return mark.line + 1; }

class TreeBuilder : public YAML::EventHandler {
 public:
  // `problems` must outlive it.
  explicit TreeBuilder(Problems& problems) : problems_(problems) {}

  YamlNode take_root() { return std::move(root_); }
  // Line and path of the last event: where to look when the parser fails at the end of the file.
  int last_line() const { return last_line_; }
  std::string path() const;

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or mapping whose end has not been seen.
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::size_t nodes_before;
    std::map<std::string, int> lines = {};  // of the keys seen
    bool has_key = false;                   // a key whose value has not been seen
    std::string key = {};
    int key_line = 0;
    bool duplicate = false;
  };
  struct Anchored {
    YamlNode node;
    std::size_t size;  // nodes in it
  };

  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMapping &&
           !open_.back().has_key;
  }
  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark);
  void count(std::size_t nodes, int line);
  [[noreturn]] void fail_key(std::string_view what);
  [[noreturn]] void refuse_tag();
  void begin_entry(const std::string& key);
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor);
  void close();
  void finish(YamlNode node, YAML::anchor_t anchor);

  Problems& problems_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchored_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
  int last_line_ = 1;
};

}  // namespace pgconn::config
