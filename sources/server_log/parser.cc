#include "sources/server_log/parser.h"

#include <utility>

#include "sources/server_log/cloudnativepg_parser.h"
#include "sources/server_log/container_parser.h"
#include "sources/server_log/csv_parser.h"
#include "sources/server_log/json_parser.h"
#include "sources/server_log/pgbouncer_parser.h"
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
    case Format::kCloudNativePg:
      return std::make_unique<CloudNativePgParser>();
    case Format::kPgbouncer:
      return std::make_unique<PgbouncerParser>();
    case Format::kStderr:
      break;
  }
  return std::make_unique<StderrParser>(prefix);
}

std::unique_ptr<Parser> make_parser(const Layout& layout, std::string_view path,
                                    const Prefix& prefix) {
  auto parser = make_parser(layout.format.value_or(format_of(path)), prefix);
  if (!layout.is_container) return parser;
  return std::make_unique<ContainerParser>(std::move(parser));
}

Format format_of(std::string_view path) {
  if (path.ends_with(".csv")) return Format::kCsv;
  if (path.ends_with(".json")) return Format::kJson;
  return Format::kStderr;
}

}  // namespace pgconn::server_log
