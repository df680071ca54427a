#include "exporter/web/client_certificates.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "x509/names.h"

namespace pgconn::exporter {
namespace {

using config::ClientAuth;

bool has_allowed_name(const X509* certificate, const std::vector<std::string>& allowed) {
  const auto is_allowed = [&](const x509::AlternativeName& name) {
    return std::ranges::find(allowed, name.text()) != allowed.end();
  };
  return std::ranges::any_of(x509::alternative_names(certificate), is_allowed);
}

// Replaces OpenSSL's own verification, and calls it where needed. Runs in the handshake, so that an
// alert tells a client that it was refused.
int judge(X509_STORE_CTX* store, void* argument) {
  const auto& tls = *static_cast<const config::WebTls*>(argument);
  X509* const shown = X509_STORE_CTX_get0_cert(store);
  if (tls.verifies()) {
    if (X509_verify_cert(store) != 1) return 0;
  } else {
    X509_STORE_CTX_set_error(store, X509_V_OK);
  }
  if (!tls.client_allowed_sans || has_allowed_name(shown, *tls.client_allowed_sans)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

// So that a client with several certificates knows which one to send.
void name_authorities(SSL_CTX* context) {
  STACK_OF(X509)* const authorities = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_num(authorities); ++i) {
    SSL_CTX_add_client_CA(context, sk_X509_value(authorities, i));
  }
  sk_X509_pop_free(authorities, X509_free);
}

}  // namespace

void ask_for_certificates(SSL_CTX* context, const config::WebTls& tls) {
  int mode = SSL_VERIFY_PEER;
  switch (tls.client_auth) {
    case ClientAuth::kNone:
      mode = SSL_VERIFY_NONE;
      break;
    case ClientAuth::kRequest:
    case ClientAuth::kVerifyIfGiven:
      break;
    case ClientAuth::kRequireAny:
    case ClientAuth::kVerify:
      mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
      break;
  }
  // A client without a certificate has none of the names.
  if (tls.client_allowed_sans && mode != SSL_VERIFY_NONE) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  // Each certificate of client_ca_file is an authority, even an intermediate one without its root,
  // as in the other exporters that take this file.
  X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context, mode, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &judge, const_cast<config::WebTls*>(&tls));
  // The system's roots are too many to name.
  if (tls.has_client_ca()) name_authorities(context);
}

}  // namespace pgconn::exporter
