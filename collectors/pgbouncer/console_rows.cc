#include "collectors/pgbouncer/console_rows.h"

#include <algorithm>

#include "text/join.h"

namespace pgconn::collectors {
namespace {

constexpr std::size_t kMostNames = 10;
constexpr std::size_t kLongestName = 63;

}  // namespace

ConsoleRows::ConsoleRows(const postgres::Rows& rows, std::string_view key) : rows_(rows) {
  static_cast<void>(rows.column(key));
}

const postgres::Cell* ConsoleRows::cell(std::size_t row, std::string_view column) const {
  const auto& columns = rows_.columns();
  const auto found = std::ranges::find(columns, column);
  if (found == columns.end()) return nullptr;
  return &rows_.at(row, static_cast<std::size_t>(found - columns.begin()));
}

std::string ConsoleRows::text(std::size_t row, std::string_view column) const {
  const postgres::Cell* const found = cell(row, column);
  return found == nullptr ? "" : std::string(postgres::text_or(*found, ""));
}

std::optional<double> ConsoleRows::number(std::size_t row, std::string_view column) const {
  const postgres::Cell* const found = cell(row, column);
  return found == nullptr ? std::nullopt : postgres::number(*found);
}

std::optional<std::string> unknown_columns(std::string_view command, const postgres::Rows& rows,
                                           std::span<const std::string_view> known) {
  std::vector<std::string> unknown;
  for (const std::string& column : rows.columns()) {
    if (std::ranges::find(known, column) != known.end()) continue;
    if (unknown.size() < kMostNames) unknown.push_back(column.substr(0, kLongestName));
  }
  if (unknown.empty()) return std::nullopt;
  return std::string(command) +
         " has columns that this exporter does not know: " + text::joined(unknown);
}

}  // namespace pgconn::collectors
