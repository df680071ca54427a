// The local ports of the connections that the listener has open to the HTTP server behind it. With
// them the server recognises these connections among others on this machine, and knows each
// connection's client. Locks; any thread.
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

  // Call before the connection is closed: after that, another process may get the port.
  void remove(int port) {
    const std::lock_guard lock(mutex_);
    clients_.erase(port);
  }

  // None: not one of ours. Another process may have the same port on another loopback address.
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
