// An HTTP request as handlers see it, and the pure functions that parse one. Values; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgconn::exporter {

// Orders header names as HTTP compares them: ignoring the case of ASCII letters.
struct HeaderNameLess {
  using is_transparent = void;
  bool operator()(std::string_view left, std::string_view right) const;
};

using Headers = std::map<std::string, std::string, HeaderNameLess>;
// Parameters in the order they came; a name may come several times (`collect[]`).
using Query = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string client;  // where it comes from, as client_group() names it
  std::string method;  // GET or HEAD
  std::string path;    // percent-decoded, without the query
  Query query;
  Headers headers;  // a header sent more than once is joined with ", "

  // The value of a header, or empty if it was not sent.
  std::string_view header(std::string_view name) const;
  // The first value of a query parameter, or nullopt if it was not given.
  std::optional<std::string> parameter(std::string_view name) const;
  // All values of a query parameter, in order.
  std::vector<std::string> parameters(std::string_view name) const;
};

// Replaces %XX by its byte. A percent sign that no two hexadecimal digits follow stays as it is.
// The result may hold any byte, zero and invalid UTF-8 included.
std::string percent_decode(std::string_view text);

// Reads `a=1&b=2`: names and values are percent-decoded, `+` is a space. A name without `=` has an
// empty value; empty pieces are skipped.
Query parse_query(std::string_view text);

}  // namespace pgconn::exporter
