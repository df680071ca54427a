// The rows of one answered query, as text or NULL, free of libpq. A value; immutable once built, so
// collectors are pure functions over it and their tests build it from literals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::postgres {

using Cell = std::optional<std::string>;  // nullopt is SQL NULL

class Rows {
 public:
  Rows() = default;
  // `cells` row by row. Throws std::invalid_argument if they do not fill whole rows.
  Rows(std::vector<std::string> columns, std::vector<Cell> cells);

  std::size_t size() const { return columns_.empty() ? 0 : cells_.size() / columns_.size(); }
  bool empty() const { return cells_.empty(); }
  const std::vector<std::string>& columns() const { return columns_; }

  // Position of a column. Throws std::out_of_range that names the column if SQL and reader
  // disagree.
  std::size_t column(std::string_view name) const;

  // Throws std::out_of_range where there is none: a peer's answer need not have the shape that was
  // asked for.
  const Cell& at(std::size_t row, std::size_t column) const {
    if (column >= columns_.size() || row >= size()) refuse(row, column);
    return cells_[row * columns_.size() + column];
  }

  // The cell of the only row. Throws std::out_of_range if there is not one row, or no such column.
  const Cell& only(std::string_view column) const;

 private:
  [[noreturn]] void refuse(std::size_t row, std::size_t column) const;

  std::vector<std::string> columns_;
  std::vector<Cell> cells_;
};

// Typed reading of a cell. NULL is nullopt; text of another form throws std::invalid_argument with
// the text (which cannot happen for the types that the SQL casts to).
std::optional<double> number(const Cell& cell);  // int, float8; also "NaN", "Infinity"
std::optional<std::int64_t> integer(const Cell& cell);
std::optional<bool> boolean(const Cell& cell);  // "t" or "f"
std::string_view text_or(const Cell& cell, std::string_view fallback);
// One-dimensional array of numbers, "{1,2,NULL}"; NULL elements are left out.
std::vector<std::int64_t> integers(const Cell& cell);

}  // namespace pgconn::postgres
