#include "exporter/targets/target_log.h"

#include <algorithm>

#include "exporter/log/log.h"
#include "postgres/reason_name.h"
#include "postgres/sqlstate.h"

namespace pgconn::exporter {
namespace {

using Clock = Outage::Clock;
using postgres::PgError;

std::string seconds(Clock::duration duration) {
  return std::to_string(std::chrono::duration<double>(duration).count());
}

std::string way(const PgError& error) {
  return std::string(reason_name(error)) + std::string(postgres::sqlstate_label(error.sqlstate()));
}

// A held connection was lost during the query: the incident's line reports it.
bool is_loss(probes::ProbeKind probe, const PgError& error) {
  const bool holds = probe == probes::ProbeKind::kRoundtrip || probe == probes::ProbeKind::kIdle ||
                     probe == probes::ProbeKind::kLongquery;
  return holds && error.fatal() && error.phase() == postgres::Phase::kQuery;
}

}  // namespace

// One line when it begins to fail or fails differently; while it lasts, one every few minutes.
void TargetLog::failed(Outage& outage, std::string_view what, const std::string& probe,
                       const PgError& error) {
  const Clock::time_point now = Clock::now();
  const Outage::News news = outage.failed(way(error), now);
  if (news == Outage::News::kNone) return;
  const bool still = news == Outage::News::kStillFailing;
  log::write(log::Level::kWarn, what,
             {{"target", target_},
              {"probe", probe},
              {"address", address_},
              {"phase", std::string(to_string(error.phase()))},
              {"reason", std::string(reason_name(error))},
              {"sqlstate", error.sqlstate()},
              {"error", error.what()},
              {"failures", still ? std::to_string(outage.attempts()) : ""},
              {"for_seconds", still ? seconds(outage.lasted(now)) : ""},
              {"do", std::string(postgres::advice(error))}});
}

void TargetLog::collected() {
  session_losses_.succeeded(Clock::now());
  const bool over = collecting_.succeeded(Clock::now()) == Outage::News::kOver;
  if (!over && seen_up_) return;
  seen_up_ = true;
  log::write(log::Level::kInfo, "target is up", {{"target", target_}});
}

void TargetLog::not_collected(const PgError& error) {
  failed(collecting_, "target cannot be collected", "", error);
}

void TargetLog::session_lost(const PgError& error) {
  const Outage::News news = session_losses_.failed(way(error), Clock::now());
  if (news == Outage::News::kNone) return;
  log::write(log::Level::kInfo, "held session was lost, connecting again",
             {{"target", target_},
              {"reason", std::string(reason_name(error))},
              {"sqlstate", error.sqlstate()},
              {"error", error.what()}});
}

void TargetLog::session_renewed(const PgError* error) {
  const Clock::time_point now = Clock::now();
  const Outage::News news =
      error != nullptr ? renewals_.failed(way(*error), now) : renewals_.succeeded(now);
  if (news == Outage::News::kNone) return;
  if (error == nullptr) {
    log::write(log::Level::kInfo, "held session was renewed", {{"target", target_}});
    return;
  }
  log::write(log::Level::kInfo, "no new session after the server's reload, the held one stays",
             {{"target", target_},
              {"reason", std::string(reason_name(*error))},
              {"sqlstate", error->sqlstate()},
              {"error", error->what()}});
}

void TargetLog::password_exposed() const {
  log::write(log::Level::kWarn, "password may go to whoever answers",
             {{"target", target_},
              {"address", address_},
              {"why", "the dsn verifies neither the server's certificate nor the way to log in"},
              {"do",
               "set sslmode=verify-full and sslrootcert, or channel_binding=require; see "
               "`pgconn_exporter list findings`"}});
}

void TargetLog::warned_at_login(const std::vector<std::string>& warnings) {
  std::set<std::string> now;
  for (const std::string& warning : warnings) {
    // The detail changes from hour to hour: "will expire in 23 hours".
    const std::string message = warning.substr(0, warning.find(": "));
    if (!login_warnings_.contains(message)) {
      log::write(
          log::Level::kWarn, "the server warned us at the login",
          {{"target", target_},
           {"address", address_},
           {"warning", warning},
           {"do", "fix what it says; a password needs a later VALID UNTIL, or a new value"}});
    }
    now.insert(message);
  }
  login_warnings_ = std::move(now);
}

void TargetLog::internal_error(std::string_view what, std::string_view error) const {
  log::write(log::Level::kError, "something of the exporter's own failed",
             {{"target", target_},
              {"what", std::string(what)},
              {"error", std::string(error)},
              {"do", "it is tried again; please report this line"}});
}

void TargetLog::restarted(const std::string& kind) {
  log::write(log::Level::kWarn, "server was restarted", {{"target", target_}, {"kind", kind}});
}

void TargetLog::moved(const std::string& from, const std::string& to) {
  log::write(log::Level::kWarn, "another server answers",
             {{"target", target_}, {"before", from}, {"now", to}});
}

void TargetLog::reports(const std::vector<CollectorReport>& reports, const std::string& role) {
  std::map<std::string, std::string> news;  // names, by what is said about them
  for (const CollectorReport& report : reports) {
    std::string& told = told_[report.name];
    if (report.outcome == Outcome::kSuccess) {
      told.clear();
    } else if (!report.message.empty() && told != report.message) {
      told = report.message;
      std::string& names = news[report.message];
      names += (names.empty() ? "" : ",") + report.name;
    }
  }
  for (const auto& [message, names] : news) {
    log::write(log::Level::kWarn, "collectors did not run",
               {{"target", target_}, {"collectors", names}, {"role", role}, {"error", message}});
  }
}

void TargetLog::probed(probes::ProbeKind probe, const PgError* error) {
  const std::string name(to_string(probe));
  Outage& outage = probing_[probe];
  if (error == nullptr) {
    const bool over = outage.succeeded(Clock::now()) == Outage::News::kOver;
    if (!over) return;
    log::write(log::Level::kInfo, "probe succeeds again", {{"target", target_}, {"probe", name}});
  } else if (!is_loss(probe, *error)) {
    failed(outage, "probe fails", name, *error);
  }
}

void TargetLog::lost(const probes::Incident& incident) {
  const probes::Drop& first = incident.drops.front();
  // A long query that dropped as well is not among those held: it cannot be queried.
  const std::size_t held =
      std::max(static_cast<std::size_t>(incident.held_before), incident.drops.size());
  log::write(log::Level::kWarn, "connections were lost",
             {{"target", incident.target},
              {"incident", std::to_string(incident.id)},
              {"cause", std::string(to_string(incident.verdict.cause))},
              {"scope", std::string(to_string(incident.verdict.scope))},
              {"drops", std::to_string(incident.drops.size())},
              {"held", std::to_string(held)},
              {"probe", std::string(to_string(first.probe))},
              {"phase", std::string(to_string(first.error.phase()))},
              {"reason", std::string(reason_name(first.error))},
              {"sqlstate", first.error.sqlstate()},
              {"silent_seconds", seconds(first.silent_for)},
              {"age_seconds", seconds(first.at - first.dialed)},
              {"span_seconds", seconds(incident.last - incident.first)},
              {"because", incident.verdict.because},
              {"error", first.error.what()}});
}

void TargetLog::went_on(const probes::Incident& incident) {
  log::write(log::Level::kWarn, "connections went on being lost",
             {{"target", incident.target},
              {"incident", std::to_string(incident.id)},
              {"cause", std::string(to_string(incident.verdict.cause))},
              {"drops", std::to_string(incident.in_all())},
              {"span_seconds", seconds(incident.last - incident.first)}});
}

}  // namespace pgconn::exporter
