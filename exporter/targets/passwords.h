// The passwords that targets log in with: from a file, a variable, or a command, whose answer is
// kept for a while. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/command.h"
#include "async/event.h"
#include "config/config.h"
#include "postgres/conninfo.h"
#include "postgres/resolver.h"

namespace pgconn::exporter {

class Passwords {
 public:
  // `time` must outlive it.
  explicit Passwords(async::TimeSource& time) : time_(time) {}
  Passwords(const Passwords&) = delete;
  Passwords& operator=(const Passwords&) = delete;

  // The connection string of a target with its password. Files are read each time; a command is
  // run when no answer of it is known that is younger than `password_lifetime`. Sessions that ask
  // at the same time share one run. Throws PgError: kConfig phase, reason kConfig or kTimeout.
  asio::awaitable<postgres::ConnInfo> conninfo_of(const config::Target& target,
                                                  postgres::Deadline deadline);

  // A server has refused the password of this target: the next login asks its command again.
  void refused(const config::Target& target);

 private:
  struct Answer {
    explicit Answer(async::TimeSource& time) : arrived(time) {}
    std::string password;
    std::optional<async::Clock::time_point> known_since;  // nullopt: there is none
    bool asking = false;
    async::Event arrived;
  };
  using Key = std::vector<std::string>;  // the command's words, then its variables

  asio::awaitable<std::string> ask(const config::Target& target, const postgres::ConnInfo& place,
                                   postgres::Deadline deadline);
  asio::awaitable<std::string> run(const config::Target& target, const async::Command& command,
                                   postgres::Deadline deadline);

  async::TimeSource& time_;
  std::map<Key, std::shared_ptr<Answer>> answers_;
};

}  // namespace pgconn::exporter
