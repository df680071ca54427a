// What the landing page says of a target. Pure; any thread.
#pragma once

#include <chrono>

#include "exporter/pages/landing_page.h"
#include "exporter/targets/target.h"

namespace pgconn::exporter {

TargetView target_view(const TargetState& state, std::chrono::system_clock::time_point now);

}  // namespace pgconn::exporter
