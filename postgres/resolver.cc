#include "postgres/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "postgres/error.h"

namespace pgconn::postgres {
namespace {

// A resolver that hangs for this many different names is broken for all; more threads do not help.
constexpr std::size_t kMaxLookups = 64;

bool is_numeric(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  const std::string address = host.substr(0, host.find('%'));  // fe80::1%eth0
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, address.c_str(), buffer) == 1;
}

struct Lookup {
  std::optional<Resolver::Answer> answer;
  std::vector<asio::steady_timer*> waiting;
};

// Where a lookup's thread leaves its answer. It may outlive the event loop: then nobody listens.
struct Mailbox {
  std::mutex mutex;
  std::optional<asio::any_io_executor> executor;
};

}  // namespace

struct Resolver::State {
  State(asio::any_io_executor e, Resolver::Lookup l)
      : executor(e), lookup(std::move(l)), mailbox(std::make_shared<Mailbox>()) {
    mailbox->executor = e;
  }
  ~State() {
    const std::lock_guard lock(mailbox->mutex);
    mailbox->executor.reset();
  }

  asio::any_io_executor executor;
  Resolver::Lookup lookup;
  std::shared_ptr<Mailbox> mailbox;
  std::map<std::string, std::shared_ptr<postgres::Lookup>> running;

  static std::shared_ptr<postgres::Lookup> start(const std::shared_ptr<State>& self,
                                                 const std::string& host);
};

std::shared_ptr<Lookup> Resolver::State::start(const std::shared_ptr<State>& self,
                                               const std::string& host) {
  if (auto found = self->running.find(host); found != self->running.end()) return found->second;
  if (self->running.size() >= kMaxLookups) {
    throw PgError(Phase::kResolve, Reason::kResolve, "",
                  "cannot look up \"" + host + "\": " + std::to_string(kMaxLookups) +
                      " other lookups have not been answered",
                  true);
  }
  auto pending = std::make_shared<postgres::Lookup>();
  auto deliver = [weak = std::weak_ptr(self), pending, host](Answer answer) {
    pending->answer = std::move(answer);
    for (asio::steady_timer* timer : pending->waiting) timer->cancel();
    if (auto state = weak.lock()) state->running.erase(host);
  };
  auto work = [lookup = self->lookup, mailbox = self->mailbox, host, deliver]() mutable {
    Answer answer;
    try {
      answer = lookup(host);
    } catch (const std::exception& error) {
      answer.error = error.what();
    }
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->executor) {
      asio::post(*mailbox->executor,
                 [deliver = std::move(deliver), answer = std::move(answer)]() mutable {
                   deliver(std::move(answer));
                 });
    }
  };
  try {
    std::thread(std::move(work)).detach();  // getaddrinfo cannot be interrupted, only left behind
  } catch (const std::system_error& error) {
    throw PgError(Phase::kResolve, Reason::kResolve, "",
                  "cannot look up \"" + host + "\": no thread: " + error.what(), true);
  }
  self->running.emplace(host, pending);
  return pending;
}

Resolver::Resolver(asio::any_io_executor executor, Lookup lookup)
    : state_(std::make_shared<State>(std::move(executor), std::move(lookup))) {}

asio::awaitable<std::vector<std::string>> Resolver::resolve(std::string host, Deadline deadline) {
  if (is_numeric(host)) co_return std::vector<std::string>{host};
  // Only the resolver itself owns its state: once it is gone, no thread posts to the event loop.
  const std::shared_ptr<postgres::Lookup> lookup = State::start(state_, host);
  if (!lookup->answer) {
    asio::steady_timer timer(state_->executor, deadline);
    lookup->waiting.push_back(&timer);
    asio::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    std::erase(lookup->waiting, &timer);
  }
  if (!lookup->answer) {
    throw PgError(Phase::kResolve, Reason::kTimeout, "",
                  "looking up \"" + host + "\" was not answered in time", true);
  }
  if (lookup->answer->addresses.empty()) {
    throw PgError(Phase::kResolve, Reason::kResolve, "",
                  "cannot look up \"" + host + "\": " + lookup->answer->error, true);
  }
  co_return lookup->answer->addresses;
}

Resolver::Answer Resolver::system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  Answer answer;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    answer.error = gai_strerror(error);
    return answer;
  }
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::find(answer.addresses.begin(), answer.addresses.end(), text) ==
        answer.addresses.end()) {
      answer.addresses.emplace_back(text);
    }
  }
  freeaddrinfo(list);
  if (answer.addresses.empty()) answer.error = "no address";
  return answer;
}

}  // namespace pgconn::postgres
