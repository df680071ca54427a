// The local ports of the connections that the TLS listener has open to the HTTP server behind it:
// how that one tells them from anybody else's on this machine. Locks; any thread.
#pragma once

#include <mutex>
#include <set>
#include <string_view>

namespace pgconn::exporter {

class RelayedPorts {
 public:
  void add(int port) {
    const std::lock_guard lock(mutex_);
    ports_.insert(port);
  }

  // Before the connection is closed: after that, the port may be somebody else's.
  void remove(int port) {
    const std::lock_guard lock(mutex_);
    ports_.erase(port);
  }

  // The same port may be another's on another of loopback's addresses.
  bool has(std::string_view address, int port) const {
    const std::lock_guard lock(mutex_);
    return address == "127.0.0.1" && ports_.contains(port);
  }

 private:
  mutable std::mutex mutex_;
  std::set<int> ports_;
};

}  // namespace pgconn::exporter
