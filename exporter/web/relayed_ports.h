// The local ports of the connections that the listener has open to the HTTP server behind it: how
// that one tells them from anybody else's on this machine, and whose they are. Locks; any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgconn::exporter {

class RelayedPorts {
 public:
  // `client`: the address at the far end.
  void add(int port, std::string client) {
    const std::lock_guard lock(mutex_);
    clients_.insert_or_assign(port, std::move(client));
  }

  // Before the connection is closed: after that, the port may be somebody else's.
  void remove(int port) {
    const std::lock_guard lock(mutex_);
    clients_.erase(port);
  }

  // None: it is not one of ours. The same port may be another's on another of loopback's addresses.
  std::optional<std::string> client(std::string_view address, int port) const {
    const std::lock_guard lock(mutex_);
    const auto found = clients_.find(port);
    if (address != "127.0.0.1" || found == clients_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<int, std::string> clients_;
};

}  // namespace pgconn::exporter
