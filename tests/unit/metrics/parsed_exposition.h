// A strict reader of both text formats for tests: what it accepts keeps the grammar, and what it
// returns can be compared with what went in. Written apart from the writer, sharing none of its
// code.
#pragma once

#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::metrics {

struct ParsedExposition {
  struct Metadata {
    std::string type;
    std::string unit;
    std::string help;  // as written, still escaped
  };
  using LabelSet = std::map<std::string, std::string>;

  std::map<std::string, Metadata> families;
  std::vector<std::string> family_order;
  std::map<std::pair<std::string, LabelSet>, std::string> series;  // values as written
  bool has_eof = false;
};

class ExpositionReader {
 public:
  // Throws std::runtime_error that says what is wrong with the text.
  static ParsedExposition read(std::string_view text) { return ExpositionReader(text).parsed_; }

 private:
  explicit ExpositionReader(std::string_view text) {
    if (!text.empty() && text.back() != '\n') fail("no newline at the end", text);
    while (!text.empty()) {
      const auto end = text.find('\n');
      line_ = rest_ = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (parsed_.has_eof) fail("a line after the end");
      if (line_ == "# EOF") {
        parsed_.has_eof = true;
      } else if (take("# ")) {
        read_metadata();
      } else {
        read_series();
      }
    }
  }

  [[noreturn]] void fail(const std::string& problem) const { fail(problem, line_); }
  [[noreturn]] static void fail(const std::string& problem, std::string_view where) {
    throw std::runtime_error(problem + ": " + std::string(where));
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail("expected " + std::string(token));
  }

  std::string take_name() {
    std::size_t length = 0;
    while (length < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[length])) || rest_[length] == '_')) {
      ++length;
    }
    if (length == 0) fail("expected a name");
    std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  void read_metadata() {
    const std::string keyword = take_name();
    expect(" ");
    const std::string name = take_name();
    expect(" ");
    if (parsed_.families.emplace(name, ParsedExposition::Metadata{}).second) {
      parsed_.family_order.push_back(name);
    } else if (parsed_.family_order.back() != name) {
      fail("a family is taken up again");
    }
    if (!said_.emplace(name, keyword).second) fail("metadata twice");
    auto& family = parsed_.families[name];
    (keyword == "TYPE"   ? family.type
     : keyword == "UNIT" ? family.unit
     : keyword == "HELP" ? family.help
                         : (fail("unknown keyword"), family.help)) = rest_;
  }

  std::string take_quoted() {
    expect("\"");
    std::string value;
    while (!take("\"")) {
      if (rest_.empty()) fail("no end of the label value");
      if (take("\\")) {
        value += take("n") ? '\n' : take("\\") ? '\\' : take("\"") ? '"' : (fail("escape"), ' ');
      } else {
        value += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    return value;
  }

  void read_series() {
    const std::string name = take_name();
    if (parsed_.family_order.empty() || !name.starts_with(parsed_.family_order.back())) {
      fail("a sample outside of its family");
    }
    ParsedExposition::LabelSet labels;
    if (take("{")) {
      do {
        const std::string label = take_name();
        expect("=");
        if (!labels.emplace(label, take_quoted()).second) fail("label twice");
      } while (take(","));
      expect("}");
    }
    expect(" ");
    check_number(rest_);
    if (!parsed_.series.emplace(std::pair(name, labels), rest_).second) fail("series twice");
  }

  void check_number(std::string_view text) const {
    if (text == "NaN" || text == "+Inf" || text == "-Inf") return;
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) fail("no number");
  }

  ParsedExposition parsed_;
  std::set<std::pair<std::string, std::string>> said_;
  std::string_view line_;
  std::string_view rest_;
};

}  // namespace pgconn::metrics
