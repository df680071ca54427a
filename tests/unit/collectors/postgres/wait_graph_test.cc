#include "collectors/postgres/wait_graph.h"

#include "tests/support/catch.h"

using namespace pgconn::collectors;

TEST_CASE("Nobody waits: no roots, no depth") {
  const WaitGraph graph;
  CHECK(graph.roots().empty());
  CHECK(graph.depth() == 0);
}

TEST_CASE("A chain of three waits has one root and depth 3") {
  WaitGraph graph;
  graph.add(2, {1});
  graph.add(3, {2});
  graph.add(4, {3});
  CHECK(graph.roots() == std::vector<WaitGraph::Pid>{1});
  CHECK(graph.depth() == 3);
  CHECK(graph.behind({1}) == std::set<WaitGraph::Pid>{2, 3, 4});
  CHECK(graph.behind({2}) == std::set<WaitGraph::Pid>{3, 4});
}

TEST_CASE("A queue for one lock is as deep as its shortest way to the root") {
  WaitGraph graph;
  graph.add(2, {1});
  graph.add(3, {1, 2});
  graph.add(4, {1, 2, 3});
  CHECK(graph.depth() == 1);
}

TEST_CASE("A deadlock that is not detected yet has no root and ends the search") {
  WaitGraph graph;
  graph.add(1, {2});
  graph.add(2, {1});
  CHECK(graph.roots().empty());
  CHECK(graph.depth() == 1);
}

TEST_CASE("Sessions behind a cycle and a root are found once") {
  WaitGraph graph;
  graph.add(1, {2, 9});
  graph.add(2, {1});
  graph.add(3, {2});
  CHECK(graph.roots() == std::vector<WaitGraph::Pid>{9});
  CHECK(graph.depth() == 3);
  CHECK(graph.behind({9}) == std::set<WaitGraph::Pid>{1, 2, 3});
}
