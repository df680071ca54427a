// The tables of what is read beside SQL: the server's log.

#include "config/schema.h"
#include "config/sections.h"
#include "config/text_rules.h"

namespace pgconn::config {
namespace {

constexpr DurationRange kLogInterval{std::chrono::seconds(1), std::chrono::minutes(10)};
constexpr std::size_t kMostPatterns = 20;
constexpr std::string_view kPatternsAllowed =
    "a list of 1 to 20 absolute paths, which may have `*`";
constexpr TextRule kPattern = {"an absolute path on one line, such as `/var/log/postgresql/*.log`",
                               is_absolute_path};
constexpr TextRule kStateFile = {
    "an absolute path on one line, such as `/var/lib/pgconn_exporter/orders.state`",
    is_absolute_path};
// What it must be is for the reader of logs to say.
constexpr TextRule kLinePrefix = {
    "the value of `log_line_prefix`, up to 1000 characters on one line", [](std::string_view text) {
      return text.size() <= 1000 &&
             text.find_first_of(std::string_view("\n\r\0", 3)) == std::string_view::npos;
    }};

// A list of texts that all obey one rule.
struct Texts {
  std::string_view allowed;  // the list
  const TextRule& rule;      // an entry
  std::vector<std::string>& to;
};

void read_texts(const Value& value, ReadContext& context, const Texts& texts) {
  texts.to = read_texts(value, texts.allowed, kMostPatterns, texts.rule, context.problems);
}

void read_patterns(const Value& value, ReadContext& context, ServerLog& server_log) {
  read_texts(value, context, {kPatternsAllowed, kPattern, server_log.files});
}

// A key whose values are words.
template <typename Word>
struct Choice {
  std::string_view key, allowed;
  Word ServerLog::* member;
  std::initializer_list<std::pair<std::string_view, Word>> words;
};

template <typename Word>
Field<ServerLog> choice(const Choice<Word>& of, std::string_view default_text,
                        std::string_view help) {
  const std::vector<std::pair<std::string_view, Word>> words(of.words);
  return {.key = std::string(of.key),
          .type = "text",
          .allowed = std::string(of.allowed),
          .default_text = std::string(default_text),
          .help = std::string(help),
          .read = [words, allowed = of.allowed, member = of.member](
                      const Value& value, ReadContext& context, ServerLog& server_log) {
            const auto text = read_text(value, allowed, context.problems);
            if (!text) return;
            const auto found =
                std::ranges::find(words, *text, [](const auto& word) { return word.first; });
            if (found != words.end()) {
              server_log.*member = found->second;
            } else {
              context.problems.add(value.node.line, value.path,
                                   "is not of the allowed form; allowed: " + std::string(allowed));
            }
          }};
}

std::vector<Field<ServerLog>> form_fields() {
  return {
      choice<LogOrigin>({"from",
                         "files, sql, stdin, journal",
                         &ServerLog::from,
                         {{"files", LogOrigin::kFiles},
                          {"sql", LogOrigin::kSql},
                          {"stdin", LogOrigin::kStdin},
                          {"journal", LogOrigin::kJournal}}},
                        "files",
                        "How the log is read: `files`, of this machine; `sql`, by queries, from a "
                        "server whose files cannot be mounted; `stdin`, from standard input; "
                        "`journal`, from systemd's, by journalctl."),
      {.key = "files",
       .type = "list of texts",
       .allowed = std::string(kPatternsAllowed),
       .default_text = "",
       .help = "The server's log files.",
       .read = [](const Value& value, ReadContext& context,
                  ServerLog& log) { read_patterns(value, context, log); }},
      choice<LogFormat>(
          {"format",
           "stderr, csvlog, jsonlog, cloudnativepg, pgbouncer",
           &ServerLog::format,
           {{"stderr", LogFormat::kStderr},
            {"csvlog", LogFormat::kCsv},
            {"jsonlog", LogFormat::kJson},
            {"cloudnativepg", LogFormat::kCloudNativePg},
            {"pgbouncer", LogFormat::kPgbouncer}}},
          "",
          "Of the lines. Unless given it follows from each file's name: `.csv`, "
          "`.json`, and any other is `stderr`, text with `line_prefix`. `pgbouncer`: it is the log "
          "of a PgBouncer, which has counters of its own."),
      boolean("container", &ServerLog::container,
              "Each line has a time, `stdout` or `stderr`, and `F` or `P` in front, as in a "
              "Kubernetes node's `/var/log/containers`."),
  };
}

// The section and the problems of its keys together.
struct KeyCheck {
  const Value& section;
  const ServerLog& log;
  Problems& problems;

