// The process's environment as libpq sees it, for the length of one test.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tests/support/temporary_directory.h"

namespace pgconn::test {

// Begins without any PG* variable and without files of the user's; restores everything at its end.
class LibpqEnvironment {
 public:
  LibpqEnvironment() {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      const std::string name(text.substr(0, text.find('=')));
      if (text.starts_with("PG") || name == "HOME") saved_[name] = text.substr(name.size() + 1);
    }
    for (const auto& [name, value] : saved_) unsetenv(name.c_str());
    set("HOME", directory_.path());
    set("PGSYSCONFDIR", directory_.path());
    set("PGSERVICEFILE", directory_.path("pg_service.conf"));
    set("PGPASSFILE", directory_.path("pgpass"));
  }
  ~LibpqEnvironment() {
    for (const auto& [name, value] : set_) unsetenv(name.c_str());
    for (const auto& [name, value] : saved_) setenv(name.c_str(), value.c_str(), 1);
  }
  LibpqEnvironment(const LibpqEnvironment&) = delete;
  LibpqEnvironment& operator=(const LibpqEnvironment&) = delete;

  void set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_[name] = value;
  }
  void write_services(std::string_view text) const { directory_.write("pg_service.conf", text); }
  void write_passfile(std::string_view text, unsigned mode) const {
    std::filesystem::permissions(directory_.write("pgpass", text), std::filesystem::perms{mode});
  }

 private:
  TemporaryDirectory directory_;
  std::map<std::string, std::string> saved_, set_;
};

}  // namespace pgconn::test
