#include "config/schema.h"

#include <algorithm>

#include "config/sections.h"
#include "config/text_rules.h"
#include "text/ascii.h"

namespace pgconn::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Capitals only: a password written here by mistake is refused at once, and so not shown by a later
// message about a variable of that name.
bool is_variable_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && !text::is_digit(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return text::is_capital(c) || text::is_digit(c) || c == '_'; });
}

constexpr TextRule kPasswordFile = {"an absolute path on one line, such as `/run/secrets/pgconn`",
                                    is_absolute_path};
constexpr TextRule kFilePath = {
    "an absolute path on one line, such as `/etc/pgconn_exporter/client.crt`", is_absolute_path};
// `server` is the name for what the target's server shows.
constexpr TextRule kFileName = {
    "1 to 100 characters of `[A-Za-z0-9_.:-]`, other than `server`",
    [](std::string_view text) { return is_name(text) && text != "server"; }};
constexpr TextRule kPasswordEnv = {
    "the name of an environment variable, `[A-Z_][A-Z0-9_]*`, such as `PGCONN_PASSWORD`",
    is_variable_name};

Field<Target> kind_field() {
  return {.key = "kind",
          .type = "text",
          .allowed = "`postgres`",
          .default_text = "postgres",
          .help = "What answers at the other end.",
          .read = [](const Value& value, ReadContext& context, Target& target) {
            const auto kind = read_text(value, "postgres", context.problems);
            if (!kind) return;
            target.kind = Kind::kPostgres;
            if (*kind != "postgres") {
              context.problems.add(value.node.line, value.path,
                                   unknown_name("kind of target", *kind, {"postgres"}));
            }
          }};
}

Field<Target> dsn_field() {
  const std::string allowed = "a libpq connection string without a password";
  return {.key = "dsn",
          .type = "text",
          .allowed = allowed,
          .default_text = "\"\"",
          .help =
              "Where the server is: `host=db.internal user=pgconn` or "
              "`postgresql://pgconn@db.internal/postgres`. What it leaves out comes from "
              "libpq's environment; if it is empty, everything does.",
          .read = [=](const Value& value, ReadContext& context, Target& target) {
            const auto dsn = read_text(value, allowed, context.problems);
            if (!dsn) return;
            const auto& check = context.vocabulary.check_dsn;
            if (const auto wrong = check && !dsn->empty() ? check(*dsn) : std::nullopt) {
              context.problems.add(value.node.line, value.path, *wrong);
            }
            target.dsn = *dsn;
          }};
}

Field<Target> password_command_field() {
  const std::string allowed = "a list of 1 to 100 texts: a program and its arguments";
  return {.key = "password_command",
          .type = "list of texts",
          .allowed = allowed,
          .default_text = "",
          .help =
              "A program that prints the password, such as a cloud's token of some minutes, on "
              "its first line. It runs without a shell, within `connect_timeout`, and finds the "
              "server in `PGHOST`, `PGPORT`, `PGUSER` and `PGDATABASE`.",
          .read = [=](const Value& value, ReadContext& context, Target& target) {
            if (!expect_list(value, allowed, context.problems)) return;
            const std::size_t count = value.node.children.size();
            if (count == 0 || count > 100) {
              context.problems.add(
                  value.node.line, value.path,
                  "has " + std::to_string(count) + " entries; allowed: " + allowed);
              return;
            }
            target.password_command.clear();
            for (std::size_t i = 0; i < count; ++i) {
              if (auto word = read_text(value.item(i), allowed, context.problems)) {
                target.password_command.push_back(*std::move(word));
              }
            }
          }};
}

Field<Target> labels_field() {
  return {.key = "labels",
          .type = "mapping",
          .allowed = std::string(kLabelsAllowed),
          .default_text = "{}",
          .help =
              "Labels on every series of this target. A name that the metrics use themselves is "
              "refused.",
          .read = [](const Value& value, ReadContext& context, Target& target) {
            read_labels(value, context, target.labels);
          }};
}

Field<Target> target_collectors_field() {
  return {.key = "collectors",
          .type = "mapping",
          .allowed = "as the section `collectors`",
          .default_text = "",
          .help = "Changes to the file's `collectors` for this target alone.",
          .read = [](const Value& value, ReadContext& context, Target& target) {
            read_collectors(value, context, target.collectors);
          }};
}

