// The server's own values of the settings this program knows, from settings_reading(): not those
// of our session. A value that our session's overrides hide is unknown, never guessed. Pure; any
// thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/rows.h"

namespace pgconn::collectors {

// Settings that are times, with the unit the server gives a plain number.
struct TimeSetting {
  std::string_view name;
  std::string_view unit;
};
std::span<const TimeSetting> time_settings();

// Other settings that are numbers, switches or sizes.
std::span<const std::string_view> number_settings();

class ServerSettings {
 public:
  // Nothing is known.
  ServerSettings() = default;
  // Throws std::exception if `rows` are not of that reading.
  explicit ServerSettings(const postgres::Rows& rows);

  // A time in seconds. Where the server leaves it to its kernel (tcp_keepalives_*), Linux's
  // default. nullopt: the server has no such setting, we may not see it, or its value is masked.
  std::optional<double> seconds(std::string_view name) const;

  // A number: sizes in bytes, switches as 0 or 1; log_connections is 1 if it logs any aspect.
  // nullopt as above.
  std::optional<double> number(std::string_view name) const;

  // As the server writes it. nullopt as above.
  std::optional<std::string_view> text(std::string_view name) const;

  // Settings whose new value waits for a restart of the server, by name.
  const std::vector<std::string>& pending_restart() const { return pending_restart_; }

 private:
  struct Setting {
    std::string value;
    std::string unit;
  };
  std::map<std::string, Setting, std::less<>> settings_;
  std::vector<std::string> pending_restart_;
};

}  // namespace pgconn::collectors
