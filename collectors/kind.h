// What sets one kind of target apart from another: which questions it understands and what its
// answers mean. Constants that live as long as the process; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "collectors/server_facts.h"
#include "postgres/error.h"
#include "postgres/peer.h"

namespace pgconn::collectors {

struct TargetKind {
  std::string_view name;  // label value of pgconn_target_info: "postgres"
  // What it is called, which versions are taken, how it is asked and whether its sessions are set
  // up.
  postgres::Peer peer;
  // In the order they are run and listed.
  std::span<const Collector* const> collectors;
  // Asked in every scrape, whatever is wanted: what the server is and what we may see there.
  // Unless this is answered as a server of this kind would, nothing else is believed and the target
  // is down.
  const Reading& server;
  // Asked whatever is wanted as well; `facts` can do without them.
  std::span<const Reading* const> further;
  // What the answers tell about the server; nullopt if there are no rows of `server`. Pure. Throws
  // std::exception if they are not what this kind answers.
  std::optional<ServerFacts> (*facts)(const Readings& readings, const Options& options) = nullptr;
  // What an error of `server` means where that is more than it says. Pure. Null: no more.
  postgres::PgError (*explained)(const postgres::PgError& error) = nullptr;
  // SQL that gives a role the right a collector lacks, up to the role's name. Empty: there is none.
  std::string_view grant;
};

// All kinds there are.
std::span<const TargetKind* const> kinds();

const TargetKind& postgres_kind();

// The collectors of all kinds, kind by kind.
std::vector<const Collector*> all_collectors();

}  // namespace pgconn::collectors
