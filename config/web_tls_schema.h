// The section `tls_server_config` of the web configuration. Used by web_config.cc alone.
#pragma once

#include "config/field.h"
#include "config/web_config.h"

namespace pgconn::config {

inline constexpr std::string_view kWebTlsAllowed = "a mapping with `cert_file` and `key_file`";

// Reads the section and checks its keys against each other. Paths stay as they were written.
// False if it has no key that switches TLS on.
bool read_web_tls(const Value& value, ReadContext& context, WebTls& tls);

}  // namespace pgconn::config
