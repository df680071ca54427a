#include "postgres/resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <asio/cancellation_state.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "postgres/error.h"

namespace pgconn::postgres {
namespace {

// Why no file can be opened now, if that is so.
std::error_code lack_of_descriptors() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) return {errno, std::generic_category()};
  if (fd >= 0) close(fd);
  return {};
}

// A resolver that hangs for this many different names is broken for all: more threads would not
// help, so the next name waits for one.
constexpr std::size_t kMaxLookups = 64;

bool is_numeric(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  const std::string address = host.substr(0, host.find('%'));  // fe80::1%eth0
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, address.c_str(), buffer) == 1;
}

// Where a lookup's thread leaves its answer. It may outlive the event loop; then the answer is
// lost.
struct Mailbox {
  std::mutex mutex;
  std::optional<asio::any_io_executor> executor;
};

}  // namespace

struct Resolver::Pending {
  std::string host;
  Deadline wanted_until;
  std::optional<Answer> answer = std::nullopt;
  std::vector<asio::steady_timer*> waiting = {};

  void deliver(Answer result) {
    answer = std::move(result);
    for (asio::steady_timer* timer : waiting) timer->cancel();
  }
};

struct Resolver::State {
  State(asio::any_io_executor e, Lookup l)
      : executor(e), lookup(std::move(l)), mailbox(std::make_shared<Mailbox>()) {
    mailbox->executor = e;
  }
  ~State() {
    const std::lock_guard lock(mailbox->mutex);
    mailbox->executor.reset();
  }

  // Gives threads to the names that wait for one, in the order they came.
  static void start_queued(const std::shared_ptr<State>& self);
  static void start(const std::shared_ptr<State>& self, const std::shared_ptr<Pending>& pending);

  asio::any_io_executor executor;
  Lookup lookup;
  std::shared_ptr<Mailbox> mailbox;
  std::map<std::string, std::shared_ptr<Pending>> unanswered;  // running or queued
  std::deque<std::shared_ptr<Pending>> queued;
  std::size_t running = 0;
};

void Resolver::State::start_queued(const std::shared_ptr<State>& self) {
  while (self->running < kMaxLookups && !self->queued.empty()) {
    const std::shared_ptr<Pending> next = std::move(self->queued.front());
    self->queued.pop_front();
    if (next->wanted_until > std::chrono::steady_clock::now()) {
      start(self, next);
    } else {
      self->unanswered.erase(next->host);
    }
  }
}

void Resolver::State::start(const std::shared_ptr<State>& self,
                            const std::shared_ptr<Pending>& pending) {
  auto deliver = [weak = std::weak_ptr(self), pending](Answer answer) {
    pending->deliver(std::move(answer));
    const auto state = weak.lock();
    if (!state) return;
    state->unanswered.erase(pending->host);
    --state->running;
    start_queued(state);
  };
  auto work = [lookup = self->lookup, mailbox = self->mailbox, host = pending->host,
               deliver]() mutable {
    pthread_setname_np(pthread_self(), "resolver");  // for tools such as top
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
    ++self->running;
  } catch (const std::system_error& error) {
    self->unanswered.erase(pending->host);
    pending->deliver({{}, std::string("no thread: ") + error.what()});
  }
}

Resolver::Resolver(asio::any_io_executor executor, Lookup lookup)
    : state_(std::make_shared<State>(std::move(executor), std::move(lookup))) {}

std::shared_ptr<Resolver::Pending> Resolver::begin(const std::string& host, Deadline deadline) {
  if (const auto found = state_->unanswered.find(host); found != state_->unanswered.end()) {
    found->second->wanted_until = std::max(found->second->wanted_until, deadline);
    return found->second;
  }
  const auto pending = std::make_shared<Pending>(Pending{host, deadline});
  if (is_numeric(host)) {
    pending->answer = Answer{{host}, ""};
    return pending;
  }
  state_->unanswered.emplace(host, pending);
  if (state_->running < kMaxLookups) {
    State::start(state_, pending);
  } else {
    state_->queued.push_back(pending);
  }
  return pending;
}

asio::awaitable<std::vector<std::string>> Resolver::wait(std::shared_ptr<Pending> pending,
                                                         Deadline deadline) {
  const std::string name = "\"" + pending->host + "\"";
  if (!pending->answer) {
    // Only the resolver itself owns its state: once it is gone, no thread posts to the event loop.
    asio::steady_timer timer(state_->executor, deadline);
    pending->waiting.push_back(&timer);
    asio::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    std::erase(pending->waiting, &timer);
  }
  if (!pending->answer) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw PgError(Phase::kResolve, Reason::kStopped, "", "ended by the exporter", true);
    }
    throw PgError(Phase::kResolve, Reason::kTimeout, "",
                  "looking up " + name + " was not answered in time", true);
  }
  if (pending->answer->addresses.empty()) {
    throw PgError(Phase::kResolve,
                  pending->answer->no_descriptor ? Reason::kOpenFiles : Reason::kResolve, "",
                  "cannot look up " + name + ": " + pending->answer->error, true);
  }
  co_return pending->answer->addresses;
}

asio::awaitable<std::vector<std::string>> Resolver::resolve(std::string host, Deadline deadline) {
  auto pending = begin(host, deadline);
  co_return co_await wait(std::move(pending), deadline);
}

Resolver::Answer Resolver::system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  Answer answer;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    answer.error = gai_strerror(error);
    // The resolver's error is arbitrary then: that there is no such name, or to try again.
    if (const std::error_code lack = lack_of_descriptors()) {
      answer.error = lack.message();
      answer.no_descriptor = true;
    }
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
