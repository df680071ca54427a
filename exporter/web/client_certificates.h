// Which certificates a client may show in a TLS handshake, by the web configuration.
#pragma once

#include <openssl/types.h>

#include <string>
#include <vector>

#include "config/web_config.h"

namespace pgconn::exporter {

// Makes handshakes of `context` ask for the client's certificate and judge it. The context's store
// must hold the authorities, if certificates are verified; `tls` must outlive the context.
void ask_for_certificates(SSL_CTX* context, const config::WebTls& tls);

// The names a certificate is for, as text: DNS, e-mail, IP address (as inet_ntop writes it), URI.
std::vector<std::string> alternative_names(const X509* certificate);

}  // namespace pgconn::exporter
