// Connecting: resolve, then libpq's own asynchronous connect, its phases told apart by PQstatus.
#include "postgres/connection.h"

#include <algorithm>

#include "postgres/backoff.h"
#include "postgres/blocking_files.h"
#include "postgres/connect_plan.h"
#include "postgres/libpq_connection.h"
#include "postgres/wire.h"
#include "text/ascii.h"

namespace pgconn::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// Reads the phase off PQstatus, which goes STARTED → MADE (TCP up) → SSL_STARTUP → MADE again (TLS
// up) → AWAITING_RESPONSE → OK, and starts over when libpq goes on to another address.
class PhaseClock {
 public:
  PhaseClock(ConnectTimings& timings, bool tls) : timings_(timings), tls_(tls) {}

  void observe(ConnStatusType status) {
    switch (status) {
      case CONNECTION_NEEDED:
      case CONNECTION_STARTED:
        if (phase_ != Phase::kTcp) restart();
        break;
      case CONNECTION_MADE:
        if (phase_ == Phase::kTcp) finish(timings_.tcp, tls_ ? Phase::kTls : Phase::kStartup);
        if (in_handshake_) finish(timings_.tls, Phase::kStartup);
        in_handshake_ = false;
        break;
      case CONNECTION_SSL_STARTUP:
        if (phase_ == Phase::kTcp) finish(timings_.tcp, Phase::kTls);
        in_handshake_ = true;
        break;
      case CONNECTION_BAD:
        break;
      default:
        if (phase_ == Phase::kTcp) finish(timings_.tcp, Phase::kStartup);
        if (phase_ == Phase::kTls) {
          if (in_handshake_) {
            finish(timings_.tls, Phase::kStartup);
          } else {
            phase_ = Phase::kStartup;  // no TLS on a Unix socket, whatever sslmode says
          }
        }
        in_handshake_ = false;
        if (status == CONNECTION_OK) finish(timings_.startup, Phase::kIdle);
    }
  }

  Phase phase() const { return phase_; }

 private:
  void finish(std::optional<ConnectTimings::Duration>& slot, Phase next) {
    const Clock::time_point now = Clock::now();
    slot = now - since_;
    since_ = now;
    phase_ = next;
  }
  void restart() {
    timings_.tcp = timings_.tls = timings_.startup = std::nullopt;
    since_ = Clock::now();
    phase_ = Phase::kTcp;
    in_handshake_ = false;
  }

  ConnectTimings& timings_;
  bool tls_;
  bool in_handshake_ = false;
  Phase phase_ = Phase::kTcp;
  Clock::time_point since_ = Clock::now();
};

bool needs_lookup(const Endpoint& endpoint) {
  return !endpoint.is_unix_socket() && endpoint.hostaddr.empty();
}

// Every endpoint with every address of its name, in order: libpq then tries them as it would have
// after its own (blocking) lookup. A name that fails does not affect the others, and one that
// hangs leaves time for them.
asio::awaitable<std::vector<Endpoint>> resolve_all(Resolver& resolver,
                                                   const std::vector<Endpoint>& endpoints,
                                                   Deadline deadline) {
  std::vector<std::shared_ptr<Resolver::Pending>> lookups;
  for (const Endpoint& endpoint : endpoints) {
    lookups.push_back(needs_lookup(endpoint) ? resolver.begin(endpoint.host, deadline) : nullptr);
  }
  auto left = std::count_if(endpoints.begin(), endpoints.end(), needs_lookup);
  std::vector<Endpoint> resolved;
  std::optional<PgError> failure;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const Endpoint& endpoint = endpoints[i];
    if (!lookups[i]) {
      resolved.push_back(endpoint);
      continue;
    }
    --left;
    const Clock::time_point now = Clock::now();
    const bool alone = resolved.empty() && i + 1 == endpoints.size();
    // One share for each lookup, this one included, and one for connecting.
    const Deadline end = alone ? deadline : now + (deadline - now) / (left + 2);
    try {
      auto addresses = co_await resolver.wait(lookups[i], end);
      for (std::string& address : addresses) {
        resolved.push_back({endpoint.host, std::move(address), endpoint.port});
      }
    } catch (const PgError& error) {
      if (error.reason() == Reason::kStopped) throw;
      failure = error;
    }
  }
  if (resolved.empty() && failure) throw *failure;
  co_return resolved;
}

