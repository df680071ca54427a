// What is remembered of a source of certificates, and which part of a new look is news. Bookkeeping
// without I/O; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/certificates/metrics.h"

namespace pgconn::probes {

struct CertificateNews {
  enum class What {
    kRotated,  // other certificates than before; detail: the serial number of the first one
    kWrong,    // a new fault, or another one than before; detail: what
    kRight,    // no longer any fault
  };
  What what = What::kRotated;
  std::string source;
  std::string detail{};
};

// One look at a source.
struct CertificateLook {
  bool readable = false;
  // If it has no certificate or list, this look showed none, and what was seen before still counts.
  ChainFacts facts{};
  std::vector<RevocationList> crls{};
  std::string wrong{};  // in words; empty if nothing is
};

// What is wrong with a server's certificates, in words; empty if nothing. `roots_error` says why
// there are no roots, or is empty.
std::string wrong_with(const ChainFacts& facts, std::string_view host,
                       std::string_view roots_error);

class CertificateWatch {
 public:
  explicit CertificateWatch(std::string source);

  // Returns what has changed since the previous look; a fault at the first look is news too.
  std::vector<CertificateNews> take(CertificateLook look);

  // As last seen.
  const CertificateSource& source() const { return source_; }
  bool has_looked() const { return has_looked_; }
  bool has_seen() const { return !source_.facts.certificates.empty() || !source_.crls.empty(); }

 private:
  CertificateSource source_;
  std::string wrong_;
  bool has_looked_ = false;
};

}  // namespace pgconn::probes
