#include "probes/idle.h"

#include <algorithm>

#include "probes/held_session.h"
#include "probes/probe_metrics.h"

namespace pgconn::probes {
namespace {

constexpr ProbeKind kProbe = ProbeKind::kIdle;
constexpr auto kLongestWait = std::chrono::minutes(1);
// Canaries start at different moments within this time.
constexpr std::chrono::milliseconds kPause(1000);
constexpr std::chrono::milliseconds kAllStarted(10'000);
// For the answer that an investigation wants: others' losses are counted with it, or without.
constexpr std::chrono::milliseconds kWhenWanted(4000);
constexpr std::chrono::seconds kDeciding(20);  // to find out why one was lost

// Registers a silence that a canary is trying, for as long as this lives.
class UnderWay {
 public:
  using Silence = IdleLadder::Silence;
  UnderWay(std::vector<Silence>& all, Silence silence) : all_(all), silence_(silence) {
    all_.push_back(silence_);
  }
  ~UnderWay() { all_.erase(std::find(all_.begin(), all_.end(), silence_)); }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  std::vector<Silence>& all_;
  Silence silence_;
};

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

IdleProbe::IdleProbe(ProbeContext& context, metrics::Instruments& instruments,
                     IdleSettings settings)
    : context_(context),
      instruments_(instruments),
      settings_(std::move(settings)),
      ladder_(settings_.ladder),
      all_decided_(context.time) {
  context_.recorder.expect(kProbe);
  for (const Silence rung : settings_.ladder) {
    count(rung, nullptr);
  }
}

void IdleProbe::count(Silence silence, const char* result) {
  const auto rung =
      std::chrono::duration_cast<std::chrono::duration<double>>(ladder_.rung_of(silence));
  std::string label = std::to_string(rung.count());
  label.erase(label.find_last_not_of('0') + 1);
  if (label.back() == '.') label.pop_back();
  for (const char* known : {"survived", "dropped", "inconclusive"}) {
    const bool hit = result != nullptr && std::string_view(known) == result;
    if (hit || result == nullptr) {
      instruments_.count(families::kCanaryResults, {label, known}, hit ? 1 : 0);
    }
  }
}

asio::awaitable<void> IdleProbe::run_canary() {
  postgres::ConnectOptions options;
  options.purpose = "idle";
  options.keepalives = false;
  HeldSession session(context_, kProbe, options, kLongestWait);
  const auto apart = std::min<std::chrono::milliseconds>(kPause, kAllStarted / settings_.canaries);
  const auto first = splay(context_.target, kProbe, kPause * 2) +
                     apart * (canaries_started_++ % settings_.canaries);
  co_await context_.time.sleep_until(context_.time.now() + first);
  for (;;) {
    if (!session.is_open()) {  // spreads the return of canaries that were lost together
      const auto soon = context_.time.now() +
                        std::chrono::duration_cast<Clock::duration>(kPause * postgres::dice());
      co_await context_.time.sleep_until(std::max(session.next_try(), soon));
      co_await until_decided();
    }
    const Silence silence = ladder_.next(under_way_);
    const UnderWay under_way(under_way_, silence);
    try {
      co_await try_silence(session, silence);
    } catch (const postgres::PgError& error) {
      if (error.reason() == postgres::Reason::kStopped) throw;
      context_.recorder.failed(kProbe, error);
    }
  }
}

// The next silence depends on whether the path caused the loss.
asio::awaitable<void> IdleProbe::until_decided() {
  const Clock::time_point enough = context_.time.now() + kDeciding;
  while (undecided_ > 0 && context_.time.now() < enough) {
    co_await all_decided_.wait_until(enough);
  }
}

asio::awaitable<void> IdleProbe::try_silence(HeldSession& session, Silence silence) {
  context_.recorder.attempt(kProbe);
  co_await session.open(context_.time.now() + settings_.timeout);
  const auto end = co_await session.stay_silent(session.last_answer() + silence);
  if (end == SilenceEnd::kLost) co_return;  // what it means is decided later
  const auto lasted =
      std::chrono::duration_cast<Silence>(context_.time.now() - session.last_answer());
  const bool wanted = end == SilenceEnd::kWanted;
  const auto patience = wanted ? std::min(settings_.timeout, kWhenWanted) : settings_.timeout;
  const Clock::duration took = co_await session.ask(context_.time.now() + patience);
  context_.recorder.succeeded(kProbe, {{"query", took}});
  context_.held.note_survived(session.last_answer(), std::min(lasted, silence));
  if (wanted) {
    ladder_.survived(std::min(lasted, silence));  // the rung was not tried to its end
    co_return;
  }
  ladder_.survived(silence);
  count(silence, "survived");
}

void IdleProbe::decided(const Drop& drop, Cause cause) {
  if (--undecided_ == 0) all_decided_.notify();
  const auto silence = std::chrono::duration_cast<Silence>(drop.silent_for);
  if (cause == Cause::kPathIdleTimeout) {
    ladder_.dropped(silence);
    count(silence, "dropped");
  } else {
    count(silence, "inconclusive");
  }
}

std::optional<std::chrono::milliseconds> IdleProbe::path_limit() const {
  return ladder_.shortest_dropped() ? ladder_.longest_survived() : std::nullopt;
}

void IdleProbe::add_gauges(metrics::MetricBatch& batch) const {
  const auto survived = ladder_.longest_survived();
  const auto dropped = ladder_.shortest_dropped();
  if (survived) batch.add(families::kIdleSurvived, seconds(*survived));
  if (dropped) batch.add(families::kIdleDropped, seconds(*dropped));
  if (const auto limit = path_limit())
    batch.add(families::kPathLimit, seconds(*limit), {"measured"});
}

}  // namespace pgconn::probes
