#include "collectors/pgbouncer/pooler_config.h"

#include <exception>

namespace pgconn::collectors {

std::optional<std::string_view> PoolerConfig::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::optional<double> PoolerConfig::number(std::string_view name) const {
  const auto value = text(name);
  if (!value || value->empty()) return std::nullopt;
  try {
    const auto number = postgres::number(std::string(*value));
    return number && *number >= 0 ? number : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

PoolerConfig read_pooler_config(const postgres::Rows& answer) {
  const std::size_t key = answer.column("key"), value = answer.column("value");
  std::map<std::string, std::string, std::less<>> values;
  for (std::size_t row = 0; row < answer.size(); ++row) {
    values.emplace(postgres::text_or(answer.at(row, key), ""),
                   postgres::text_or(answer.at(row, value), ""));
  }
  return PoolerConfig(std::move(values));
}

}  // namespace pgconn::collectors
