// TLS according to the web configuration: OpenSSL's context made from the files that it names, and
// made again when one of them changes.
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

// What handshakes need. A connection keeps the one it began with. Any thread may use one; OpenSSL
// locks.
struct TlsContext {
  explicit TlsContext(const config::WebTls& tls) : settings(tls) {}
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const config::WebTls settings;
  // The handshake verifies certificates according to `settings`, to which it holds a pointer.
  asio::ssl::context context{asio::ssl::context::tls_server};
};

// Reads the files. Throws std::runtime_error that names key and file and says what to do, without
// showing any content.
std::shared_ptr<TlsContext> make_tls_context(const config::WebTls& tls);

// The context in force, by one thread at a time.
class TlsCredentials {
 public:
  // The new context, whenever it changes; nullptr is no change. Called from refresh().
  using Settings = std::function<std::shared_ptr<const config::WebTls>()>;

  // Throws as make_tls_context().
  explicit TlsCredentials(const config::WebTls& tls, Settings settings = {});

  // Checks whether the settings or a file have changed, and if so reads them all again. If that
  // fails (one of a pair was replaced, the other will be; no file descriptor is left), the previous
  // ones stay in force, and 10 s later it tries again. False if the failure is new: the reason is
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
  std::optional<std::chrono::steady_clock::time_point> retry_at_;  // set if that failed
  std::shared_ptr<TlsContext> context_;
  std::string error_;  // of the last reading; empty if it was good
};

}  // namespace pgconn::exporter
