#include <string>

#include "metrics/exposition.h"
#include "tests/support/catch.h"

namespace pgconn::metrics {
namespace {

TEST_CASE("content types name version and charset") {
  CHECK(content_type(Format::kText) == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(content_type(Format::kOpenMetrics) ==
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

TEST_CASE("Prometheus gets OpenMetrics") {
  // Prometheus 2
  CHECK(negotiate("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
                  "version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1") ==
        Format::kOpenMetrics);
  // Prometheus 3, which may ask for protobuf first
  CHECK(negotiate("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                  "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
                  "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2") ==
        Format::kOpenMetrics);
  CHECK(negotiate("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                  "encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;"
                  "escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2") ==
        Format::kOpenMetrics);
}

TEST_CASE("Prometheus gets the text format if configured to prefer it") {
  CHECK(negotiate("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;"
                  "q=0.5,*/*;q=0.1") == Format::kText);
}

TEST_CASE("a client that does not ask for OpenMetrics by name gets text") {
  for (const char* accept :
       {"", "*/*", "text/plain", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/*", "application/json", "application/vnd.google.protobuf"}) {
    INFO(accept);
    CHECK(negotiate(accept) == Format::kText);
  }
}

TEST_CASE("OpenMetrics is given for a version this writes, quoted or in capitals or spaced") {
  for (const char* accept :
       {"application/openmetrics-text", "application/openmetrics-text;version=1.0.0",
        "application/openmetrics-text; version=0.0.1", "Application/OpenMetrics-Text;VERSION=1.0.0",
        "application/openmetrics-text;version=\"1.0.0\";charset=utf-8",
        " \tapplication/openmetrics-text ; version = 1.0.0 ; q = 1 "}) {
    INFO(accept);
    CHECK(negotiate(accept) == Format::kOpenMetrics);
  }
  CHECK(negotiate("application/openmetrics-text;version=2.0.0") == Format::kText);
  CHECK(negotiate("application/openmetrics-text;version=2.0.0,text/plain;q=0.1") == Format::kText);
}

TEST_CASE("the quality decides, a tie goes to OpenMetrics, and 0 is a refusal") {
  CHECK(negotiate("application/openmetrics-text;q=0.4,text/plain;q=0.5") == Format::kText);
  CHECK(negotiate("application/openmetrics-text,text/plain") == Format::kOpenMetrics);
  CHECK(negotiate("application/openmetrics-text;q=0.4,text/*;q=0.5") == Format::kText);
  CHECK(negotiate("application/openmetrics-text;q=0.4,*/*;q=0.5") == Format::kText);
  CHECK(negotiate("application/openmetrics-text;q=0") == Format::kText);
  CHECK(negotiate("application/openmetrics-text;q=0.000,text/plain;q=0") == Format::kText);
}

TEST_CASE("an entry that names text/plain counts before a wildcard") {
  CHECK(negotiate("application/openmetrics-text;q=0.5,text/plain;q=0.2,*/*;q=0.9") ==
        Format::kOpenMetrics);
  CHECK(negotiate("application/openmetrics-text;q=0.5,text/plain;version=1.0.0;q=0.9") ==
        Format::kOpenMetrics);
}

TEST_CASE("a header that cannot be read gets text") {
  for (const char* accept :
       {";;;,,,===", "openmetrics", "application/openmetrics-text;q=abc",
        "application/openmetrics-text;q=", "application/openmetrics-text;q=nan",
        "application/openmetrics-text;q=2", "application/openmetrics-text;q=-1",
        "application/openmetrics-text;q=0.5x", "\"", "\xFF\xFE,", ",", ";", "q=1"}) {
    INFO(accept);
    CHECK(negotiate(accept) == Format::kText);
  }
  CHECK(negotiate(std::string(20000, ',')) == Format::kText);
  CHECK(negotiate(std::string(20000, ';')) == Format::kText);
}

TEST_CASE("gzip is given where it is accepted") {
  for (const char* header : {"gzip", "gzip, deflate, br", "deflate, GZIP;q=0.5", "x-gzip", "*",
                             "identity;q=1, *;q=0.5", "gzip;q=0.001, *;q=0"}) {
    INFO(header);
    CHECK(accepts_gzip(header));
  }
}

TEST_CASE("gzip is not given where it is refused or not named") {
  for (const char* header : {"", "identity", "deflate, br", "gzip;q=0", "gzip; q=0.0, *", "*;q=0",
                             "gzipped", "br;q=1, gzip;q=bad"}) {
    INFO(header);
    CHECK_FALSE(accepts_gzip(header));
  }
}

}  // namespace
}  // namespace pgconn::metrics
