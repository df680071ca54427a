// A peer on loopback that is not a PostgreSQL server: it sends whatever a test makes it send.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pgconn::test {

class Stranger {
 public:
  // One accepted connection; blocking calls, on the stranger's own thread.
  class Line {
   public:
    explicit Line(int fd) : fd_(fd) {}
    std::string read();  // what has arrived, at least a byte; empty when the other side has closed
    bool write(std::string_view bytes);  // false when the other side has closed
    void read_until_closed();

   private:
    int fd_;
  };
  using Behaviour = std::function<void(Line&)>;

  // Serves one connection after another; each is closed when `behaviour` returns.
  explicit Stranger(Behaviour behaviour);
  ~Stranger();
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  std::string dsn(std::string_view keywords) const;
  int port() const { return port_; }
  static int unused_port();

 private:
  void serve();

  Behaviour behaviour_;
  int listener_;
  int port_;
  std::atomic<int> current_ = -1;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// A port whose queue of connections is full: further attempts get no answer at all.
class FullBacklog {
 public:
  FullBacklog();
  ~FullBacklog();
  FullBacklog(const FullBacklog&) = delete;
  FullBacklog& operator=(const FullBacklog&) = delete;
  std::string dsn(std::string_view keywords) const;
  int port() const { return port_; }

 private:
  int listener_;
  int port_;
  std::vector<int> waiting_;
};

// Messages of PostgreSQL's protocol, version 3.
std::string message(char type, std::string_view body);
std::string number32(std::uint32_t value);
std::string number16(std::uint16_t value);
// Some 60 kB of it.
std::string flood_of(const std::string& unit);
// What a server says until it is ready for a query.
std::string login();

}  // namespace pgconn::test
