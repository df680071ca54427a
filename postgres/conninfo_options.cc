#include "postgres/conninfo_options.h"

#include <array>
#include <vector>

#include "postgres/error.h"
#include "text/nearest_name.h"

namespace pgconn::postgres {
namespace {

// What libpq says about a string it could not read, up to where it begins to quote the string: that
// may be half a password, and the quoted text may contain quotes itself.
std::string without_quoted(std::string_view message) {
  // Messages that quote a character of the syntax before they quote the string.
  static constexpr std::array kBeginnings = {
      std::string_view(R"(missing "=" after)"),
      std::string_view(R"(missing key/value separator "=" in URI query parameter)"),
      std::string_view(R"(extra key/value separator "=" in URI query parameter)"),
      std::string_view(
          R"(end of string reached when looking for matching "]" in IPv6 host address)"),
  };
  for (std::string_view beginning : kBeginnings) {
    if (message.starts_with(beginning)) return std::string(beginning) + " …";
  }
  // These quote the name of a service or of its file.
  for (std::string_view harmless :
       {"definition of service ", "service file ", "syntax error in service file "}) {
    if (message.starts_with(harmless)) return one_line(message);
  }
  const std::size_t quote = message.find('"');
  std::string_view text = message.substr(0, quote);
  text = text.substr(0, text.find_last_not_of(" \n:") + 1);
  return std::string(text) + (quote == std::string_view::npos ? "" : " …");
}

// The keyword somebody may have meant. The word itself is never shown.
std::string suggestion(std::string_view message) {
  const std::size_t open = message.find('"');
  const std::size_t close = message.find('"', open + 1);
  if (open == std::string_view::npos || close == std::string_view::npos) return "";
  const std::string_view word = message.substr(open + 1, close - open - 1);
  const OptionList known(PQconndefaults());
  std::vector<std::string_view> keywords;
  for (const PQconninfoOption* o = known.get(); o != nullptr && o->keyword != nullptr; ++o) {
    keywords.emplace_back(o->keyword);
  }
  const auto nearest = text::nearest_name(word, keywords);
  return nearest ? "; did you mean \"" + std::string(*nearest) + "\"?" : "";
}

}  // namespace

void refuse_conninfo(const std::string& message) {
  throw PgError(Phase::kConfig, Reason::kConfig, "", message, true);
}

std::string parse_failure(std::string_view message) {
  std::string text = "not a usable connection string: " + without_quoted(message);
  if (message.find("invalid connection option") != std::string_view::npos ||
      message.find("invalid URI query parameter") != std::string_view::npos) {
    text += suggestion(message);
  } else if (message.starts_with("missing \"=\"")) {
    text += "; put values that contain blanks in single quotes";
  } else if (message.find("URI") != std::string_view::npos) {
    text += "; percent-encode what is special in a URI";
  }
  return text;
}

OptionList parse_string(const std::string& dsn) {
  char* error = nullptr;
  OptionList options(PQconninfoParse(dsn.c_str(), &error));
  const std::unique_ptr<char, void (*)(void*)> owner(error, PQfreemem);
  if (!options) refuse_conninfo(parse_failure(error != nullptr ? error : "out of memory"));
  return options;
}

const char* raw_value(const PQconninfoOption* options, std::string_view keyword) {
  for (; options != nullptr && options->keyword != nullptr; ++options) {
    if (options->keyword == keyword) return options->val;
  }
  return nullptr;
}

std::string find(const PQconninfoOption* options, std::string_view keyword) {
  const char* value = raw_value(options, keyword);
  return value != nullptr ? value : "";
}

}  // namespace pgconn::postgres
