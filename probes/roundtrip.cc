#include "probes/roundtrip.h"

#include "probes/asking.h"

namespace pgconn::probes {
namespace {

asio::awaitable<Clock::duration> ask(HeldSession& session, Clock::time_point deadline) {
  return session.ask(deadline);
}

}  // namespace

asio::awaitable<void> run_roundtrip_probe(ProbeContext& context, Pace pace) {
  co_await run_asking_probe(context, ProbeKind::kRoundtrip, pace, pace.interval, ask);
}

}  // namespace pgconn::probes
