// News of certificates, for the log. Any thread.
#pragma once

#include <string>

#include "probes/certificates/watch.h"

namespace pgconn::exporter {

// Writes one line.
void log_certificates(const std::string& target, const probes::CertificateNews& news);

}  // namespace pgconn::exporter
