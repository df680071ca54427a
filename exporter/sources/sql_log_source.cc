#include "exporter/sources/sql_log_source.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <utility>

#include "exporter/log/log.h"

namespace pgconn::exporter {
namespace {

using server_log::Format;
using server_log::Trouble;
using std::chrono::seconds;

constexpr seconds kAfterFailure(10);
// A round may bring several files' ends.
constexpr std::size_t kAll = std::size_t{1} << 30;

}  // namespace

SqlLogSource::SqlLogSource(Background& background, async::TimeSource& time,
                           postgres::Connector& connector, std::string target,
                           const config::Target& config)
    : LogSource(background, time, std::move(target), config.server_log),
      time_(time),
      interval_(config.server_log.interval),
      reader_(connector, time, config.global.statement_timeout),
      taken_(time),
      asked_(time) {}

void SqlLogSource::start(std::chrono::milliseconds interval) {
  LogSource::start(interval);
  is_running_ = true;
  const auto self = std::static_pointer_cast<SqlLogSource>(shared_from_this());
  asio::co_spawn(
      executor(), [self] { return self->follow(); },
      asio::bind_cancellation_slot(cancel_.slot(), [self](const std::exception_ptr&) {
        self->reader_.release();
        self->is_running_ = false;
      }));
}

void SqlLogSource::stop() {
  LogSource::stop();
  reader_.close();
  cancel_.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> SqlLogSource::look(probes::Clock::time_point deadline) {
  const std::uint64_t mine = rounds_ + 2 + (is_asking_ ? 1 : 0);
  awaited_ = std::max(awaited_, mine);
  asked_.notify();
  while (rounds_ < mine) {
    const bool done = co_await taken_.wait_until(deadline);
    if (!done) co_return;
  }
}

// An error of ours must not end it for ever.
asio::awaitable<void> SqlLogSource::follow() {
  // So that the log is open, and its place known. Named: g++ 12 destroys a temporary twice here.
  SqlLogReader::Round nothing;
  co_await hand_over(std::move(nothing));
  while (!is_stopped()) {
    std::string failure;
    try {
      Wanted wanted;
      {
        const std::lock_guard lock(mail_);
        wanted = wanted_;
      }
      is_asking_ = true;
      SqlLogReader::Round round = co_await reader_.ask(std::move(wanted));
      co_await hand_over(std::move(round));
      is_asking_ = false;
      ++rounds_;
      taken_.notify();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (is_stopped()) co_return;
    if (!failure.empty()) {
      log::write(log::Level::kError, "the server's log could not be read",
                 {{"error", failure}, {"do", "it is tried again; please report this line"}});
      co_await time_.sleep_until(time_.now() + kAfterFailure);
      continue;
    }
    bool has_more = false;
    {
      const std::lock_guard lock(mail_);
      has_more = has_more_;
    }
    if (!has_more && rounds_ >= awaited_) {
      co_await asked_.wait_until(time_.now() + interval_);
    }
  }
}

// Returns when the background thread has taken it.
asio::awaitable<void> SqlLogSource::hand_over(SqlLogReader::Round round) {
  {
    const std::lock_guard lock(mail_);
    arrived_ = std::move(round);
  }
  wake();
  for (;;) {
    {
      const std::lock_guard lock(mail_);
      if (!arrived_) co_return;
    }
    co_await taken_.wait();
  }
}

std::unique_ptr<server_log::ServerLog> SqlLogSource::make_log(
    server_log::ServerLogOptions options, server_log::ServerLog::Listener listener) {
  return std::make_unique<server_log::ServerLog>(
      std::move(options), std::move(listener),
      [this](const server_log::Prefix& prefix, std::optional<server_log::History> history) {
        auto store = std::make_unique<server_log::RemoteStore>();
        store_ = store.get();
        auto follower =
            std::make_unique<server_log::Follower>(std::move(store), prefix, std::move(history));
        follower_ = follower.get();
        return follower;
      });
}

void SqlLogSource::take_news(server_log::ServerLog& log, bool) {
  std::optional<SqlLogReader::Round> round;
  {
    const std::lock_guard lock(mail_);
    if (!arrived_) return;
    round = std::move(arrived_);
  }
  bool has_more = false;
  Wanted wanted;
  const bool is_news = round->contents.has_value();
  const bool has_pieces = is_news && !round->contents->pieces.empty();
  take_round(log, std::move(*round));
  wanted = follower_->wanted();
  const std::lock_guard lock(mail_);
  // At once, if that brings anything on: else the server would be asked without end.
  has_more = is_news && follower_->lag({}).bytes > 0 && (has_pieces || wanted != wanted_);
  has_more_ = has_more;
  wanted_ = std::move(wanted);
  arrived_.reset();
  asio::post(executor(), [weak = weak_from_this()] {
    const auto self = std::static_pointer_cast<SqlLogSource>(weak.lock());
    if (self) self->taken_.notify();
  });
}

void SqlLogSource::take_round(server_log::ServerLog& log, SqlLogReader::Round round) {
  for (const Trouble trouble : {Trouble::kDenied, Trouble::kMissing, Trouble::kUnreadable}) {
    const bool is_told = round.problem && round.problem->trouble == trouble;
    if (is_told) log.tell(trouble, round.problem->text);
    if (!is_told && round.contents) log.over(trouble);
  }
  if (!round.contents) return;
  try {
    const bool has_sqlstate =
        round.format != Format::kStderr || server_log::Prefix(round.line_prefix).has_sqlstate();
    log.learn_prefix(round.line_prefix, has_sqlstate);
    log.over(Trouble::kFormat);
  } catch (const std::invalid_argument& error) {
    log.tell(Trouble::kFormat, error.what());
  }
  store_->take(std::move(*round.contents));
  while (log.poll(std::chrono::system_clock::now(), kAll)) {
  }
}

}  // namespace pgconn::exporter
