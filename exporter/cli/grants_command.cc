#include "exporter/cli/grants_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string_view>

#include "postgres/identifier.h"
#include "text/ascii.h"

namespace pgconn::exporter {
namespace {

// For PostgreSQL 13 to 19. `{role}` is the name as SQL writes it, `{text}` as a string.
constexpr std::string_view kSql =
    R"(-- The role that pgconn_exporter logs in as, with the least that it needs. Run it as a superuser, or as your provider's
-- administrator, in the database that the exporter's dsn names. It can be run again. Set a password afterwards, such as with
-- psql's \password, or let the role log in with a certificate or a token.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text}) THEN
    -- Two exporters with the default of 7 connections each, and some that are just being replaced.
    CREATE ROLE {role} LOGIN CONNECTION LIMIT 16;
  END IF;
END
$$;

-- Other roles' sessions: without it the collectors sessions, blocking and transport are skipped.
GRANT pg_read_all_stats TO {role};
-- Settings that only superusers see otherwise.
GRANT pg_read_all_settings TO {role};

-- What only superusers may see unless it is granted. The rules of pg_hba.conf: who may connect without TLS or with a weak
-- method. Providers may refuse it; then that finding is left out.
DO $$
BEGIN
  GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO {role};
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'pg_hba_file_rules() cannot be granted here: its findings are left out';
END
$$;

-- From PostgreSQL 16 on: slots that are kept for it when all others are taken (reserved_connections).
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'GRANT pg_use_reserved_connections TO ' || quote_ident({text});
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'pg_use_reserved_connections cannot be granted here: the exporter competes with everybody for the last slot';
END
$$;

-- Only for `server_log` with `from: sql`. With the second the role can read every file in the data directory.
-- GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_logdir() TO {role};
-- GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO {role};
)";

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// Without quotes where SQL needs none.
std::string identifier(const std::string& name) {
  const bool plain =
      !name.empty() && !text::is_digit(name.front()) && std::ranges::all_of(name, [](char c) {
        return (text::is_letter_or_digit(c) && !text::is_capital(c)) || c == '_';
      });
  return plain ? name : postgres::quoted_identifier(name);
}

}  // namespace

void Grants::declare(CLI::App& app) {
  CLI::App* const grants =
      app.add_subcommand("grants", "print the SQL for the role that the exporter logs in as");
  grants->add_option_function<std::string>("ROLE", [this](const std::string& name) {
    if (name.empty() || name.size() > 63 || name.find('\0') != std::string::npos ||
        name.find('$') != std::string::npos) {
      throw UsageError("grants \"" + name +
                       "\" is no name for a role; allowed: 1 to 63 bytes without `$`");
    }
    role = name;
  });
}

std::string Grants::text() const {
  const std::string literal = "'" + replaced(role, "'", "''") + "'";
  return replaced(replaced(std::string(kSql), "{text}", literal), "{role}", identifier(role));
}

int Grants::run() const {
  std::cout << text();
  return 0;
}

}  // namespace pgconn::exporter
