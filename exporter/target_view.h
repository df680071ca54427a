// What the landing page says of a target. Pure; any thread.
#pragma once

#include <chrono>

#include "exporter/landing_page.h"
#include "exporter/target.h"

namespace pgconn::exporter {

TargetView target_view(const TargetState& state, std::chrono::system_clock::time_point now);

}  // namespace pgconn::exporter
