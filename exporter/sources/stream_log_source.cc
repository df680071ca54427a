#include "exporter/sources/stream_log_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <utility>

#include "sources/server_log/journal_input.h"
#include "sources/server_log/stdin_input.h"

namespace pgconn::exporter {
namespace {

using server_log::History;
using server_log::Input;
using server_log::Prefix;

}  // namespace

void StreamLogSource::stop() {
  LogSource::stop();
  watched_.reset();
}

std::unique_ptr<server_log::ServerLog> StreamLogSource::make_log(
    server_log::ServerLogOptions options, server_log::ServerLog::Listener listener) {
  const auto make = [this, &layout = options.layout](
                        const Prefix& prefix,
                        std::optional<History> history) -> std::unique_ptr<Input> {
    if (config().from == config::LogOrigin::kStdin) {
      auto input = std::make_unique<server_log::StdinInput>(STDIN_FILENO, layout, prefix);
      descriptor_ = [input = input.get()] { return input->descriptor(); };
      return input;
    }
    auto input = std::make_unique<server_log::JournalInput>(
        server_log::JournalOptions{config().units, config().directory}, prefix, history);
    descriptor_ = [input = input.get()] { return input->descriptor(); };
    return input;
  };
  const std::string pattern = options.line_prefix;
  const bool has_sqlstate =
      Prefix(pattern).has_sqlstate() ||
      options.layout.format.value_or(server_log::Format::kStderr) != server_log::Format::kStderr;
  auto log = std::make_unique<server_log::ServerLog>(std::move(options), std::move(listener), make);
  log->learn_prefix(pattern, has_sqlstate);
  return log;
}

void StreamLogSource::take_news(server_log::ServerLog& log, bool asked) {
  LogSource::take_news(log, asked);
  wait_for_more();
}

// The descriptor may be gone when the I/O thread comes to it: it gets one of its own.
void StreamLogSource::wait_for_more() {
  const int descriptor = descriptor_();
  const int own = descriptor < 0 ? -1 : ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return;
  asio::post(executor(), [weak = weak_from_this(), own] {
    const auto self = std::static_pointer_cast<StreamLogSource>(weak.lock());
    if (self && !self->is_stopped() && !self->watched_) {
      self->watch(own);
    } else {
      ::close(own);
    }
  });
}

void StreamLogSource::watch(int descriptor) {
  asio::error_code error;
  watched_.emplace(executor());
  watched_->assign(descriptor, error);
  if (error) {  // a regular file, which cannot be waited for: each turn reads what there is
    ::close(descriptor);
    watched_.reset();
    return;
  }
  watched_->async_wait(asio::posix::stream_descriptor::wait_read,
                       [weak = weak_from_this()](const asio::error_code& failure) {
                         const auto self = std::static_pointer_cast<StreamLogSource>(weak.lock());
                         if (!self || failure || self->is_stopped()) return;
                         self->watched_.reset();
                         self->wake();
                       });
}

}  // namespace pgconn::exporter
