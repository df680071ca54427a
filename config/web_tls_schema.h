// The section `tls_server_config` of the web configuration. Used by web_config.cc alone.
#pragma once

#include "config/field.h"
#include "config/web_config.h"

namespace pgconn::config {

inline constexpr std::string_view kWebTlsAllowed = "a mapping with `cert_file` and `key_file`";

// Reads the section and checks its keys against each other. Paths stay as they were written.
void read_web_tls(const Value& value, ReadContext& context, WebTls& tls);

// A key of the format that this exporter does not support: refused with `instead`.
template <typename Section>
Field<Section> unsupported(std::string_view key, std::string_view instead) {
  return {
      .key = std::string(key),
      .type = "",
      .allowed = "",
      .default_text = "",
      .help = "",
      .read = [instead = std::string(instead)](const Value& value, ReadContext& context, Section&) {
        context.problems.add(value.node.line, value.path, "is not supported; " + instead);
      }};
}

}  // namespace pgconn::config
