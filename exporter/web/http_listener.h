// In front of the HTTP server, for HTTP and HTTPS: accepts clients on a thread and an event loop of
// its own, so that handshakes and slow clients delay no probe, and relays each to the server on
// loopback (http_relay.h).
//
// Construct, stop and destroy from one thread. Callbacks come from the listener's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/web/http_relay.h"
#include "exporter/web/listen_address.h"
#include "exporter/web/relayed_ports.h"
#include "exporter/web/tls_context.h"

namespace pgconn::exporter {

struct HttpListenerOptions {
  std::vector<ListenAddress> addresses;
  // Clients that are not being answered. For one more, the oldest of the address that has the most
  // of them is closed. Each takes some 5 kB, with TLS up to 60 kB.
  std::size_t most_waiting = 256;
  // Requests that are passed to the HTTP server at once, as many as it has workers. Up to
  // `most_waiting` more wait; the rest are answered with 503.
  std::size_t workers = 48;
  // The workers that no address can take from the others.
  std::size_t workers_for_others = 8;
  HttpRelayOptions relay;
  // The files of the certificate have changed: empty if they were read, else why not.
  std::function<void(const std::string& error)> refreshed;
};

class HttpListener {
 public:
  // Listens at once; without credentials it speaks plain HTTP. Throws std::runtime_error that names
  // the address, the reason and what to do. `ports` must outlive it.
  HttpListener(HttpListenerOptions options, std::shared_ptr<TlsCredentials> credentials,
               RelayedPorts& ports);
  ~HttpListener();  // stops
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // The bound ports in the order of the addresses.
  const std::vector<int>& ports() const;

  // For handshakes from now on. Any thread, until stop().
  void replace(const std::shared_ptr<TlsCredentials>& credentials);

  // Accepts no one from now on, and closes clients that have not sent a request yet.
  void stop_accepting();

  // Lets answers reach their clients for a moment, then closes all. Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::exporter
