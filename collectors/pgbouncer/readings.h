// What PgBouncer's console is asked, one command each. Constants.
#pragma once

#include "collectors/collector.h"

namespace pgconn::collectors {

const Reading& pooler_version_reading();    // SHOW VERSION
const Reading& pooler_pools_reading();      // SHOW POOLS
const Reading& pooler_stats_reading();      // SHOW STATS
const Reading& pooler_lists_reading();      // SHOW LISTS
const Reading& pooler_databases_reading();  // SHOW DATABASES
const Reading& pooler_users_reading();      // SHOW USERS
const Reading& pooler_config_reading();     // SHOW CONFIG

}  // namespace pgconn::collectors
