// Which certificates a client may show in a TLS handshake, by the web configuration.
#pragma once

#include <openssl/types.h>

#include "config/web_config.h"

namespace pgconn::exporter {

// Makes handshakes of `context` ask for the client's certificate and judge it. The context's store
// must hold the authorities, if certificates are verified; `tls` must outlive the context.
void ask_for_certificates(SSL_CTX* context, const config::WebTls& tls);

}  // namespace pgconn::exporter
