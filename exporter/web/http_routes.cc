#include "exporter/web/http_routes.h"

#include <algorithm>

namespace pgconn::exporter {
namespace {

// The root of a route for a whole tree of paths, else nothing.
std::string_view tree_root(std::string_view route) {
  return route.ends_with("/*") ? route.substr(0, route.size() - 2) : std::string_view();
}

bool is_in_tree(std::string_view path, std::string_view root) {
  return !root.empty() && path.starts_with(root) &&
         (path.size() == root.size() || path[root.size()] == '/');
}

}  // namespace

Route find_route(const Routes& routes, std::string_view path) {
  if (!path.starts_with('/')) return {};
  if (const auto exact = routes.find(path); exact != routes.end() && tree_root(path).empty()) {
    return {exact->first, &exact->second, false};
  }
  if (const auto post = routes.find(std::string(kPost).append(path)); post != routes.end()) {
    return {std::string_view(post->first).substr(kPost.size()), &post->second, true};
  }
  const auto tree = std::ranges::find_if(routes, [path](const Routes::value_type& route) {
    return is_in_tree(path, tree_root(route.first));
  });
  if (tree != routes.end()) return {tree_root(tree->first), &tree->second, false};
  return {};
}

}  // namespace pgconn::exporter
