#include "probes/drops/path_memory.h"

#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

constexpr std::size_t kSamplesKept = 16;
constexpr std::chrono::hours kSampleFor(24);  // how long a silence counts as a sample of the path

}  // namespace

void PathMemory::remember(const Evidence& evidence) {
  const Clock::time_point at = evidence.drops.front().at;
  for (const auto silence : unanswered_silences(evidence)) keep(unanswered_, {at, silence});
  for (const auto silence : doubtful_silences(evidence)) keep(doubtful_, {at, silence});
}

void PathMemory::keep(std::deque<Silence>& samples, Silence latest) {
  samples.push_back(latest);
  if (samples.size() > kSamplesKept) samples.pop_front();
}

void PathMemory::add_to(Evidence& evidence, Clock::time_point now,
                        const HeldConnections& held) const {
  for (const auto& [at, silence] : unanswered_) {
    if (now - at < kSampleFor) evidence.unanswered_before.push_back(silence);
  }
  evidence.survived_silence = held.survived_silence(now - kSampleFor);
  for (const auto& [at, silence] : doubtful_) {
    const auto survived = held.survived_silence(at);
    if (!survived || *survived < silence) evidence.fell_before.push_back(silence);
  }
}

}  // namespace pgconn::probes
