// Certificates and revocation lists in PEM files, and the roots that chains are verified against.
// Reading blocks the thread for as long as the disk takes, and a file is at most 1 MiB: keep these
// files on local disks. Measured: 1 ms for a file of a few certificates, 25 ms for a system's
// bundle of roots, once for each change. Errors are values; every message names the path.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/file_stamp.h"

namespace pgconn::probes {

inline constexpr std::size_t kMaxCertificateFile = std::size_t{1024} * 1024;

struct RevocationList {
  std::string issuer;                       // RFC 2253
  std::optional<std::int64_t> next_update;  // Unix time; absent if the list does not promise one
};

struct CertificateFile {
  std::vector<std::string> certificates;  // DER, in the file's order
  std::vector<RevocationList> crls;
  // Empty if the file could be read and contains at least one of the two, else the reason. Whatever
  // could be read is present in any case.
  std::string error;
};

// Reads the file. Private keys in it are skipped and not kept. Any thread; blocks.
CertificateFile read_certificate_file(const std::string& path);

// The same for text already in memory. Pure.
CertificateFile parse_certificate_file(std::string_view pem);

// Sets of trusted roots, one for each file, loaded when first asked for and again when the file has
// changed. Shared by all probes: a system's bundle costs 1 MB. I/O thread only.
class CertificateRoots {
 public:
  struct Answer {
    std::shared_ptr<X509_STORE> store;  // null if the file yields no root
    std::string error;                  // why it is null, or what in the file was skipped
  };

  // Checks whether the file has changed (a stat) and loads it if so (blocks). The store may be kept
  // for one verification or longer; it never changes.
  Answer load(const std::string& path);

  // Forgets all files but these, after a reload.
  void keep_only(const std::vector<std::string>& paths);

 private:
  struct Entry {
    files::FileStamp stamp;
    Answer answer;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace pgconn::probes
