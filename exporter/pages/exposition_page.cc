#include "exporter/pages/exposition_page.h"

namespace pgconn::exporter {

Response exposition_page(const Request& request, std::span<const metrics::LabeledBatch> batches) {
  const metrics::Format format = metrics::negotiate(request.header("accept"));
  Response response;
  response.content_type = std::string(metrics::content_type(format));
  response.body = metrics::expose(batches, format);
  response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  if (metrics::accepts_gzip(request.header("accept-encoding"))) {
    response.body = metrics::gzip(response.body);
    response.headers.emplace_back("Content-Encoding", "gzip");
  }
  return response;
}

}  // namespace pgconn::exporter
