// Files that would hang on open. libpq opens the files that a connection string names with a plain
// open(), on the thread that connects. A FIFO without a writer stops that thread forever, so such
// files are refused before libpq sees them. Any thread; costs one stat() per file.
#pragma once

#include <string>
#include <string_view>

#include "postgres/conninfo.h"

namespace pgconn::postgres {

// Throws PgError(kConfig) that names `keyword` and `path` if that is a FIFO, a terminal or anything
// else whose end may never come. A missing file is not checked here: libpq reports it.
void refuse_blocking_file(std::string_view keyword, const std::string& path);

// The same for every file that libpq opens when it connects with `conninfo`.
void refuse_blocking_files(const ConnInfo& conninfo);

}  // namespace pgconn::postgres
