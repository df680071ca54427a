// Who may be given the password of a connection string; its public interface is conninfo.h.
// Internal to postgres/.
#pragma once

#include <vector>

#include "postgres/conninfo.h"

namespace pgconn::postgres {

// libpq, of this major version, would send the password in clear text over one of these, and can be
// told not to: the string itself does not decide it.
bool is_to_refuse_clear_password(const ConnInfo& conninfo, const std::vector<Endpoint>& endpoints,
                                 int libpq);

}  // namespace pgconn::postgres
