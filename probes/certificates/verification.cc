#include "probes/certificates/verification.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>

#include "text/ascii.h"
#include "x509/names.h"

namespace pgconn::probes {
namespace {

constexpr int kMaxDepth = 16;  // bounds chains with circular signatures

struct StoreContextDeleter {
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};
struct StackDeleter {  // frees the stack, not what is in it
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

// Keeps the first error and goes on: later ones mostly follow from it.
int note_first_error(int ok, X509_STORE_CTX* context) noexcept {
  if (ok == 0) {
    auto* const first = static_cast<int*>(X509_STORE_CTX_get_app_data(context));
    if (*first == X509_V_OK) *first = X509_STORE_CTX_get_error(context);
  }
  return 1;
}

std::vector<CertificatePtr> built_path(X509_STORE_CTX* context) {
  std::vector<CertificatePtr> path;
  STACK_OF(X509)* const built = X509_STORE_CTX_get0_chain(context);
  const int count = built == nullptr ? 0 : sk_X509_num(built);
  for (int i = 0; i < count; ++i) {
    X509* const certificate = sk_X509_value(built, i);
    X509_up_ref(certificate);
    path.emplace_back(certificate);
  }
  return path;
}

// OpenSSL's X509_check_host() is stricter than libpq: it does not accept "*.internal" as a
// wildcard.
bool same_name(std::string_view name, std::string_view host) {
  if (name.find('\0') != std::string_view::npos) return false;  // a trick to look like another
  if (text::equal_ignoring_case(name, host)) return true;
  const std::size_t dot = host.find('.');
  return name.starts_with("*.") && dot != std::string_view::npos && dot > 0 &&
         text::equal_ignoring_case(name.substr(1), host.substr(dot));
}

// The bytes of an address as a certificate holds them; empty if `host` is a name.
std::string address_bytes(std::string_view host) {
  const std::string text(host.substr(0, host.find('%')));  // fe80::1%eth0
  std::string bytes(sizeof(in6_addr), '\0');
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(sizeof(in_addr));
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ? bytes : "";
}

}  // namespace

CertificatePtr parse_certificate(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return CertificatePtr(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

VerifiedPath verify_chain(std::span<const CertificatePtr> chain, X509_STORE* roots,
                          std::int64_t now) {
  VerifiedPath result;
  if (roots == nullptr) {
    result.verification.error = "no trusted roots to verify against";
    return result;
  }
  const std::unique_ptr<STACK_OF(X509), StackDeleter> untrusted(sk_X509_new_null());
  const std::unique_ptr<X509_STORE_CTX, StoreContextDeleter> context(X509_STORE_CTX_new());
  bool ready = untrusted && context;
  for (const CertificatePtr& certificate : chain.subspan(1)) {
    ready = ready && sk_X509_push(untrusted.get(), certificate.get()) > 0;
  }
  if (!ready ||
      X509_STORE_CTX_init(context.get(), roots, chain.front().get(), untrusted.get()) != 1) {
    result.verification.error = X509_verify_cert_error_string(X509_V_ERR_OUT_OF_MEM);
    return result;
  }
  int first_error = X509_V_OK;
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_auth_level(rules, 0);
  X509_VERIFY_PARAM_set_depth(rules, kMaxDepth);
  X509_VERIFY_PARAM_set_time(rules, static_cast<std::time_t>(now));
  X509_STORE_CTX_set_app_data(context.get(), &first_error);
  X509_STORE_CTX_set_verify_cb(context.get(), note_first_error);

  const int status = X509_verify_cert(context.get());
  if (status != 1 && first_error == X509_V_OK) {
    first_error = X509_STORE_CTX_get_error(context.get());
    if (first_error == X509_V_OK) first_error = X509_V_ERR_UNSPECIFIED;
  }
  result.verification.verified = first_error == X509_V_OK;
  if (first_error != X509_V_OK) {
    result.verification.error = X509_verify_cert_error_string(first_error);
  }
  result.certificates = built_path(context.get());
  return result;
}

bool matches_host(const X509* certificate, std::string_view host) {
  if (host.empty()) return false;
  const std::string address = address_bytes(host);
  const x509::NameKind kind = address.empty() ? x509::NameKind::kDns : x509::NameKind::kAddress;
  bool ask_common_name = true;
  for (const x509::AlternativeName& name : x509::alternative_names(certificate)) {
    if (name.kind == kind) ask_common_name = false;
    if (name.kind == x509::NameKind::kDns && same_name(name.bytes, host)) return true;
    if (name.kind == x509::NameKind::kAddress && !address.empty() && name.bytes == address) {
      return true;
    }
  }
  if (!ask_common_name) return false;
  const std::optional<std::string> common = x509::common_name(certificate);
  return common && same_name(*common, host);
}

}  // namespace pgconn::probes
