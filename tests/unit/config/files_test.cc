// The list `files`, of the file and of its targets.
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

using Files = std::vector<WatchedFile>;

TEST_CASE("a target's files come on top of the file's, and take the place of those they name") {
  const ValidatedConfig config = load(
      "targets:\n"
      "  - {name: a, files: [{name: crl, path: /a.crl}, {name: ca, path: /own-ca.crt}]}\n"
      "  - {name: b}\n"
      "files:\n"
      "  - {name: ca, path: /ca.crt}\n"
      "  - {name: client, path: /client.crt}\n");
  const Files shared = {{"ca", "/ca.crt"}, {"client", "/client.crt"}};
  CHECK(config->files == shared);
  CHECK(config->targets.at(0).files ==
        Files{{"client", "/client.crt"}, {"crl", "/a.crl"}, {"ca", "/own-ca.crt"}});
  CHECK(config->targets.at(1).files == shared);
}

TEST_CASE("no files are watched unless some are named") {
  CHECK(load("targets: [{name: a}]\n")->targets.at(0).files.empty());
  CHECK(load("files: []\ntargets: [{name: a}]\n")->targets.at(0).files.empty());
}

TEST_CASE("the same file may be watched under two names") {
  CHECK(refusal("files: [{name: a, path: /x.pem}, {name: b, path: /x.pem}]\n"
                "targets: [{name: t}]\n") == "accepted");
}

}  // namespace
}  // namespace pgconn::config
