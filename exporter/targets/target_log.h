// The log lines about one target: one when a state begins, changes or ends, and a summary now and
// then while it fails; never one for each scrape or probe. I/O thread only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/targets/collection.h"
#include "exporter/targets/outage.h"
#include "postgres/error.h"
#include "probes/drops/drop.h"
#include "probes/drops/incidents.h"

namespace pgconn::exporter {

class TargetLog {
 public:
  explicit TargetLog(std::string target) : target_(std::move(target)) {}
  // The server's address as people know it.
  void set_address(std::string address) { address_ = std::move(address); }

  // Our login may give away its password, see ConnInfo::trusts_whoever_answers().
  void password_exposed() const;
  // The server's warnings at login; new ones are logged.
  void warned_at_login(const std::vector<std::string>& warnings);
  void collected();
  void not_collected(const postgres::PgError& error);
  // A session that was held between two scrapes was lost; the scrape goes on with a new one.
  void session_lost(const postgres::PgError& error);
  // After a reload of the server; an error: the scrapes go on with the held session.
  void session_renewed(const postgres::PgError* error);
  // One reason that stops several collectors is one line. `role` is our own role.
  void reports(const std::vector<CollectorReport>& reports, const std::string& role);
  void restarted(const std::string& kind);
  // The session now leads to another server. Both addresses are the servers' own, empty if not
  // known.
  void moved(const std::string& from, const std::string& to);
  void internal_error(std::string_view what, std::string_view error) const;

  // A run of a probe; nullptr: it succeeded.
  void probed(probes::ProbeKind probe, const postgres::PgError* error);
  // With the evidence that decided.
  static void lost(const probes::Incident& incident);
  // The final number of drops of an incident that was logged before its last one.
  static void went_on(const probes::Incident& incident);

 private:
  void failed(Outage& outage, std::string_view what, const std::string& probe,
              const postgres::PgError& error);

  std::string target_, address_;
  bool seen_up_ = false;
  Outage collecting_, session_losses_, renewals_;
  std::map<probes::ProbeKind, Outage> probing_;
  std::map<std::string, std::string> told_;  // the last line about each collector
  std::set<std::string> login_warnings_;     // of the latest login, without their details
};

}  // namespace pgconn::exporter
