// PgBouncer's settings, of an answer to SHOW CONFIG. A value; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "postgres/rows.h"

namespace pgconn::collectors {

class PoolerConfig {
 public:
  explicit PoolerConfig(std::map<std::string, std::string, std::less<>> values)
      : values_(std::move(values)) {}

  // nullopt if this version has no such setting.
  std::optional<std::string_view> text(std::string_view name) const;
  // nullopt also if it is no number of at least 0.
  std::optional<double> number(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// Throws std::out_of_range if it is not an answer to SHOW CONFIG.
PoolerConfig read_pooler_config(const postgres::Rows& answer);

}  // namespace pgconn::collectors
