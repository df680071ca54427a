#include "probes/certificates/files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include "files/bounded_file.h"
#include "probes/certificates/text.h"
#include "probes/certificates/verification.h"

namespace pgconn::probes {
namespace {

struct FileText {
  std::string text;
  std::string error;
};

FileText read_text(const std::string& path) {
  try {
    auto text = files::read_bounded_regular_file(path, kMaxCertificateFile);
    if (!text) return {"", path + " is not a regular file"};
    if (text->size() > kMaxCertificateFile) {
      OPENSSL_cleanse(text->data(), text->size());
      return {"", path + " is larger than 1 MiB"};
    }
    return {*std::move(text), ""};
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::is_a_directory) return {"", path + " is not a regular file"};
    return {"", "cannot read " + path + ": " + error.code().message()};
  }
}

// One block between BEGIN and END.
struct PemBlock {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;

  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));  // may be a private key
  }
  std::string_view der() const {
    return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
  }
};

struct CrlDeleter {
  void operator()(X509_CRL* crl) const { X509_CRL_free(crl); }
};

// False if the block claims to be a certificate or a list but is not.
bool take(const PemBlock& block, CertificateFile& file) {
  const std::string_view name = block.name;
  if (name == PEM_STRING_X509 || name == PEM_STRING_X509_OLD || name == PEM_STRING_X509_TRUSTED) {
    if (!parse_certificate(block.der())) return false;
    file.certificates.emplace_back(block.der());
  } else if (name == PEM_STRING_X509_CRL) {
    const unsigned char* bytes = block.data;
    const std::unique_ptr<X509_CRL, CrlDeleter> crl(d2i_X509_CRL(nullptr, &bytes, block.size));
    if (!crl) return false;
    file.crls.push_back({name_text(X509_CRL_get_issuer(crl.get())),
                         unix_time(X509_CRL_get0_nextUpdate(crl.get()))});
  }
  return true;
}

CertificateRoots::Answer load_roots(const std::string& path) {
  const CertificateFile file = read_certificate_file(path);
  if (file.certificates.empty()) {
    return {nullptr, file.error.empty() ? path + " holds no certificate" : file.error};
  }
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  if (!store) return {nullptr, "no memory for the roots in " + path};
  for (const std::string& der : file.certificates) {
    X509_STORE_add_cert(store.get(), parse_certificate(der).get());
  }
  ERR_clear_error();  // the queue is shared with libpq, which reads it
  return {std::move(store), file.error};
}

}  // namespace

CertificateFile parse_certificate_file(std::string_view pem) {
  CertificateFile file;
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(
                                      pem.size(), std::numeric_limits<int>::max()))),
      BIO_free);
  ERR_clear_error();
  for (int number = 1; in; ++number) {
    PemBlock block;
    if (PEM_read_bio(in.get(), &block.name, &block.header, &block.data, &block.size) != 1) {
      // No further block: the normal end of a file.
      if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
      file.error = "block " + std::to_string(number) + " is not well-formed PEM";
      break;
    }
    if (!take(block, file) && file.error.empty()) {
      file.error = "block " + std::to_string(number) + " is no readable " + block.name;
    }
  }
  ERR_clear_error();  // the queue is shared with libpq, which reads it
  if (file.error.empty() && file.certificates.empty() && file.crls.empty()) {
    file.error = "holds neither certificate nor revocation list in PEM";
  }
  return file;
}

CertificateFile read_certificate_file(const std::string& path) {
  FileText read = read_text(path);
  if (!read.error.empty()) return {{}, {}, std::move(read.error)};
  CertificateFile file = parse_certificate_file(read.text);
  OPENSSL_cleanse(read.text.data(), read.text.size());  // a private key may be in the same file
  if (!file.error.empty()) file.error = path + ": " + file.error;
  return file;
}

CertificateRoots::Answer CertificateRoots::load(const std::string& path) {
  const auto stamp = files::stamp_of(path);
  if (!stamp) {
    const std::string reason = std::generic_category().message(errno);
    entries_.erase(path);
    return {nullptr, "cannot read " + path + ": " + reason};
  }
  const auto found = entries_.find(path);
  if (found != entries_.end() && found->second.stamp == *stamp) return found->second.answer;
  Entry entry{*stamp, load_roots(path)};
  return entries_.insert_or_assign(path, std::move(entry)).first->second.answer;
}

void CertificateRoots::keep_only(const std::vector<std::string>& paths) {
  std::erase_if(entries_, [&](const auto& entry) {
    return std::find(paths.begin(), paths.end(), entry.first) == paths.end();
  });
}

}  // namespace pgconn::probes
