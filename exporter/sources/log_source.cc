#include "exporter/sources/log_source.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "exporter/log/log.h"

namespace pgconn::exporter {
namespace {

using probes::Cause;
using probes::Testimony;
using server_log::Event;
using server_log::TimePoint;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kSource = "server_log";
// How much one turn reads at most, so that other targets' logs have their turns.
constexpr std::size_t kChunk = std::size_t{4} * 1024 * 1024;
constexpr int kChunksWhenAsked = 16;
// An entry at the end of the log counts as complete if nothing has followed it for this long.
constexpr milliseconds kNothingFollows(20);
constexpr seconds kUnwatched(10);  // between publications that nobody asked for
constexpr std::size_t kMostKept = 1000;
// The time around an incident in which the log may say what ended a session.
constexpr seconds kBefore(5), kAfter(5);

struct Meaning {
  Event event;
  Cause cause;
  bool of_session;  // else about the whole server
  std::string_view words;
};

constexpr Meaning kMeanings[] = {
    {Event::kAdminTerminate, Cause::kAdminTerminate, true, "it was terminated by an administrator"},
    {Event::kIdleInTransactionTimeout, Cause::kIdleInTransactionTimeout, true,
     "it was idle in a transaction for too long"},
    {Event::kIdleSessionTimeout, Cause::kIdleSessionTimeout, true, "it was idle for too long"},
    {Event::kTransactionTimeout, Cause::kTransactionTimeout, true, "its transaction took too long"},
    {Event::kRecoveryConflict, Cause::kRecoveryConflict, true, "it held up recovery"},
    {Event::kConnectionLost, Cause::kUnknown, true, "its connection was lost"},
    {Event::kSmartShutdown, Cause::kServerShutdown, false, "a smart shutdown was requested"},
    {Event::kFastShutdown, Cause::kServerShutdown, false, "a fast shutdown was requested"},
    {Event::kImmediateShutdown, Cause::kServerShutdown, false,
     "an immediate shutdown was requested"},
    {Event::kBackendCrash, Cause::kCrash, false, "a server process crashed"},
    {Event::kCrashRestart, Cause::kCrash, false, "all server processes were ended after a crash"},
    {Event::kPanic, Cause::kCrash, false, "a server process panicked"},
};

server_log::Layout layout_of(const config::ServerLog& config) {
  server_log::Layout layout;
  layout.is_container = config.container;
  switch (config.format) {
    case config::LogFormat::kByName:
      break;
    case config::LogFormat::kStderr:
      layout.format = server_log::Format::kStderr;
      break;
    case config::LogFormat::kCsv:
      layout.format = server_log::Format::kCsv;
      break;
    case config::LogFormat::kJson:
      layout.format = server_log::Format::kJson;
      break;
    case config::LogFormat::kCloudNativePg:
      layout.format = server_log::Format::kCloudNativePg;
      break;
    case config::LogFormat::kPgbouncer:
      layout.format = server_log::Format::kPgbouncer;
      break;
  }
  return layout;
}

std::string words_of(const Meaning& meaning, const server_log::Classified& classified) {
  std::string words(meaning.words);
  if (meaning.event == Event::kBackendCrash && classified.subject != 0) {
    words += " (process " + std::to_string(classified.subject);
    if (classified.signal != 0) words += ", signal " + std::to_string(classified.signal);
    words += ")";
  }
  if (classified.actor != 0) words += ", by process " + std::to_string(classified.actor);
  return words;
}

}  // namespace

std::optional<Testimony> testimony_of(const server_log::Entry& entry,
                                      const server_log::Classified& classified, TimePoint now) {
  if (!classified.event) return std::nullopt;
  for (const Meaning& meaning : kMeanings) {
    if (meaning.event != *classified.event) continue;
    Testimony testimony;
    testimony.source = kSource;
    testimony.at = entry.time.value_or(now);
    testimony.cause = meaning.cause;
    if (meaning.of_session) {
      testimony.backend_pid = classified.subject != 0 ? classified.subject : entry.pid;
      if (testimony.backend_pid == 0) return std::nullopt;  // not a session's
    }
    testimony.words = words_of(meaning, classified);
    return testimony;
  }
  return std::nullopt;
}

std::vector<Testimony> of_incident(const std::deque<Testimony>& kept, TimePoint from,
                                   TimePoint until) {
  std::vector<Testimony> heard;
  for (const Testimony& one : kept) {
    if (one.at >= from && one.at <= until) heard.push_back(one);
  }
  const bool stopped = std::any_of(heard.begin(), heard.end(), [](const Testimony& one) {
    return one.cause == Cause::kServerShutdown;
  });
  if (stopped) {
    std::erase_if(heard, [](const Testimony& one) { return one.cause == Cause::kAdminTerminate; });
  }
  return heard;
}

LogSource::LogSource(Background& background, async::TimeSource& time, std::string target,
                     config::ServerLog config)
    : Source(background, time), target_(std::move(target)), config_(std::move(config)) {}

metrics::MetricBatch LogSource::metrics() const {
  const std::lock_guard lock(mutex_);
  return batch_;
}

void LogSource::add_to(probes::Evidence& evidence, const probes::Incident& incident) const {
  const auto lasted =
      std::chrono::duration_cast<TimePoint::duration>(incident.last - incident.first);
  const std::lock_guard lock(mutex_);
  for (Testimony& one :
       of_incident(kept_, incident.began - kBefore, incident.began + lasted + kAfter)) {
    evidence.testimonies.push_back(std::move(one));
  }
}

// On the background thread, so that after a reload a target reads its place in the log after its
// predecessor has written it.
bool LogSource::open() {
  if (log_) return true;
  try {
    log_ = make_log(
        {config_.files, config_.line_prefix, config_.state_file, target_, layout_of(config_)},
        [this](const auto& entry, const auto& classified) { keep(entry, classified); });
    return true;
  } catch (const std::exception& error) {
    log::write(log::Level::kError, "the server's log cannot be read",
               {{"target", target_}, {"error", error.what()}});
    Source::stop();  // no more turns; the rest of stopping is the I/O thread's
    return false;
  }
}

std::unique_ptr<server_log::ServerLog> LogSource::make_log(
    server_log::ServerLogOptions options, server_log::ServerLog::Listener listener) {
  return std::make_unique<server_log::ServerLog>(std::move(options), std::move(listener));
}

void LogSource::take_news(server_log::ServerLog& log, bool asked) {
  const auto now = [] { return std::chrono::system_clock::now(); };
  bool more = log.poll(now(), kChunk);
  for (int chunk = 1; asked && more && chunk < kChunksWhenAsked; ++chunk) {
    more = log.poll(now(), kChunk);
  }
  if (asked) {
    std::this_thread::sleep_for(kNothingFollows);
    log.poll(now(), kChunk);
  }
  polled_ = std::chrono::steady_clock::now();
}

void LogSource::read(bool asked) {
  if (!open()) return;
  const auto turn = std::chrono::steady_clock::now();
  const bool is_wanted = take_metrics_wanted() || asked;
  // A scrape right after a turn: a poll now would take an entry for complete that is being written.
  const bool is_too_soon = is_wanted && !asked && turn - polled_ < kNothingFollows;
  if (!is_too_soon) take_news(*log_, asked);
  // Each publication writes the state file, so there is one for each scrape, and not one a second.
  // Without scrapes there is one now and then: what was read since is read again after a restart.
  if (is_wanted || turn - published_ >= kUnwatched) {
    published_ = turn;
    metrics::MetricBatch batch = log_->publish(std::chrono::system_clock::now());
    const std::lock_guard lock(mutex_);
    batch_ = std::move(batch);
  }
  for (const server_log::Problem& problem : log_->take_problems()) {
    log::write(log::Level::kWarn, "the server's log cannot be read as it should",
               {{"target", target_},
                {"reason", std::string(to_string(problem.trouble))},
                {"error", problem.text}});
  }
}

void LogSource::keep(const server_log::Entry& entry, const server_log::Classified& classified) {
  auto testimony = testimony_of(entry, classified, std::chrono::system_clock::now());
  if (!testimony) return;
  const std::lock_guard lock(mutex_);
  kept_.push_back(std::move(*testimony));
  if (kept_.size() > kMostKept) kept_.pop_front();
}

}  // namespace pgconn::exporter
