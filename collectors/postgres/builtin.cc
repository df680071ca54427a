#include "collectors/postgres/builtin.h"

#include <array>

namespace pgconn::collectors {

std::span<const Collector* const> builtin() {
  static const std::array<const Collector*, 7> collectors{
      &server_collector(),       &sessions_collector(),  &blocking_collector(), &limits_collector(),
      &session_ends_collector(), &transport_collector(), &settings_collector(),
  };
  return collectors;
}

}  // namespace pgconn::collectors
