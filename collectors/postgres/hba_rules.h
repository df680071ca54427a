// What pg_hba.conf lets in without encryption, from hba_rules_reading(). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postgres/rows.h"

namespace pgconn::collectors {

// Places ("pg_hba.conf:98") of the rules that let a client on another host in without TLS or GSS
// encryption. A rule counts although an earlier one may take some of its clients, except where all
// of them were refused without encryption before. nullopt if the file has errors: the server then
// still goes by an older state of it. Throws std::exception if `rows` are not of that reading.
std::optional<std::vector<std::string>> plaintext_remote_rules(const postgres::Rows& rows);

}  // namespace pgconn::collectors
