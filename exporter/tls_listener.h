// HTTPS in front of the HTTP server: accepts TLS clients on a thread and an event loop of its own,
// so that their handshakes delay no probe, and relays each to the server on loopback (tls_relay.h).
//
// Construct, stop and destroy from one thread. Callbacks come from the listener's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/listen_address.h"
#include "exporter/relayed_ports.h"
#include "exporter/tls_context.h"
#include "exporter/tls_relay.h"

namespace pgconn::exporter {

struct TlsListenerOptions {
  std::vector<ListenAddress> addresses;
  // One more, and the oldest that is not being answered is closed for it. Each takes up to some
  // 60 kB.
  std::size_t most_connections = 256;
  TlsRelayOptions relay;
  // The files of the certificate have changed: they were read (then empty), or why they could not
  // be.
  std::function<void(const std::string& error)> refreshed;
};

class TlsListener {
 public:
  // Listens at once. Throws std::runtime_error that names the address, the reason and what to do.
  // `ports` must outlive it.
  TlsListener(TlsListenerOptions options, std::shared_ptr<TlsCredentials> credentials,
              RelayedPorts& ports);
  ~TlsListener();  // stops
  TlsListener(const TlsListener&) = delete;
  TlsListener& operator=(const TlsListener&) = delete;

  // The bound ports in the order of the addresses.
  const std::vector<int>& ports() const;

  // For handshakes from now on. Any thread, until stop().
  void replace(const std::shared_ptr<TlsCredentials>& credentials);

  // Accepts nobody from now on, and closes who has not asked for anything.
  void stop_accepting();

  // Lets answers reach their clients for a moment, then closes all. Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::exporter
