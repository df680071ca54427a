// How the console of PgBouncer answers: columns by name, which differ by version. What an older one
// does not have is absent, what a newer one has besides is reported. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/rows.h"

namespace pgconn::collectors {

// The database, user and pool of the console itself.
inline constexpr std::string_view kConsole = "pgbouncer";

// A view of an answer, which must outlive it.
class ConsoleRows {
 public:
  // `key`: the column that no version lacks. Throws std::out_of_range without it.
  ConsoleRows(const postgres::Rows& rows, std::string_view key);

  std::size_t size() const { return rows_.size(); }
  // Empty if it is NULL or there is no such column.
  std::string text(std::size_t row, std::string_view column) const;
  // nullopt if it is NULL or there is no such column. Throws std::invalid_argument if it is no
  // number.
  std::optional<double> number(std::size_t row, std::string_view column) const;

 private:
  const postgres::Cell* cell(std::size_t row, std::string_view column) const;

  const postgres::Rows& rows_;
};

// One sentence about the columns of the answer to `command` that are not among `known`; nothing if
// all are. Bounded, whatever their names.
std::optional<std::string> unknown_columns(std::string_view command, const postgres::Rows& rows,
                                           std::span<const std::string_view> known);

}  // namespace pgconn::collectors
