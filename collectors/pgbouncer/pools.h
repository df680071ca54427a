// Who waits in PgBouncer's pools, of an answer to SHOW POOLS. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "postgres/rows.h"

namespace pgconn::collectors {

struct PoolWait {
  std::string database, user;
  double seconds = 0;  // how long the first client in the queue has waited; 0: none waits
  double waiting = 0;  // clients in the queue
};

// All pools but the console's own. Throws std::exception if it is not an answer to SHOW POOLS.
std::vector<PoolWait> pool_waits(const postgres::Rows& answer);

}  // namespace pgconn::collectors
