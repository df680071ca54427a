// What `pgconn_exporter list` prints, put together from what is compiled in. Pure; any thread.
#pragma once

#include <string>

#include "exporter/cli/command_line.h"

namespace pgconn::exporter {

std::string catalogue(CommandLine::Subject subject, CommandLine::ListFormat format);

}  // namespace pgconn::exporter
