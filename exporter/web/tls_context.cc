#include "exporter/web/tls_context.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "exporter/web/client_certificates.h"
#include "files/bounded_file.h"
#include "text/join.h"

namespace pgconn::exporter {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr auto kRetry = std::chrono::seconds(10);

// A certificate, a key or authorities: a path, or text within the web configuration.
struct Source {
  std::string_view key;     // of the text; the key of the path is `key`_file
  const std::string& path;  // empty: the text is used
  const std::string& inline_text;

  // Its name in messages. The text itself may be a private key.
  std::string name() const {
    std::string name = "tls_server_config." + std::string(key);
    return path.empty() ? name : name + "_file " + path;
  }
};

[[noreturn]] void fail(const Source& source, const std::string& wrong) {
  throw std::runtime_error(source.name() + ": " + wrong);
}

std::string read(const Source& source) {
  if (source.path.empty()) return source.inline_text;
  std::optional<std::string> content;
  try {
    content = files::read_bounded_regular_file(source.path, kMaxBytes);
  } catch (const std::system_error& error) {
    fail(source, "cannot be read: " + error.code().message() +
                     "; name a file that the exporter's user can read");
  }
  if (!content || content->size() > kMaxBytes) {
    fail(source, "is not a regular file of at most 1 MiB; name a file in PEM");
  }
  return *content;
}

void set_protocol(SSL_CTX* context, const config::WebTls& tls) {
  const auto number = [](config::TlsVersion version) {
    return version == config::TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  };
  SSL_CTX_set_min_proto_version(context, number(tls.min_version));
  SSL_CTX_set_max_proto_version(context, number(tls.max_version));
  // No session is resumed: each handshake checks the client's certificate against current settings.
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (!tls.prefer_server_cipher_suites) {
    SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (!tls.cipher_suites.empty() &&
      SSL_CTX_set_cipher_list(context, text::joined(tls.cipher_suites, ":").c_str()) != 1) {
    throw std::runtime_error(
        "tls_server_config.cipher_suites: this machine's OpenSSL has none of them; leave the key "
        "out");
  }
  if (!tls.curves.empty() &&
      SSL_CTX_set1_groups_list(context, text::joined(tls.curves, ":").c_str()) != 1) {
    throw std::runtime_error(
        "tls_server_config.curve_preferences: this machine's OpenSSL does not have all of them; "
        "leave the key out");
  }
}

// Of the protocols that the client offers we choose HTTP/1.1. If it offers none, we name none.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* length,
                    const unsigned char* offered, unsigned offered_length, void*) {
  static constexpr std::string_view kOurs = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const auto* const ours = reinterpret_cast<const unsigned char*>(kOurs.data());
  if (SSL_select_next_proto(&chosen, length, ours, static_cast<unsigned>(kOurs.size()), offered,
                            offered_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void use_own_certificate(asio::ssl::context& context, const config::WebTls& tls) {
  asio::error_code error;
  const Source certificate{"cert", tls.cert_file, tls.cert};
  const std::string chain = read(certificate);
  context.use_certificate_chain(asio::buffer(chain), error);
  if (error) {
    fail(certificate, "contains no usable certificate in PEM (" + error.message() +
                          "); put the server's certificate first, then those of its issuers");
  }
  // Otherwise OpenSSL would ask for the password of an encrypted key on the terminal.
  context.set_password_callback(
      [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); });
  const Source own_key{"key", tls.key_file, tls.key};
  const std::string key = read(own_key);
  context.use_private_key(asio::buffer(key), asio::ssl::context::pem, error);
  if (error) {
    fail(own_key, "contains no private key that matches the certificate of " + certificate.name() +
                      " (" + error.message() +
                      "); put that certificate's key into it, in PEM and without a password");
  }
}

// What clients' certificates are verified against.
void use_authorities(asio::ssl::context& context, const config::WebTls& tls) {
  asio::error_code error;
  if (!tls.has_client_ca()) {
    // If this fails, the system has no authorities, and no client is let in.
    if (tls.verifies()) context.set_default_verify_paths(error);
    return;
  }
  const Source source{"client_ca", tls.client_ca_file, tls.client_ca};
  const std::string authorities = read(source);
  context.add_certificate_authority(asio::buffer(authorities), error);
  const X509_STORE* const store = SSL_CTX_get_cert_store(context.native_handle());
  // For Asio, a file without any certificate was read successfully.
  const bool none = sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0;
  if (tls.verifies() && (error || none)) {
    fail(source,
         "contains no usable certificate in PEM; put the certificates of the clients' "
         "authorities into it");
  }
}

}  // namespace

std::shared_ptr<TlsContext> make_tls_context(const config::WebTls& tls) {
  auto made = std::make_shared<TlsContext>(tls);
  SSL_CTX* const context = made->context.native_handle();
  set_protocol(context, tls);
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  use_own_certificate(made->context, tls);
  use_authorities(made->context, tls);
  ask_for_certificates(context, made->settings);
  return made;
}

TlsCredentials::TlsCredentials(const config::WebTls& tls, Settings settings)
    : settings_(std::move(settings)), tls_(tls), stamp_(stamp()), context_(make_tls_context(tls)) {}

bool TlsCredentials::refresh(std::chrono::steady_clock::time_point now) {
  const auto wanted = settings_ ? settings_() : nullptr;
  const bool others = wanted && *wanted != tls_;
  if (others) tls_ = *wanted;
  Stamp found = stamp();
  if (!others && found == stamp_ && (!retry_at_ || now < *retry_at_)) return true;
  stamp_ = std::move(found);
  try {
    context_ = make_tls_context(tls_);
    retry_at_.reset();
    error_.clear();
    return true;
  } catch (const std::exception& error) {
    retry_at_ = now + kRetry;
    const std::string before = std::exchange(error_, error.what());
    return error_ == before;
  }
}

// Distinguishes one version of the files from another, by what the file system knows.
TlsCredentials::Stamp TlsCredentials::stamp() const {
  Stamp stamp;
  for (const std::string* path : {&tls_.cert_file, &tls_.key_file, &tls_.client_ca_file}) {
    stamp.push_back(path->empty() ? std::nullopt : files::stamp_of(*path));
  }
  return stamp;
}

}  // namespace pgconn::exporter
