#include "exporter/web/http_routes.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

Handler says(std::string body) {
  return [body = std::move(body)](const Request&) {
    Response response;
    response.body = body;
    return response;
  };
}

const Routes kRoutes = {{"/", says("root")},
                        {"/pages/*", says("pages")},
                        {"/pages/own", says("own")},
                        {"/pagesize", says("size")},
                        {"POST /-/reload", says("reload")}};

std::string answer_of(std::string_view path) {
  const Route route = find_route(kRoutes, path);
  return route.handler == nullptr ? "nothing" : (*route.handler)({}).body;
}

TEST_CASE("a route is for its path alone") {
  CHECK(answer_of("/") == "root");
  CHECK(answer_of("/pagesize") == "size");
  CHECK(answer_of("/pagesize/") == "nothing");
  CHECK(answer_of("/nowhere") == "nothing");
  CHECK(answer_of("") == "nothing");
}

TEST_CASE("a route that ends in /* is for its root and all below, unless another names the path") {
  CHECK(answer_of("/pages") == "pages");
  CHECK(answer_of("/pages/") == "pages");
  CHECK(answer_of("/pages/a/b") == "pages");
  CHECK(answer_of("/pages/*") == "pages");
  CHECK(answer_of("/pages/own") == "own");
  CHECK(answer_of("/page") == "nothing");
  CHECK(answer_of("/x/pages") == "nothing");
}

TEST_CASE("a route that changes something is named by its path alone") {
  CHECK(answer_of("/-/reload") == "reload");
  CHECK(find_route(kRoutes, "/-/reload").name == "/-/reload");
  CHECK(find_route(kRoutes, "/-/reload").changes);
  CHECK_FALSE(find_route(kRoutes, "/pages").changes);
  CHECK(answer_of("POST /-/reload") == "nothing");
}

TEST_CASE("the name of a route is one of few, whatever the path is") {
  CHECK(find_route(kRoutes, "/pages/a/b").name == "/pages");
  CHECK(find_route(kRoutes, "/pages/*").name == "/pages");
  CHECK(find_route(kRoutes, "/pages/own").name == "/pages/own");
  CHECK(find_route(kRoutes, "/nowhere").name == "other");
}

}  // namespace
}  // namespace pgconn::exporter
