// Which libpq this process has loaded. Any thread.
#pragma once

#include <string>

namespace pgconn::postgres {

std::string libpq_version();  // "15.20"
int libpq_major();            // 15

// Logins that go on computing although they were given up; see connection.h.
int given_up_logins();

}  // namespace pgconn::postgres
