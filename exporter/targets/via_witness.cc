#include "exporter/targets/via_witness.h"

#include <algorithm>

namespace pgconn::exporter {
namespace {

using probes::Beside;
using probes::Clock;

// Losses within this time of each other are of one event.
constexpr std::chrono::seconds kTogether(5);
constexpr std::chrono::milliseconds kBetweenLooks(25);

}  // namespace

std::pair<std::string, std::string> ViaWitness::sides() const {
  if (own_.kind == config::Kind::kPgbouncer) return {own_.name, own_.via};
  const auto pooler = find_(own_.via);
  return {own_.via, pooler ? pooler->config.via : ""};
}

Beside ViaWitness::did(const std::string& name, Clock::time_point since) const {
  if (name == own_.name) return Beside::kFell;
  const auto neighbour = name.empty() ? std::nullopt : find_(name);
  if (!neighbour) return Beside::kUnknown;
  if (neighbour->prober.fell_since(since - kTogether)) return Beside::kFell;
  return neighbour->prober.answered_since(since) ? Beside::kAnswered : Beside::kUnknown;
}

bool ViaWitness::is_settled(const std::string& name, Clock::time_point asked) const {
  if (name.empty() || name == own_.name) return true;
  const auto neighbour = find_(name);
  return !neighbour || !neighbour->prober.holds_any() || did(name, asked) != Beside::kUnknown;
}

asio::awaitable<void> ViaWitness::look(Clock::time_point deadline) {
  const Clock::time_point asked = time_.now();
  const auto [pooler, server] = sides();
  for (const std::string* name : {&pooler, &server}) {
    if (name->empty() || *name == own_.name) continue;
    if (const auto neighbour = find_(*name)) neighbour->prober.ask_awake();
  }
  while (time_.now() < deadline && !(is_settled(pooler, asked) && is_settled(server, asked))) {
    co_await time_.sleep_until(std::min<Clock::time_point>(deadline, time_.now() + kBetweenLooks));
  }
}

void ViaWitness::add_to(probes::Evidence& evidence, const probes::Incident& incident) const {
  auto [pooler, server] = sides();
  probes::PoolerSides sides;
  sides.pooler_did = did(pooler, incident.first);
  sides.server_did = did(server, incident.first);
  sides.pooler = std::move(pooler);
  sides.server = std::move(server);
  evidence.sides = std::move(sides);
}

}  // namespace pgconn::exporter