// Whether the connection's `options` (`-c name=value`, `--name=value`) set this: PGOPTIONS, a
// service file or the connection string may have brought them.
bool is_set_by_options(PGconn* connection, std::string_view name) {
  const char* raw = PQoptions(connection);
  std::string options = text::lowered(raw != nullptr ? raw : "");
  std::ranges::replace(options, '-', '_');
  // `-c name` and `-cname` and `--name`, but no longer name that ends so.
  for (const char* before : {" ", "_c", "__", "\t"}) {
    if (options.find(before + std::string(name) + "=") != std::string::npos) return true;
  }
  return false;
}

std::string milliseconds(std::chrono::milliseconds value) { return std::to_string(value.count()); }

std::string setup_statement(const ConnectOptions& options, PGconn* connection) {
  // Keeps objects of the same name from shadowing the catalog's.
  std::string sql = "SELECT set_config('search_path', 'pg_catalog', false)";
  // Values from the connection's options are kept: the server then reports that they are the
  // client's, which a SET would hide.
  const auto set = [&sql, connection](std::string_view name, const std::string& value) {
    if (is_set_by_options(connection, name)) return;
    sql += ", set_config('" + std::string(name) + "', '" + value + "', false)";
  };
  if (options.statement_timeout.count() > 0) {
    set("statement_timeout", milliseconds(options.statement_timeout));
  }
  if (options.lock_timeout.count() > 0) set("lock_timeout", milliseconds(options.lock_timeout));
  if (options.outlive_idle_session_timeout && PQserverVersion(connection) >= 140000) {
    set("idle_session_timeout", "0");
  }
  // A database without an encoding cannot convert: asked for UTF-8, it would fail a whole query
  // because of one invalid byte. So take the bytes as they are.
  const char* encoding = PQparameterStatus(connection, "server_encoding");
  if (encoding != nullptr && std::string_view(encoding) == "SQL_ASCII") {
    set("client_encoding", "SQL_ASCII");
  }
  // A pooler makes up the process number that it gives its clients.
  return sql + " WHERE pg_backend_pid() = " + std::to_string(PQbackendPID(connection));
}

PgError timed_out(Phase phase) {
  return PgError(phase, Reason::kTimeout, "",
                 "no answer in time while connecting (phase " + std::string(to_string(phase)) + ")",
                 true);
}

// A peer chooses how many iterations SCRAM has, and libpq cannot be interrupted.
PgError computes(Phase phase) {
  return PgError(phase, Reason::kTimeout, "",
                 "a login to this server is still computing past its deadline (scram_iterations?); "
                 "no other is begun until it has ended",
                 true);
}

// A pooler reports its server's version too.
void require_supported(PGconn* connection, const Peer& peer) {
  if (PQserverVersion(connection) >= peer.oldest_version) return;
  const char* const told = PQparameterStatus(connection, "server_version");
  const std::string version = told == nullptr ? "" : one_line(std::string_view(told).substr(0, 40));
  const std::string product(peer.product), oldest = version_name(peer.oldest_version);
  throw PgError(
      Phase::kStartup, Reason::kUnsupportedVersion, "",
      version.empty()
          ? "the server does not report its version; " + product + " " + oldest + " is needed"
          : product + " \"" + version + "\" is not supported; needs " + oldest,
      true);
}

// What endpoints have told libpq so far: it forgets that once one accepts us.
class TurnedAway {
 public:
  // Adds to what earlier attempts were told.
  explicit TurnedAway(std::vector<EndpointError>* all)
      : all_(all), before_(all == nullptr ? 0 : all->size()) {}

