// Where a web configuration protects less than it may seem to. Used by web_config.cc alone.
#pragma once

#include <string>
#include <vector>

#include "config/web_config.h"
#include "config/yaml_document.h"

namespace pgconn::config {

// `root` is the file's document and `web` what was read from it. One line each: "web.yml:3: key:
// …".
std::vector<std::string> web_warnings(const YamlNode& root, const WebConfig& web,
                                      const std::string& path);

}  // namespace pgconn::config
