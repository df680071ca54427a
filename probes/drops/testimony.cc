// What the server's log and its host add to the ruling on a drop.
#include <algorithm>
#include <set>

#include "probes/drops/attribution_rules.h"

namespace pgconn::probes {
namespace {

bool is_about(const Testimony& testimony, const Drop& drop) {
  return testimony.backend_pid == 0 ||
         (drop.backend_pid != 0 && testimony.backend_pid == drop.backend_pid);
}

// What they say about this very session, or if nothing, what they say about the server.
std::vector<const Testimony*> about(const Evidence& evidence, const Drop& drop) {
  std::vector<const Testimony*> of_server, of_session;
  for (const Testimony& one : evidence.testimonies) {
    if (one.cause == Cause::kUnknown || !is_about(one, drop)) continue;
    (one.backend_pid == 0 ? of_server : of_session).push_back(&one);
  }
  return of_session.empty() ? of_server : of_session;
}

// Whether a ruling fits a testimony: one of a crash does not deny the OOM kill behind it.
bool fits(Cause ruled, Cause testified) {
  return ruled == testified || (ruled == Cause::kOomKill && testified == Cause::kCrash);
}

bool is_fate_of_server(Cause cause) {
  return cause == Cause::kServerShutdown || cause == Cause::kCrash || cause == Cause::kOomKill;
}

std::string said(const Testimony& testimony) {
  const std::string_view source =
      testimony.source == "server_log" ? "the server's log" : testimony.source;
  return std::string(source) + " says: " + testimony.words;
}

}  // namespace

Ruling with_testimonies(const Scene& scene, Ruling ruling) {
  const auto testimonies = about(scene.evidence, scene.drop);
  if (testimonies.empty()) return ruling;
  const Testimony& first = *testimonies.front();
  std::set<Cause> causes;
  for (const Testimony* one : testimonies) causes.insert(one->cause);
  if (ruling.cause == Cause::kUnknown) {
    // If they disagree, the cause stays unknown.
    if (causes.size() == 1) ruling.cause = first.cause;
    ruling.because += "; " + said(first);
    return ruling;
  }
  const auto agreeing = std::find_if(testimonies.begin(), testimonies.end(), [&](const auto* one) {
    return fits(ruling.cause, one->cause);
  });
  if (agreeing != testimonies.end()) {
    ruling.because += "; " + said(**agreeing);
    return ruling;
  }
  // A session that said why it ended need not have shared the fate of the server.
  if (first.backend_pid != 0 || is_fate_of_server(ruling.cause)) {
    ruling.because += "; but " + said(first);
    ruling.cause = Cause::kUnknown;
  }
  return ruling;
}

}  // namespace pgconn::probes
