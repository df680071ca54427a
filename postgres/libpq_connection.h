// The connection that libpq makes. Internal to postgres/: the public face is connection.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postgres/connection.h"
#include "postgres/wire.h"

namespace pgconn::postgres {

class LibpqConnection final : public Connection {
 public:
  explicit LibpqConnection(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~LibpqConnection() override { wire_->close(); }

  // asking.cc
  asio::awaitable<void> pipeline(std::span<const Query> queries, Deadline deadline,
                                 std::vector<Answer>& answers,
                                 std::vector<Deadline>* arrivals) override;
  asio::awaitable<void> ask(std::span<const Query> queries, Deadline deadline,
                            std::vector<Answer>& answers, std::vector<Deadline>* arrivals) override;
  asio::awaitable<std::optional<PgError>> watch(Deadline deadline) override;
  void interrupt() override;

  // libpq_connection.cc
  const std::vector<std::string>& login_warnings() const override {
    return wire_->login_warnings();
  }
  void close() noexcept override { wire_->close(); }
  bool is_open() const override { return !wire_->closed() && !wire_->bad(); }
  const ConnectTimings& timings() const override { return wire_->timings; }
  int server_version() const override { return PQserverVersion(wire_->raw()); }
  int backend_pid() const override { return PQbackendPID(wire_->raw()); }
  std::optional<bool> is_direct() const override { return wire_->direct; }
  std::optional<bool> was_acknowledged() const override { return wire_->acknowledged; }
  std::optional<std::chrono::seconds> keepalive_gap() const override;
  std::string host() const override;
  std::string endpoint() const override;
  std::string port() const override;

 private:
  std::shared_ptr<Wire> wire_;
};

}  // namespace pgconn::postgres
