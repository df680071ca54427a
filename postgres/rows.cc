#include "postgres/rows.h"

#include <charconv>
#include <limits>
#include <stdexcept>

namespace pgconn::postgres {

Rows::Rows(std::vector<std::string> columns, std::vector<Cell> cells)
    : columns_(std::move(columns)), cells_(std::move(cells)) {
  if (columns_.empty() ? !cells_.empty() : cells_.size() % columns_.size() != 0) {
    throw std::invalid_argument("the cells do not fill whole rows");
  }
}

std::size_t Rows::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i] == name) return i;
  }
  throw std::out_of_range("the answer has no column \"" + std::string(name) + "\"");
}

const Cell& Rows::only(std::string_view name) const {
  if (size() != 1) {
    throw std::out_of_range("the answer has " + std::to_string(size()) + " rows instead of one");
  }
  return at(0, column(name));
}

void Rows::refuse(std::size_t row, std::size_t column) const {
  throw std::out_of_range("the answer has no cell in row " + std::to_string(row) + ", column " +
                          std::to_string(column));
}

namespace {

template <typename T>
T parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("not a number: \"" + std::string(text) + "\"");
  }
  return value;
}

}  // namespace

std::optional<double> number(const Cell& cell) {
  if (!cell) return std::nullopt;
  if (*cell == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (*cell == "Infinity") return std::numeric_limits<double>::infinity();
  if (*cell == "-Infinity") return -std::numeric_limits<double>::infinity();
  return parse<double>(*cell);
}

std::optional<std::int64_t> integer(const Cell& cell) {
  if (!cell) return std::nullopt;
  return parse<std::int64_t>(*cell);
}

std::optional<bool> boolean(const Cell& cell) {
  if (!cell) return std::nullopt;
  if (*cell == "t") return true;
  if (*cell == "f") return false;
  throw std::invalid_argument("not a boolean: \"" + *cell + "\"");
}

std::string_view text_or(const Cell& cell, std::string_view fallback) {
  return cell ? std::string_view(*cell) : fallback;
}

std::vector<std::int64_t> integers(const Cell& cell) {
  std::vector<std::int64_t> values;
  if (!cell) return values;
  std::string_view text = *cell;
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    throw std::invalid_argument("not an array: \"" + *cell + "\"");
  }
  text = text.substr(1, text.size() - 2);
  bool more = !text.empty();
  while (more) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    if (item != "NULL") values.push_back(parse<std::int64_t>(item));
  }
  return values;
}

}  // namespace pgconn::postgres
