// How long a client waits for a scrape. Pure; any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "config/config.h"

namespace pgconn::exporter {

struct Patience {
  std::chrono::steady_clock::time_point began;
  std::optional<std::chrono::milliseconds> timeout;  // the client's own, if it sent one

  // When a target with this configuration must answer: the configured offset before the client
  // gives up (half of its timeout where the offset leaves less), and within the configured ceiling.
  std::chrono::steady_clock::time_point deadline(const config::Global& global) const {
    if (!timeout) return began + global.scrape_timeout;
    const auto left = std::max(*timeout - global.scrape_timeout_offset, *timeout / 2);
    return began + std::min(left, global.scrape_timeout);
  }
};

}  // namespace pgconn::exporter
