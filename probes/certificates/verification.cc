#include "probes/certificates/verification.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <string>

#include "text/ascii.h"

namespace pgconn::probes {
namespace {

constexpr int kMaxDepth = 16;  // bounds chains with circular signatures

struct StoreContextDeleter {
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};
struct StackDeleter {  // frees the stack, not what is in it
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
struct NamesDeleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
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

std::string_view bytes_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

bool matches_common_name(const X509* certificate, std::string_view host) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return false;
  return same_name(bytes_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))), host);
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
  const int kind = address.empty() ? GEN_DNS : GEN_IPADD;
  const std::unique_ptr<GENERAL_NAMES, NamesDeleter> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  bool ask_common_name = true;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == kind) ask_common_name = false;
    if (name->type == GEN_DNS && same_name(bytes_of(name->d.dNSName), host)) return true;
    if (name->type == GEN_IPADD && !address.empty() && bytes_of(name->d.iPAddress) == address) {
      return true;
    }
  }
  return ask_common_name && matches_common_name(certificate, host);
}

}  // namespace pgconn::probes
