// The program: reads the command line, then lists, checks or serves.
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/loader.h"
#include "exporter/cli/catalogue.h"
#include "exporter/cli/command_line.h"
#include "exporter/cli/vocabulary.h"
#include "exporter/log/log.h"
#include "exporter/own_metrics/version.h"
#include "exporter/service.h"
#include "exporter/web/web_front.h"
#include "postgres/library.h"

namespace pgconn::exporter {
namespace {

constexpr int kCannotStart = 1;

void print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stream);
}

int check_config(const CommandLine& line) {
  try {
    if (!line.web_config_file.empty()) {
      for (const std::string& warning : check_web_config(line.web_config_file)) {
        print(stdout, "warning: " + warning);
      }
      print(stdout, line.web_config_file + ": valid");
    }
    if (line.config_file.empty()) return 0;
    const auto config = config::load_file(line.config_file, vocabulary());
    print(stdout, line.config_file + ": valid, " + std::to_string(config->targets.size()) +
                      (config->targets.size() == 1 ? " target" : " targets"));
    return 0;
  } catch (const std::runtime_error& error) {
    print(stderr, error.what());
    return kCannotStart;
  }
}

// The soft limit is often 1024, for the sake of programs that use select(): three hundred targets
// would be too many.
void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // refused: it stays as it was
}

// A descriptor that was closed at the start would be given to the next socket or file, and what is
// logged or printed would go there.
bool open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    if (::open("/dev/null", O_RDWR) != stream) return false;  // the lowest that is free
  }
  return true;
}

// What was logged is to come out, also why the program could not start; but nobody waits for long.
struct DrainedLog {
  DrainedLog() { log::start_queue(); }
  ~DrainedLog() { log::drain(std::chrono::seconds(1)); }
  DrainedLog(const DrainedLog&) = delete;
  DrainedLog& operator=(const DrainedLog&) = delete;
};

int serve(const CommandLine& line) {
  log::configure(line.log_level, line.log_format);
  const DrainedLog drained;
  raise_open_files_limit();
  try {
    const auto load = [file = line.config_file] {
      return file.empty() ? config::from_environment() : config::load_file(file, vocabulary());
    };
    const BuildInfo build = build_info();
    log::write(log::Level::kInfo, "starting",
               {{"version", build.version},
                {"revision", build.revision},
                {"config", line.config_file.empty() ? "libpq's environment" : line.config_file}});
    Service service({line.listen_addresses, line.telemetry_path, line.max_requests,
                     line.config_file, line.web_config_file, load});
    service.run();
    return 0;
  } catch (const std::exception& error) {
    log::write(log::Level::kError, "cannot start", {{"error", error.what()}});
    return kCannotStart;
  }
}

int run(const std::vector<std::string>& arguments) {
  if (!open_standard_streams()) return kCannotStart;
  const auto parsed = parse_command_line(arguments, build_info());
  if (const auto* exit = std::get_if<Exit>(&parsed)) {
    print(exit->code == 0 ? stdout : stderr, exit->text);
    return exit->code;
  }
  const auto& line = std::get<CommandLine>(parsed);
  switch (line.command) {
    case CommandLine::Command::kList:
      print(stdout, catalogue(line.subject, line.list_format));
      return 0;
    case CommandLine::Command::kCheckConfig:
      return check_config(line);
    case CommandLine::Command::kServe:
      return serve(line);
  }
  return kCannotStart;
}

}  // namespace
}  // namespace pgconn::exporter

// libpq brings GnuTLS along, for LDAP. This is GnuTLS's own way (GNUTLS_SKIP_GLOBAL_INIT of its
// header) to be made ready by who first uses it, as libldap does, and not at every start for
// nobody: 0.8 MB.
extern "C" int _gnutls_global_init_skip() { return 1; }  // NOLINT(bugprone-reserved-identifier)

int main(int argc, char** argv) {
  mallopt(M_ARENA_MAX, 2);  // an arena for each HTTP worker would double the resident memory
  const int status = pgconn::exporter::run(std::vector<std::string>(argv + 1, argv + argc));
  // A thread that still computes for a login uses OpenSSL, which exit() would tear down under it.
  if (pgconn::postgres::given_up_logins() > 0) std::_Exit(status);
  return status;
}
