// What the log is told of one target: each state when it begins, changes and ends, and a summary
// now and then while it fails; never a line for each scrape or probe. I/O thread only.
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
  // As people know the server.
  void set_address(std::string address) { address_ = std::move(address); }

  // Our login may give its password away, see ConnInfo::trusts_whoever_answers().
  void password_exposed() const;
  // What the server warned of when we logged in; told when it is new.
  void warned_at_login(const std::vector<std::string>& warnings);
  void collected();
  void not_collected(const postgres::PgError& error);
  // A session that was held between two scrapes was lost; the scrape goes on with a new one.
  void session_lost(const postgres::PgError& error);
  // After a reload of the server; an error: the scrapes go on with the held session.
  void session_renewed(const postgres::PgError* error);
  // What keeps several collectors from running is told in one line. `role` is who we are.
  void reports(const std::vector<CollectorReport>& reports, const std::string& role);
  void restarted(const std::string& kind);
  // To another server; each by its own address, empty if that is not known.
  void moved(const std::string& from, const std::string& to);
  void internal_error(std::string_view what, std::string_view error) const;

  // A run of a probe; nullptr: it succeeded.
  void probed(probes::ProbeKind probe, const postgres::PgError* error);
  // With the evidence that decided.
  static void lost(const probes::Incident& incident);
  // How many there were in the end, of one that was told before its last drop.
  static void went_on(const probes::Incident& incident);

 private:
  void failed(Outage& outage, std::string_view what, const std::string& probe,
              const postgres::PgError& error);

  std::string target_, address_;
  bool seen_up_ = false;
  Outage collecting_, session_losses_, renewals_;
  std::map<probes::ProbeKind, Outage> probing_;
  std::map<std::string, std::string> told_;  // last, of each collector
  std::set<std::string> login_warnings_;     // of the latest login, without their details
};

}  // namespace pgconn::exporter
