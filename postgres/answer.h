// Reads a peer's answer to one query, whatever it may be. Pure; any thread.
#pragma once

#include <exception>
#include <span>

#include "postgres/connection.h"

namespace pgconn::postgres {

// What `read` makes of the rows of the last answer. Throws the answer's PgError if it is one, or
// PgError(kProtocol) if there is no answer, or if `read` finds that its rows are not what was asked
// for (std::exception).
template <typename Read>
auto read_answer(std::span<const Answer> answers, Read read) {
  const auto strange = [](const std::string& what) {
    return PgError(Phase::kQuery, Reason::kProtocol, "", "not an answer of PostgreSQL: " + what,
                   false);
  };
  if (answers.empty()) throw strange("there is none");
  if (const auto* error = std::get_if<PgError>(&answers.back())) throw *error;
  try {
    return read(std::get<Rows>(answers.back()));
  } catch (const std::exception& error) {
    throw strange(error.what());
  }
}

// A query that needs no more than a running server, and its answer: throws as above.
inline constexpr const char* kAreYouThere = "SELECT 1 AS here";
void expect_here(std::span<const Answer> answers);

}  // namespace pgconn::postgres
