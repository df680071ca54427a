// TLS as the web configuration wants it: OpenSSL's context made of the files that it names, and
// made anew when one of them changes.
#pragma once

#include <asio/ssl/context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/web_config.h"
#include "files/file_stamp.h"

namespace pgconn::exporter {

// What handshakes need. A connection keeps the one it began with. Any thread may hold one; OpenSSL
// locks.
struct TlsContext {
  explicit TlsContext(const config::WebTls& tls) : settings(tls) {}
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const config::WebTls settings;
  // The handshake verifies certificates by `settings`, to which it holds a pointer.
  asio::ssl::context context{asio::ssl::context::tls_server};
};

// Reads the files. Throws std::runtime_error that names key and file and says what to do, and shows
// nothing of what is in them.
std::shared_ptr<TlsContext> make_tls_context(const config::WebTls& tls);

// The context in force, by one thread at a time.
class TlsCredentials {
 public:
  // What is to be in force now, for when that changes; nullptr is no change. From refresh().
  using Settings = std::function<std::shared_ptr<const config::WebTls>()>;

  // Throws as make_tls_context().
  explicit TlsCredentials(const config::WebTls& tls, Settings settings = {});

  // Looks whether the settings or a file have changed, and then reads them all anew. Should that
  // fail (one of a pair was replaced, the other will be; no file descriptor is left), the ones
  // before stay in force, and 10 s later it is tried again. False when that is news: the reason is
  // in error().
  bool refresh(std::chrono::steady_clock::time_point now);
  const std::string& error() const { return error_; }
  const std::shared_ptr<TlsContext>& context() const { return context_; }

 private:
  using Stamp = std::vector<std::optional<files::FileStamp>>;
  Stamp stamp() const;

  const Settings settings_;
  config::WebTls tls_;
  Stamp stamp_;  // of the files when they were last read
  std::optional<std::chrono::steady_clock::time_point> retry_at_;  // if that failed
  std::shared_ptr<TlsContext> context_;
  std::string error_;  // of the last reading; empty if it was good
};

}  // namespace pgconn::exporter
