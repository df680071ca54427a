// SQLSTATEs as label values. Pure; any thread.
#pragma once

#include <string_view>

namespace pgconn::postgres {

// Stands for all that are not PostgreSQL's own.
inline constexpr std::string_view kOtherSqlstate = "other";

// The label value for a SQLSTATE: itself if Appendix A of PostgreSQL's documentation lists it,
// empty if there is none, else `other`. A peer chooses what it sends, and each value would become a
// permanent series. Extensions have codes of their own, but none of them ends a connection.
// Lives as long as the program.
std::string_view sqlstate_label(std::string_view sqlstate);

}  // namespace pgconn::postgres
