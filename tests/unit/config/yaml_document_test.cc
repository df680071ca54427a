#include "config/yaml_document.h"

#include <string>

#include "config/loader.h"
#include "tests/support/catch.h"

namespace pgconn::config {
namespace {

YamlNode parse(const std::string& yaml) {
  Problems problems("test.yml");
  YamlNode root = parse_document(yaml, problems);
  problems.throw_if_any();
  return root;
}

TEST_CASE("a document becomes a tree that knows its lines") {
  const YamlNode root = parse("# comment\na:\n  - x\n  - \"y\"\nb:\n  c: ~\n");
  REQUIRE(root.kind == YamlNode::Kind::kMapping);
  const YamlNode* a = root.find("a");
  REQUIRE(a != nullptr);
  CHECK(a->line == 2);
  REQUIRE(a->kind == YamlNode::Kind::kList);
  REQUIRE(a->children.size() == 2);
  CHECK(a->children[0].text == "x");
  CHECK_FALSE(a->children[0].quoted);
  CHECK(a->children[1].line == 4);
  CHECK(a->children[1].quoted);
  const YamlNode* c = root.find("b")->find("c");
  REQUIRE(c != nullptr);
  CHECK(c->kind == YamlNode::Kind::kNull);
  CHECK(c->line == 6);
  CHECK(root.find("c") == nullptr);
}

TEST_CASE("of a duplicate key, the first value stays and the second is a problem") {
  Problems problems("test.yml");
  const YamlNode root = parse_document("a: 1\na: {b: 2}\nc: 3\n", problems);
  CHECK_THROWS_AS(problems.throw_if_any(), ConfigError);
  CHECK(root.find("a")->text == "1");
  CHECK(root.find("c")->text == "3");
  CHECK(root.children.size() == 2);
}

TEST_CASE("an alias repeats a whole value under its own key") {
  const YamlNode root = parse("a: &x {k: [1, 2]}\nb: *x\nc: &t text\nd: *t\n");
  const YamlNode* b = root.find("b");
  REQUIRE(b != nullptr);
  CHECK(b->line == 2);
  REQUIRE(b->find("k") != nullptr);
  CHECK(b->find("k")->children.size() == 2);
  CHECK(root.find("d")->text == "text");
}

TEST_CASE("the bounds on depth and number of values allow what is at them") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK_NOTHROW(parse(nested(kMaxDepth)));
  CHECK_THROWS_AS(parse(nested(kMaxDepth + 1)), ConfigError);
  CHECK_THROWS_AS(parse(nested(100'000)), ConfigError);

  const auto list_of = [](std::size_t values) {
    std::string yaml;
    for (std::size_t i = 0; i < values; ++i) yaml += "- x\n";
    return yaml;
  };
  CHECK_NOTHROW(parse(list_of(kMaxNodes - 1)));
  CHECK_THROWS_AS(parse(list_of(kMaxNodes)), ConfigError);
}

TEST_CASE("UTF-8 is distinguished from what only looks like it") {
  CHECK(parse("[\"é€𝄞\"]").children[0].text == "é€𝄞");
  for (const std::string bytes : {"\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                                  "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF", "\x80"}) {
    CHECK_THROWS_AS(parse("a: " + bytes + "x"), ConfigError);
  }
}

TEST_CASE("a key is shown only if it is a plain word") {
  CHECK(shown_key("password_file") == "password_file");
  CHECK(shown_key("<<") == "<<");
  CHECK(shown_key("password=x") == "<key>");
  CHECK(shown_key("postgresql://u:p@h/") == "<key>");
  CHECK(shown_key("") == "<key>");
  CHECK(shown_key(std::string(41, 'x')) == "<key>");
}

}  // namespace
}  // namespace pgconn::config
