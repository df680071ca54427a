// What the answers about settings say, as plain values. Pure; any thread. Each throws
// std::exception if `rows` are not of the reading that it names.
#pragma once

#include <string>
#include <vector>

#include "collectors/postgres/overrides.h"
#include "collectors/postgres/server_settings.h"
#include "postgres/rows.h"

namespace pgconn::collectors {

// Of settings_reading().
ServerSettings read_settings(const postgres::Rows& rows);

// Of overrides_reading().
Overrides read_overrides(const postgres::Rows& rows);

}  // namespace pgconn::collectors
