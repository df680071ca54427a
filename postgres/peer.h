// What may answer at the other end: PostgreSQL, or a program that speaks its protocol. Values; any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace pgconn::postgres {

enum class Protocol {
  kPipeline,  // the extended protocol: all queries at once, one round trip
  kSimple,    // one query after the other: all that PgBouncer's console understands
};

struct Peer {
  std::string_view product = "PostgreSQL";  // for people
  int oldest_version = 130000;              // as PQserverVersion; an older one is not taken
  Protocol protocol = Protocol::kPipeline;
  // It takes SQL that sets the session up, see ConnectOptions. Else nothing is sent but queries.
  bool takes_setup = true;
};

// What people call a version, of PQserverVersion's form: 150018 is "15", 90624 "9.6", 11800 "1.18".
inline std::string version_name(int version) {
  const int major = version / 10000;
  return std::to_string(major) + (major < 10 ? "." + std::to_string(version / 100 % 100) : "");
}

}  // namespace pgconn::postgres
