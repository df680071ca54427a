#include "tests/integration/certificates/tls_stranger.h"

#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>

namespace pgconn::test {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Tls = std::unique_ptr<SSL, decltype(&SSL_free)>;

int choose_alpn(SSL*, const unsigned char** out, unsigned char* length, const unsigned char*,
                unsigned, void* argument) {
  const auto* const alpn = static_cast<const std::string*>(argument);
  *out = reinterpret_cast<const unsigned char*>(alpn->data());
  *length = static_cast<unsigned char>(alpn->size());
  return SSL_TLSEXT_ERR_OK;
}

Context context_of(const TlsRules& rules) {
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_security_level(raw, 0);
  SSL_CTX_set_min_proto_version(raw, rules.version == 0 ? TLS1_VERSION : rules.version);
  SSL_CTX_set_max_proto_version(raw, rules.version);
  SSL_CTX_use_certificate(raw, rules.chain.front().certificate.get());
  SSL_CTX_use_PrivateKey(raw, rules.chain.front().key.get());
  for (std::size_t i = 1; i < rules.chain.size(); ++i) {
    SSL_CTX_add1_chain_cert(raw, rules.chain[i].certificate.get());
  }
  if (rules.insists_on_client_certificate) {
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  if (!rules.alpn.empty()) {
    SSL_CTX_set_alpn_select_cb(raw, choose_alpn, const_cast<std::string*>(&rules.alpn));
  }
  return context;
}

void send_pending(Stranger::Line& line, BIO* out) {
  std::string bytes(static_cast<std::size_t>(BIO_ctrl_pending(out)), '\0');
  if (bytes.empty()) return;
  BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  line.write(bytes);
}

// Feeds what arrives to `step` until it succeeds, fails or the line ends.
void drive(Stranger::Line& line, SSL* ssl, const std::function<int(SSL*)>& step) {
  for (;;) {
    const int result = step(ssl);
    send_pending(line, SSL_get_wbio(ssl));
    if (result > 0 || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return;
    const std::string arrived = line.read();
    if (arrived.empty()) return;
    BIO_write(SSL_get_rbio(ssl), arrived.data(), static_cast<int>(arrived.size()));
  }
}

}  // namespace

Stranger::Behaviour shaking_hands(TlsRules rules) {
  return [rules = std::move(rules)](Stranger::Line& line) {
    if (!rules.direct) {
      line.read();
      line.write("S");
    }
    const Context context = context_of(rules);
    const Tls ssl(SSL_new(context.get()), SSL_free);
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    drive(line, ssl.get(), SSL_accept);
    if (rules.on_server_name) {
      const char* const name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
      rules.on_server_name(name != nullptr ? name : "");
    }
    if (SSL_is_init_finished(ssl.get()) == 0) return;
    char byte = 0;
    drive(line, ssl.get(), [&byte](SSL* raw) { return SSL_read(raw, &byte, 1); });
    SSL_shutdown(ssl.get());
    send_pending(line, SSL_get_wbio(ssl.get()));
  };
}

}  // namespace pgconn::test
