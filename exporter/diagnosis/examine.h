// One look at a server, for a diagnosis. The thread that runs the io_context.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include "config/config.h"
#include "exporter/diagnosis/diagnosis.h"
#include "postgres/resolver.h"

namespace pgconn::exporter {

// Connects, collects once, and shakes hands to see the certificates. Never throws for what a server
// does: that is part of the examination. Ends by `deadline`. `resolver` must outlive the call.
asio::awaitable<Examination> examine(postgres::Resolver& resolver, config::Target target,
                                     postgres::Deadline deadline);

}  // namespace pgconn::exporter
