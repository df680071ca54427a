// The tables of what is read beside SQL: the server's log.

#include "config/schema.h"
#include "config/sections.h"
#include "config/text_rules.h"

namespace pgconn::config {
namespace {

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

void read_patterns(const Value& value, ReadContext& context, ServerLog& server_log) {
  server_log.files = read_texts(value, kPatternsAllowed, kMostPatterns, kPattern, context.problems);
}

}  // namespace

std::span<const Field<ServerLog>> server_log_fields() {
  static const std::vector<Field<ServerLog>> fields = [] {
    std::vector<Field<ServerLog>> all = {
        {.key = "files",
         .type = "list of texts",
         .allowed = std::string(kPatternsAllowed),
         .default_text = "",
         .help = "The server's log files. The format follows from the name: `.csv`, `.json`, and "
                 "any other is text with `line_prefix`.",
         .read = read_patterns,
         .required = true},
        text(
            "line_prefix", &ServerLog::line_prefix, kLinePrefix,
            "The server's `log_line_prefix`, in quotes. With `%e` in it every event is told by its "
            "SQLSTATE, in any language."),
        text(
            "state_file", &ServerLog::state_file, kStateFile,
            "Where the place in the log and the counts are kept, so that a restart of the exporter "
            "loses and doubles nothing. Of this target alone; the exporter must be able to write "
            "to its directory. Without it, counters begin at 0 and the log is read from its end."),
    };
    return all;
  }();
  return fields;
}

void read_server_log(const Value& value, ReadContext& context, ServerLog& server_log) {
  read_section<ServerLog>(value, "a mapping with at least `files`", server_log_fields(), context,
                          server_log);
  const auto& check = context.vocabulary.check_line_prefix;
  const YamlNode* const prefix = value.node.find("line_prefix");
  if (!check || prefix == nullptr) return;
  if (const auto wrong = check(server_log.line_prefix)) {
    context.problems.add(prefix->line, value.child(*prefix).path, *wrong);
  }
}

}  // namespace pgconn::config
