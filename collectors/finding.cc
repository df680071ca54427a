#include "collectors/finding.h"

namespace pgconn::collectors {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
  }
  return "";
}

std::string with_value(std::string_view text, std::string_view placeholder,
                       std::string_view value) {
  std::string result(text);
  for (std::size_t at = result.find(placeholder); at != std::string::npos;
       at = result.find(placeholder, at + value.size())) {
    result.replace(at, placeholder.size(), value);
  }
  return result;
}

}  // namespace pgconn::collectors