Field<Target> target_probes_field() {
  return {.key = "probes",
          .type = "mapping",
          .allowed = "as the section `probes`",
          .default_text = "",
          .help = "Changes to the file's `probes` for this target alone.",
          .read = [](const Value& value, ReadContext& context, Target& target) {
            read_probes(value, context, target.probes);
          }};
}

Field<Target> target_files_field() {
  return {
      .key = "files",
      .type = "list of mappings",
      .allowed = std::string(kFilesAllowed),
      .default_text = "",
      .help =
          "Added to the configuration file's `files`, for this target alone. An entry of the same "
          "name replaces the other.",
      .read = [](const Value& value, ReadContext& context, Target& target) {
        read_files(value, context, target.files);
      }};
}

Field<Target> server_log_field() {
  return {.key = "server_log",
          .type = "mapping",
          .allowed = "the keys of `server_log`",
          .default_text = "",
          .help =
              "The server's own log: who was killed, refused or lost, counted by event and used as "
              "evidence.",
          .read = [](const Value& value, ReadContext& context, Target& target) {
            read_server_log(value, context, target.server_log);
          }};
}

Field<Collectors> enabled_field(std::string_view collector) {
  return {.key = "enabled",
          .type = "boolean",
          .allowed = "true or false",
          .default_text = "true",
          .help = "Whether the collector runs.",
          .read = [name = std::string(collector)](const Value& value, ReadContext& context,
                                                  Collectors& collectors) {
            const auto enabled = read_boolean(value, "true or false", context.problems);
            if (enabled) collectors.enabled[name] = *enabled;
          }};
}

struct CollectorOptions {
  std::string_view name;
  std::vector<Field<Collectors>> fields;
};

// To add an option: a member in config.h and a line here.
const std::vector<CollectorOptions>& collector_options() {
  static const std::vector<Field<SessionsCollector>> sessions = {
      ascending("ages", &SessionsCollector::ages,
                DurationRange{seconds(1), days(30), false, seconds(1)}, 20,
                "The steps of `pgconn_sessions_over_age`."),
      integer("by_client", &SessionsCollector::by_client, {0, 1000},
              "How many client addresses `pgconn_sessions_by_client` shows; 0 switches it off."),
  };
  static const std::vector<Field<BlockingCollector>> blocking = {
      integer("traced", &BlockingCollector::traced, {1, 10000},
              "For how many sessions that wait for a lock the blockers are looked up, the longest "
              "waiting first. Each costs the server a lock on its whole lock table."),
  };
  static const std::vector<Field<SettingsCollector>> settings = {
      duration("keepalive_budget", &SettingsCollector::keepalive_budget,
               {seconds(1), days(7), false, seconds(1)},
               "How long a dead peer may hold its slot (keepalive idle + interval × count) before "
               "it becomes a finding."),
  };
  static const std::vector<CollectorOptions> options = {
      {"sessions", within<Collectors, SessionsCollector>(&Collectors::sessions, sessions)},
      {"blocking", within<Collectors, BlockingCollector>(&Collectors::blocking, blocking)},
      {"settings", within<Collectors, SettingsCollector>(&Collectors::settings, settings)},
  };
  return options;
}

}  // namespace

std::span<const Field<Config>> file_fields() {
  static const std::vector<Field<Config>> fields = {
      {.key = "global",
       .type = "mapping",
       .allowed = "the keys below",
       .default_text = "",
       .help = "Deadlines and limits for every target.",
       .read = [](const Value& value, ReadContext& context,
                  Config& config) { read_global(value, context, config.global); }},
      {.key = "collectors",
       .type = "mapping",
       .allowed = "names of collectors",
       .default_text = "",
       .help = "Which collectors run, and their options.",
       .read = [](const Value& value, ReadContext& context,
                  Config& config) { read_collectors(value, context, config.collectors); }},
      {.key = "probes",
       .type = "mapping",
       .allowed = "the keys below",
       .default_text = "",
       .help = "Which probes run, how often, and their options.",
       .read = [](const Value& value, ReadContext& context,
                  Config& config) { read_probes(value, context, config.probes); }},
      {.key = "files",
       .type = "list of mappings",
       .allowed = std::string(kFilesAllowed),
       .default_text = "[]",
       .help = "Certificates and revocation lists to watch besides what the servers show.",
       .read = [](const Value& value, ReadContext& context,
                  Config& config) { read_files(value, context, config.files); }},
      {.key = "targets",
       .type = "list of mappings",
       .allowed = std::string(kTargetsAllowed),
       .default_text = "",
       .help = "The servers to watch. Required unless there are `target_files` or "
               "`auth_modules`.",
       .read = read_targets},
      {.key = "target_files",
       .type = "list of mappings",
       .allowed = std::string(kTargetFilesAllowed),
       .default_text = "[]",
       .help = "Files with more targets, which may come and go: they are read again when they "
               "change.",
       .read = read_target_files},
      {.key = "auth_modules",
       .type = "mapping",
       .allowed = std::string(kAuthModulesAllowed),
       .default_text = "{}",
       .help = "How `/probe` logs in to servers that its requests name, and to which of them.",
       .read = read_auth_modules},
  };
  return fields;
}

