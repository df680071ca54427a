#include <algorithm>
#include <charconv>
#include <system_error>

#include "metrics/exposition.h"
#include "text/ascii.h"

namespace pgconn::metrics {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the part before `separator` off the front of `text`, trimmed.
std::string_view next(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(part);
}

// A quality between 0 and 1; 0, which is a refusal, if it cannot be read.
double parse_quality(std::string_view text) {
  double quality = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, quality, std::chars_format::fixed);
  const bool valid = error == std::errc() && rest == end && quality >= 0 && quality <= 1;
  return valid ? quality : 0;
}

// One alternative of an Accept or Accept-Encoding header.
struct Alternative {
  std::string_view name;
  std::string_view version;  // empty if none is named
  double quality = 1;
};

Alternative next_alternative(std::string_view& header) {
  std::string_view text = next(header, ',');
  Alternative alternative{.name = next(text, ';'), .version = {}, .quality = 1};
  while (!text.empty()) {
    std::string_view value = next(text, ';');
    const std::string_view key = next(value, '=');
    value = trimmed(value);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (text::equal_ignoring_case(key, "q")) alternative.quality = parse_quality(value);
    if (text::equal_ignoring_case(key, "version")) alternative.version = value;
  }
  return alternative;
}

// What a header says about one format: the most specific alternative that covers it counts.
class Preference {
 public:
  void consider(int specificity, double quality) {
    if (specificity < specificity_) return;
    quality_ = specificity > specificity_ ? quality : std::max(quality_, quality);
    specificity_ = specificity;
  }
  double quality() const { return quality_; }

 private:
  int specificity_ = 0;
  double quality_ = 0;
};

}  // namespace

std::string_view content_type(Format format) {
  return format == Format::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

Format negotiate(std::string_view accept) {
  Preference text;
  Preference open_metrics;
  while (!accept.empty()) {
    const auto [name, version, quality] = next_alternative(accept);
    if (text::equal_ignoring_case(name, "application/openmetrics-text")) {
      if (version.empty() || version == "1.0.0" || version == "0.0.1") {
        open_metrics.consider(1, quality);
      }
    } else if (text::equal_ignoring_case(name, "text/plain")) {
      if (version.empty()) text.consider(3, quality);
      if (version == "0.0.4") text.consider(4, quality);
    } else if (text::equal_ignoring_case(name, "text/*")) {
      text.consider(2, quality);
    } else if (name == "*/*") {
      text.consider(1, quality);
    }
  }
  const bool wanted = open_metrics.quality() > 0 && open_metrics.quality() >= text.quality();
  return wanted ? Format::kOpenMetrics : Format::kText;
}

bool accepts_gzip(std::string_view accept_encoding) {
  Preference gzip;
  while (!accept_encoding.empty()) {
    const auto [name, version, quality] = next_alternative(accept_encoding);
    if (text::equal_ignoring_case(name, "gzip") || text::equal_ignoring_case(name, "x-gzip")) {
      gzip.consider(2, quality);
    } else if (name == "*") {
      gzip.consider(1, quality);
    }
  }
  return gzip.quality() > 0;
}

}  // namespace pgconn::metrics
