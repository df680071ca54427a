#include "sources/server_log/parser.h"

#include "sources/server_log/csv_parser.h"
#include "sources/server_log/json_parser.h"
#include "sources/server_log/stderr_parser.h"

namespace pgconn::server_log {

ParseFaults& ParseFaults::operator+=(const ParseFaults& more) {
  unparsed += more.unparsed;
  torn += more.torn;
  oversize += more.oversize;
  nul += more.nul;
  encoding += more.encoding;
  return *this;
}

std::unique_ptr<Parser> make_parser(Format format, const Prefix& prefix) {
  switch (format) {
    case Format::kCsv:
      return std::make_unique<CsvParser>();
    case Format::kJson:
      return std::make_unique<JsonParser>();
    case Format::kStderr:
      break;
  }
  return std::make_unique<StderrParser>(prefix);
}

Format format_of(std::string_view path) {
  if (path.ends_with(".csv")) return Format::kCsv;
  if (path.ends_with(".json")) return Format::kJson;
  return Format::kStderr;
}

}  // namespace pgconn::server_log
