// server_log_bench [LINES]: reads logs of a million lines in each format, and what `grep -c` takes
// for the same file. Fails where a million lines take a second of CPU or more.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "sources/server_log/server_log.h"

namespace pgconn::server_log {
namespace {

constexpr std::size_t kAtOnce = std::size_t{4} << 20;
constexpr double kMostSeconds = 1;  // of CPU for a million lines

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A busy server's log: of twenty lines, statements' durations, logins and ends of sessions, and one
// error in two lines.
void write_stderr(std::ofstream& out, int lines) {
  for (int i = 0; i < lines; ++i) {
    const std::string pid = std::to_string(10000 + i % 500);
    out << "2026-11-29 13:36:11." << 100 + i % 900 << " UTC [" << pid << "] ";
    switch (i % 20) {
      case 0:
        out << "00000 [unknown]@[unknown] LOG:  connection received: host=10.0.0.7 port=49074\n";
        break;
      case 1:
        out << "00000 app@orders LOG:  connection authorized: user=app database=orders "
               "application_name=web SSL enabled (protocol=TLSv1.3, bits=256)\n";
        break;
      case 2:
        out << "00000 app@orders LOG:  disconnection: session time: 0:00:12.345 user=app "
               "database=orders host=10.0.0.7 port=49074\n";
        break;
      case 3:
        out << "57014 app@orders ERROR:  canceling statement due to statement timeout\n";
        break;
      case 4:
        out << "57014 app@orders STATEMENT:  UPDATE orders SET state = $1 WHERE id = $2\n";
        break;
      default:
        out << "00000 app@orders LOG:  duration: 1.234 ms  execute <unnamed>: SELECT id, state, "
               "total FROM orders WHERE customer = $1 ORDER BY placed DESC LIMIT 20\n";
    }
  }
}

void write_csv(std::ofstream& out, int lines) {
  for (int i = 0; i < lines; ++i) {
    const bool is_error = i % 20 == 3;
    out << "2026-11-29 13:36:11." << 100 + i % 900 << " UTC,\"app\",\"orders\"," << 10000 + i % 500
        << ",\"10.0.0.7:49074\",6b0c2a4b.3cce," << i % 100
        << ",\"SELECT\",2026-11-29 13:36:11 UTC,3/3,0,"
        << (is_error ? "ERROR,57014,\"canceling statement due to statement timeout\",,,,,,"
                       "\"UPDATE orders SET state = $1 WHERE \"\"id\"\" = $2\",,,"
                     : "LOG,00000,\"duration: 1.234 ms  execute <unnamed>: SELECT id, state, total "
                       "FROM orders WHERE customer = $1 ORDER BY placed DESC LIMIT 20\",,,,,,,,,")
        << "\"web\",\"client backend\",,0\n";
  }
}

void write_json(std::ofstream& out, int lines) {
  for (int i = 0; i < lines; ++i) {
    const bool is_error = i % 20 == 3;
    out << R"({"timestamp":"2026-11-29 13:36:11.)" << 100 + i % 900
        << R"( UTC","user":"app","dbname":"orders","pid":)" << 10000 + i % 500
        << R"(,"remote_host":"10.0.0.7","remote_port":42660,"session_id":"6b0c2a4e.3d74","line_num":4,)"
        << R"("ps":"SELECT","session_start":"2026-11-29 13:36:14 UTC","vxid":"1/1","txid":0,)"
        << (is_error
                ? R"("error_severity":"ERROR","state_code":"57014","message":"canceling statement due )"
                  R"(to statement timeout","statement":"UPDATE orders SET \"state\" = $1")"
                : R"("error_severity":"LOG","message":"duration: 1.234 ms  execute <unnamed>: SELECT )"
                  R"(id, state, total FROM orders WHERE customer = $1 ORDER BY placed DESC LIMIT 20")")
        << R"(,"application_name":"web","backend_type":"client backend","query_id":0})"
        << "\n";
  }
}

double grep_seconds(const std::string& path) {
  const double before = cpu_seconds(RUSAGE_CHILDREN);
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    execlp("grep", "grep", "-c", "FATAL:  terminating", path.c_str(), nullptr);
    _exit(127);
  }
  waitpid(child, nullptr, 0);
  return cpu_seconds(RUSAGE_CHILDREN) - before;
}

bool measure(const std::string& ending, int lines,
             const std::function<void(std::ofstream&, int)>& write) {
  std::string folder = std::filesystem::temp_directory_path() / "pgconn-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return false;
  const std::string path = folder + "/server." + ending;
  std::size_t events = 0;
  ServerLog log({{folder + "/*"}, "%m [%p] %e %u@%d ", "", ""},
                [&events](const Entry&, const Classified&) { ++events; });
  const auto now = [] { return std::chrono::system_clock::now(); };
  log.poll(now(), kAtOnce);  // what comes from now on is news
  {
    std::ofstream out(path);
    write(out, lines);
  }
  const double before = cpu_seconds(RUSAGE_SELF);
  const auto began = std::chrono::steady_clock::now();
  while (log.poll(now(), kAtOnce)) {
  }
  log.poll(now(), kAtOnce);
  const double cpu = cpu_seconds(RUSAGE_SELF) - before;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const double size = static_cast<double>(std::filesystem::file_size(path));
  const double grep = grep_seconds(path);
  const double of_a_million = cpu * 1e6 / lines;
  std::printf(
      "  %-7s %9.0f lines/s, %4.0f MB/s, %zu events; %.3f s of CPU for a million lines "
      "(at most %g)  %s; grep -c %.3f s\n",
      ending.c_str(), lines / took.count(), size / 1e6 / took.count(), events, of_a_million,
      kMostSeconds, of_a_million < kMostSeconds ? "ok" : "ABOVE", grep * 1e6 / lines);
  std::filesystem::remove_all(folder);
  return events > 0 && of_a_million < kMostSeconds;
}

}  // namespace
}  // namespace pgconn::server_log

int main(int argc, char** argv) {
  using namespace pgconn::server_log;
  const int lines = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  bool ok = measure("log", lines, write_stderr);
  ok &= measure("csv", lines, write_csv);
  ok &= measure("json", lines, write_json);
  return ok ? 0 : 1;
}
