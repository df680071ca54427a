#include "exporter/targets/passwords.h"

#include <algorithm>

#include "config/loader.h"
#include "exporter/targets/target_settings.h"
#include "postgres/error.h"
#include "text/utf8.h"

namespace pgconn::exporter {
namespace {

using postgres::PgError;

// More commands than any configuration has; after that, the answers of old ones are forgotten.
constexpr std::size_t kMostAnswers = 10'000;

[[noreturn]] void fail(const config::Target& target, postgres::Reason reason,
                       const std::string& wrong) {
  throw PgError(postgres::Phase::kConfig, reason, "",
                "target " + target.name + ": password_command " + target.password_command.front() +
                    " " + wrong,
                true);
}

// Which server and role the password is for, as libpq's own variables say it.
async::Command command_of(const config::Target& target, const postgres::ConnInfo& place) {
  const postgres::Endpoint& first = place.endpoints().front();
  async::Command command;
  command.words = target.password_command;
  command.environment = {{"PGHOST", first.host.empty() ? first.hostaddr : first.host},
                         {"PGPORT", first.port},
                         {"PGUSER", place.user()},
                         {"PGDATABASE", place.database()}};
  return command;
}

std::vector<std::string> key_of(const async::Command& command) {
  std::vector<std::string> key = command.words;
  for (const auto& [name, value] : command.environment) {
    key.emplace_back(name).append("=").append(value);
  }
  return key;
}

// The first line that a program complained with.
std::string complaint_of(const async::CommandResult& result) {
  const std::string line = result.complaint.substr(0, result.complaint.find('\n'));
  return line.empty() ? "" : ": " + text::repaired(line);
}

std::string first_line(const std::string& output) {
  std::string line = output.substr(0, output.find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

asio::awaitable<postgres::ConnInfo> Passwords::conninfo_of(const config::Target& target,
                                                           postgres::Deadline deadline) {
  postgres::ConnInfo conninfo = exporter::conninfo_of(target);
  if (!target.password_command.empty()) {
    std::string password = co_await ask(target, conninfo, deadline);
    conninfo.set_password(std::move(password));
  }
  co_return conninfo;
}

void Passwords::refused(const config::Target& target) {
  std::string ignored;
  const auto place = place_of(target, ignored);
  if (target.password_command.empty() || !place) return;
  const auto found = answers_.find(key_of(command_of(target, *place)));
  if (found != answers_.end()) found->second->known_since.reset();
}

asio::awaitable<std::string> Passwords::ask(const config::Target& target,
                                            const postgres::ConnInfo& place,
                                            postgres::Deadline deadline) {
  const async::Command command = command_of(target, place);
  if (answers_.size() >= kMostAnswers) answers_.clear();
  auto& entry = answers_[key_of(command)];
  if (!entry) entry = std::make_shared<Answer>(time_);
  const std::shared_ptr<Answer> answer = entry;  // outlives clear()
  for (;;) {
    const bool known =
        answer->known_since && time_.now() - *answer->known_since < target.password_lifetime;
    if (known) co_return answer->password;
    if (!answer->asking) break;
    const bool arrived = co_await answer->arrived.wait_until(deadline);
    if (!arrived) fail(target, postgres::Reason::kTimeout, "has not answered yet");
  }
  struct Asking {
    explicit Asking(Answer& a) : answer(a) { answer.asking = true; }
    ~Asking() {
      answer.asking = false;
      answer.arrived.notify();
    }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    Answer& answer;
  };
  const Asking asking(*answer);
  std::string password = co_await run(target, command, deadline);
  answer->password = password;
  answer->known_since = time_.now();
  co_return password;
}

asio::awaitable<std::string> Passwords::run(const config::Target& target,
                                            const async::Command& command,
                                            postgres::Deadline deadline) {
  async::CommandResult result;
  try {
    result = co_await async::run_command(time_, command, deadline);
  } catch (const std::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;  // cancelled
    fail(target, postgres::Reason::kConfig, error.what());
  }
  if (result.timed_out) {
    fail(target, postgres::Reason::kTimeout,
         "did not end in time; raise connect_timeout, or use a quicker command");
  }
  if (result.status != 0) {
    fail(target, postgres::Reason::kConfig,
         "ended with status " + std::to_string(result.status) + complaint_of(result));
  }
  std::string password = first_line(result.output);
  if (password.empty() || password.find('\0') != std::string::npos) {
    fail(target, postgres::Reason::kConfig,
         "printed no password on its first line" + complaint_of(result));
  }
  co_return password;
}

}  // namespace pgconn::exporter
