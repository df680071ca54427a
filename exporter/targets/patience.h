// How long who asks for a scrape waits for it. Pure; any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "config/config.h"

namespace pgconn::exporter {

struct Patience {
  std::chrono::steady_clock::time_point began;
  std::optional<std::chrono::milliseconds> timeout;  // the asker's own, if it told

  // When a target with this configuration has to answer: the configured offset before the asker
  // gives up (half of its timeout where the offset leaves less), and within the configured ceiling.
  std::chrono::steady_clock::time_point deadline(const config::Global& global) const {
    if (!timeout) return began + global.scrape_timeout;
    const auto left = std::max(*timeout - global.scrape_timeout_offset, *timeout / 2);
    return began + std::min(left, global.scrape_timeout);
  }
};

}  // namespace pgconn::exporter
