// Which libpq this process has loaded. Any thread.
#pragma once

#include <string>

namespace pgconn::postgres {

std::string libpq_version();  // "15.20"

}  // namespace pgconn::postgres