  void note(const Wire& wire) {
    const std::string_view said = PQerrorMessage(wire.raw());
    if (all_ == nullptr || said.empty()) return;
    all_->erase(all_->begin() + static_cast<std::ptrdiff_t>(before_), all_->end());
    for (EndpointError& error : endpoint_errors(said)) all_->push_back(std::move(error));
  }

 private:
  std::vector<EndpointError>* all_;
  std::size_t before_;
};

// One attempt of libpq's over the endpoints of the plan. False when the current one has used up its
// turn.
asio::awaitable<bool> attempt(Wire& wire, ConnectPlan& plan, PhaseClock& phases,
                              TurnedAway turned_away, GivenUp given_up) {
  plan.begin(Clock::now());
  PostgresPollingStatusType want = wire.bad() ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (want != PGRES_POLLING_OK) {
    PGconn* const raw = wire.raw();
    phases.observe(PQstatus(raw));
    turned_away.note(wire);
    if (want == PGRES_POLLING_FAILED) throw connect_error(wire.message(), phases.phase());
    plan.is_at(text_of(PQhost(raw)), text_of(PQhostaddr(raw)), text_of(PQport(raw)), Clock::now());
    if (phases.phase() != Phase::kTcp) plan.is_up(Clock::now());
    const auto what = want == PGRES_POLLING_READING ? Wire::kRead : Wire::kWrite;
    const bool ready = co_await wire.wait_once(what, plan.turn_ends());
    if (!ready) co_return false;
    const auto polled = co_await wire.poll(given_up, plan.turn_ends());
    if (!polled) co_return false;
    want = *polled;
    wire.check_received(phases.phase());
  }
  phases.observe(PQstatus(wire.raw()));
  co_return true;
}

}  // namespace

asio::awaitable<std::unique_ptr<Connection>> Connection::connect(asio::any_io_executor executor,
                                                                 Resolver& resolver,
                                                                 const ConnInfo& conninfo,
                                                                 const ConnectOptions& options,
                                                                 Deadline deadline) {
  refuse_blocking_files(conninfo);
  const Clock::time_point begin = Clock::now();
  const GivenUp given_up =
      options.given_up ? options.given_up : std::make_shared<std::atomic<int>>(0);
  if (*given_up > 0) throw computes(Phase::kStartup);
  auto endpoints = co_await resolve_all(resolver, conninfo.endpoints(), deadline);
  const Clock::time_point resolved = Clock::now();
  if (conninfo.shuffles()) shuffle(endpoints, dice);
  const bool prefers_standby = conninfo.value("target_session_attrs") == "prefer-standby";
  ConnectPlan plan(std::move(endpoints), prefers_standby, deadline);
  for (;;) {
    const auto wire = std::make_shared<Wire>(executor);
    PhaseClock phases(wire->timings, conninfo.wants_tls());
    auto parameters =
        conninfo.parameters(plan.endpoints(), std::string(kApplicationPrefix) + options.purpose);
    if (!options.keepalives) parameters.emplace_back("keepalives", "0");
    wire->start(parameters);
    const TurnedAway turned_away(options.turned_away);
    const bool connected = co_await attempt(*wire, plan, phases, turned_away, given_up);
    if (!connected) {
      wire->close();
      if (wire->given_up) throw computes(phases.phase());
      if (!plan.leave_out()) throw timed_out(phases.phase());
      continue;
    }
    const auto& all = conninfo.endpoints();
    if (std::any_of(all.begin(), all.end(), needs_lookup)) {
      wire->timings.resolve = resolved - begin;
    }
    wire->timings.total = Clock::now() - begin;
    require_supported(wire->raw(), options.peer);
    wire->established();
    wire->protocol = options.peer.protocol;
    if (options.peer.takes_setup) wire->setup_sql = setup_statement(options, wire->raw());
    co_return std::make_unique<LibpqConnection>(wire);
  }
}

}  // namespace pgconn::postgres
