// The program: reads the command line and runs its command.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "exporter/cli/command_line.h"
#include "postgres/library.h"

namespace pgconn::exporter {
namespace {

// The next socket or file would get a descriptor that was closed at startup, and log lines and
// output would go there.
bool open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    if (::open("/dev/null", O_RDWR) != stream) return false;  // the lowest free one
  }
  return true;
}

int run(const std::vector<std::string>& arguments) {
  if (!open_standard_streams()) return 1;
  const Command command = parse_command_line(arguments, build_info());
  return std::visit([](const auto& chosen) { return chosen.run(); }, command);
}

}  // namespace
}  // namespace pgconn::exporter

// libpq pulls in GnuTLS, for LDAP. This is GnuTLS's own way (GNUTLS_SKIP_GLOBAL_INIT of its header)
// to be initialized on first use, as libldap does, and not at every start in vain: it saves 0.8 MB.
extern "C" int _gnutls_global_init_skip() { return 1; }  // NOLINT(bugprone-reserved-identifier)

int main(int argc, char** argv) {
  mallopt(M_ARENA_MAX, 2);  // an arena for each HTTP worker would double the resident memory
  const int status = pgconn::exporter::run(std::vector<std::string>(argv + 1, argv + argc));
  std::cout.flush();
  // A thread still computing for a login uses OpenSSL, which exit() would tear down under it.
  if (pgconn::postgres::given_up_logins() > 0) std::_Exit(status);
  return status;
}