std::span<const Field<Global>> global_fields() {
  static const std::vector<Field<Global>> fields = {
      duration("scrape_timeout", &Global::scrape_timeout, {milliseconds(100), minutes(10)},
               "The longest a scrape may take; lowered by the timeout that Prometheus sends with "
               "the scrape."),
      duration("scrape_timeout_offset", &Global::scrape_timeout_offset,
               {milliseconds(1), minutes(1), true},
               "Subtracted from Prometheus's timeout, so that the answer arrives before it gives "
               "up. Below `scrape_timeout`."),
      duration("statement_timeout", &Global::statement_timeout, {milliseconds(10), hours(1), true},
               "`statement_timeout` of our own sessions; 0 keeps the server's."),
      duration("lock_timeout", &Global::lock_timeout, {milliseconds(10), hours(1), true},
               "`lock_timeout` of our own sessions; 0 keeps the server's."),
      duration("connect_timeout", &Global::connect_timeout, {milliseconds(100), minutes(5)},
               "The longest that name resolution, connecting, TLS and login may take together."),
      integer(
          "max_connections_per_target", &Global::max_connections_per_target, {2, 300},
          "The most connections that the exporter opens to one server, including those of probes."),
      integer("max_series_per_metric", &Global::max_series_per_metric, {0, 100'000},
              "How many series, the largest, a metric with open-ended labels keeps; the rest are "
              "summed into `other`. 0 is no limit."),
  };
  return fields;
}

std::span<const Field<Target>> target_fields() {
  static const std::vector<Field<Target>> fields = [] {
    std::vector<Field<Target>> own = {
        text("name", &Target::name, kTargetName,
             "The label `target` of its series. Unique in the file."),
        kind_field(),
        dsn_field(),
        text("password_file", &Target::password_file, kPasswordFile,
             "A file whose first line is the password; read at each connect."),
        text(
            "password_env", &Target::password_env, kPasswordEnv,
            "The environment variable that holds the password. Not together with `password_file`."),
        password_command_field(),
        duration("password_lifetime", &Target::password_lifetime, {seconds(1), days(1), true},
                 "How long the answer of `password_command` is used for new connections; 0 asks it "
                 "at each. After a login that was refused it is asked again in any case."),
        labels_field(),
        duration("path_idle_limit", &Target::path_idle_limit,
                 {seconds(1), days(30), false, seconds(1)},
                 "How long the network path (NAT, firewall, balancer) is known to keep an idle "
                 "connection. Keepalives that come later become findings."),
        target_collectors_field(),
        target_probes_field(),
        target_files_field(),
        server_log_field(),
        boolean("host", &Target::host,
                "The server runs on this machine: its sockets, memory, OOM kills and kernel "
                "settings are looked at. Where that cannot be proven, nothing is reported."),
    };
    own.front().required = true;
    return own;
  }();
  return fields;
}

std::span<const Field<WatchedFile>> file_entry_fields() {
  static const std::vector<Field<WatchedFile>> fields = [] {
    std::vector<Field<WatchedFile>> all = {
        text("name", &WatchedFile::name, kFileName, "The label `source` of its series."),
        text("path", &WatchedFile::path, kFilePath,
             "A file in PEM, up to 1 MiB, on a local disk. Private keys in it are skipped."),
    };
    for (Field<WatchedFile>& field : all) field.required = true;
    return all;
  }();
  return fields;
}

std::vector<Field<Collectors>> collector_fields(std::string_view name) {
  std::vector<Field<Collectors>> fields = {enabled_field(name)};
  for (const CollectorOptions& options : collector_options()) {
    if (options.name == name) {
      fields.insert(fields.end(), options.fields.begin(), options.fields.end());
    }
  }
  return fields;
}

std::vector<std::string_view> configurable_collectors() {
  std::vector<std::string_view> names;
  for (const CollectorOptions& options : collector_options()) names.push_back(options.name);
  return names;
}

}  // namespace pgconn::config
