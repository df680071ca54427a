// The answers that a session need not read again: those of readings that change only with the
// server's configuration (Refresh::kEachConfiguration). The owner of the session holds one beside
// it and drops both together. Not synchronized: one thread.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "collectors/collector.h"
#include "collectors/server_facts.h"

namespace pgconn::collectors {

class KeptAnswers {
 public:
  // Those of `readings` that must be sent now: they have no kept answer, or the server has reloaded
  // its configuration since. Readings of each scrape, and those our role may not send, are not
  // among them. `facts` are of this scrape.
  std::vector<const Reading*> to_ask(std::span<const Reading* const> readings,
                                     const ServerFacts& facts);

  // Keeps the rows of a reading that may be kept. An error is not kept, so that the reading is sent
  // again, unless it is sent only once.
  void keep(const Reading& reading, const postgres::Answer& answer);

  // Adds the kept ones of `wanted` to the answers of a scrape.
  void add_to(std::span<const Reading* const> wanted, Readings& readings) const;

 private:
  double config_load_time_ = 0;
  std::map<const Reading*, postgres::Rows> answers_;
};

}  // namespace pgconn::collectors
