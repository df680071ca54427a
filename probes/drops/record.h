// What is known about an incident, each piece with its time and its source, for the record beside
// the verdict. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "probes/drops/attribution.h"
#include "probes/drops/incidents.h"

namespace pgconn::probes {

// In the order of their times: how our own connections ended (source `socket`, or `server` and
// `pooler` where that side said why, by its SQLSTATE), and what the witnesses say (`server_log`,
// `host`). Our own words only.
std::vector<Testimony> record_of(const Incident& incident, const Evidence& evidence);

// The same on one line: "12:00:01.123 server_log: it was terminated …; 12:00:01.150 server: 57P01".
// Times are UTC. At most 20 pieces; how many more there are is said.
std::string to_string(const std::vector<Testimony>& record);

}  // namespace pgconn::probes
