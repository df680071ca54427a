#include "sources/host/sockets.h"

#include "tests/support/catch.h"

using namespace pgconn::host;

TEST_CASE("no socket comes to nothing") { CHECK_FALSE(total({}).accept_queue); }