  void refuse(std::string_view key, const std::string& why) const {
    const YamlNode* const given = section.node.find(key);
    if (given != nullptr) problems.add(given->line, section.child(*given).path, why);
  }
  void only_for(std::string_view key, std::string_view origin, bool is_it) const {
    if (is_it) return;
    refuse(key, "is only for `from: " + std::string(origin) + "`; allowed: leave it out");
  }
};

// Each origin has keys of its own.
void check_origin(const KeyCheck& check) {
  const LogOrigin from = check.log.from;
  const YamlNode& node = check.section.node;
  if (from == LogOrigin::kFiles && node.find("files") == nullptr) {
    check.problems.add(
        node.line, check.section.path,
        "`files` is missing; allowed: " + std::string(kPatternsAllowed) + ", or another `from`");
  }
  check.only_for("files", "files", from == LogOrigin::kFiles);
  check.only_for("interval", "sql", from == LogOrigin::kSql);
  check.only_for("units", "journal", from == LogOrigin::kJournal);
  check.only_for("directory", "journal", from == LogOrigin::kJournal);
  if (from == LogOrigin::kSql) {
    const std::string why = "is asked of the server with `from: sql`; allowed: leave it out";
    for (const char* key : {"line_prefix", "format", "container"}) check.refuse(key, why);
  }
  if (from == LogOrigin::kJournal) {
    for (const char* key : {"format", "container"}) {
      check.refuse(key, "is not for `from: journal`; allowed: leave it out");
    }
  }
  if (check.log.container &&
      (check.log.format == LogFormat::kCsv || check.log.format == LogFormat::kJson)) {
    check.refuse("format", "is in no container's log; allowed: stderr, cloudnativepg, pgbouncer");
  }
}

constexpr std::string_view kUnitsAllowed = "a list of 1 to 20 names such as `postgresql@17-main`";
constexpr TextRule kUnit = {kUnitsAllowed, [](std::string_view text) {
                              return !text.empty() && text.size() <= 255 &&
                                     text.find_first_of(std::string_view("\n\r\0", 3)) ==
                                         std::string_view::npos;
                            }};
constexpr TextRule kDirectory = {"an absolute path on one line, such as `/host/var/log/journal`",
                                 is_absolute_path};

}  // namespace

std::span<const Field<ServerLog>> server_log_fields() {
  static const std::vector<Field<ServerLog>> fields = [] {
    std::vector<Field<ServerLog>> all = form_fields();
    all.push_back({.key = "units",
                   .type = "list of texts",
                   .allowed = std::string(kUnitsAllowed),
                   .default_text = "",
                   .help = "With `from: journal`: whose messages are the server's.",
                   .read = [](const Value& value, ReadContext& context, ServerLog& log) {
                     read_texts(value, context, {kUnitsAllowed, kUnit, log.units});
                   }});
    all.push_back(text("directory", &ServerLog::directory, kDirectory,
                       "With `from: journal`: where the journal's files are, if they are not this "
                       "machine's own."));
    all.push_back(duration("interval", &ServerLog::interval, kLogInterval,
                           "With `from: sql`: how often the server is asked. An incident asks at "
                           "once."));
    all.push_back(text(
        "line_prefix", &ServerLog::line_prefix, kLinePrefix,
        "The server's `log_line_prefix`, in quotes. With `%e` in it every event is told by its "
        "SQLSTATE, in any language."));
    all.push_back(text(
        "state_file", &ServerLog::state_file, kStateFile,
        "Where the place in the log and the counts are kept, so that a restart of the exporter "
        "loses and doubles nothing. Of this target alone; the exporter must be able to write "
        "to its directory. Without it, counters begin at 0 and the log is read from its end."));
    return all;
  }();
  return fields;
}

void read_server_log(const Value& value, ReadContext& context, ServerLog& server_log) {
  if (value.node.kind == YamlNode::Kind::kMapping) server_log.from = LogOrigin::kFiles;
  read_section<ServerLog>(value, "a mapping with at least `files`, or `from`", server_log_fields(),
                          context, server_log);
  if (value.node.kind == YamlNode::Kind::kMapping) {
    check_origin({value, server_log, context.problems});
  }
  const auto& check = context.vocabulary.check_line_prefix;
  const YamlNode* const prefix = value.node.find("line_prefix");
  if (!check || prefix == nullptr) return;
  if (const auto wrong = check(server_log.line_prefix)) {
    context.problems.add(prefix->line, value.child(*prefix).path, *wrong);
  }
}

}  // namespace pgconn::config
