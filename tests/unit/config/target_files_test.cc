// Files of targets, in both forms, with what they share with the configuration.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

class Files {
 public:
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(directory_.path(name), std::ios::binary) << text;
  }
  std::string path(const std::string& name) const { return directory_.path(name); }

  ValidatedConfig load(const std::string& more = "") const {
    write("main.yml", "target_files:\n  - files: [" + path("*.json") + ", " + path("t*.yml") +
                          "]\n    dsn: user=pgconn\n    labels: {env: prod}\n" + more);
    Vocabulary words = test_vocabulary();
    words.complete_dsn = [](std::string_view dsn, const Place& place) {
      return std::string(dsn) + " at " + place.host + " " + std::to_string(place.port) + " " +
             place.database;
    };
    return load_file(path("main.yml"), words);
  }
  std::string refusal(const std::string& more = "") const {
    try {
      load(more);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  }

 private:
  test::TemporaryDirectory directory_;
};

TEST_CASE("Targets of files in our own form start from their entry") {
  const Files files;
  files.write("t1.yml",
              "targets:\n  - {name: a, dsn: host=a}\n  - {name: b, labels: {env: test}}\n");
  const ValidatedConfig config = files.load();
  REQUIRE(config->targets.size() == 2);
  CHECK(config->targets[0].dsn == "host=a");
  CHECK(config->targets[0].labels.at("env") == "prod");
  CHECK(config->targets[1].dsn == "user=pgconn");
  CHECK(config->targets[1].labels.at("env") == "test");
  CHECK(config->target_file_versions.contains(files.path("t1.yml")));
}

TEST_CASE("Prometheus's groups of addresses become targets with their labels") {
  const Files files;
  files.write("sd.json", R"([{"targets": ["db1:5433", "[2001:db8::1]:5432/app"],
      "labels": {"cluster": "orders", "job": "pg", "__meta_x": "y", "instance": "z"}},
      {"targets": ["db2"]}])");
  const ValidatedConfig config = files.load();
  REQUIRE(config->targets.size() == 3);
  CHECK(config->targets[0].name == "db1:5433");
  CHECK(config->targets[0].dsn == "user=pgconn at db1 5433 ");
  CHECK(config->targets[0].labels ==
        std::map<std::string, std::string>{{"cluster", "orders"}, {"env", "prod"}});
  CHECK(config->targets[1].name == "2001:db8::1:5432:app");
  CHECK(config->targets[1].dsn == "user=pgconn at 2001:db8::1 5432 app");
  CHECK(config->targets[2].name == "db2");
}

TEST_CASE("No file, or one without targets, is no error") {
  const Files files;
  CHECK(files.load()->targets.empty());
  files.write("t.yml", "targets: []\n");
  files.write("sd.json", "[]");
  CHECK(files.load()->targets.empty());
  CHECK(files.load()->target_file_versions.size() == 2);
}

TEST_CASE("What is wrong in such a file names file and line") {
  const Files files;
  const auto says = [&](std::string_view text, const std::string& message) {
    files.write("t.yml", text);
    CHECK(files.refusal() == files.path("t.yml") + ":" + message);
  };
  says("", "1: the file is empty, perhaps not written yet; `[]` says that there are no targets");
  says("targets:\n  - {dsn: host=a}\n",
       "2: targets[0]: `name` is missing; allowed: 1 to 100 characters of `[A-Za-z0-9_.:-]`");
  says("global: {}\n", "1: global: unknown key; allowed: targets");
  says("- {targets: [\"a b\"]}\n",
       "1: [0].targets[0]: is not a server; allowed: HOST[:PORT][/DATABASE]");
  says("- {labels: {a: b}}\n",
       "1: [0]: `targets` is missing; allowed: a mapping with `targets` and possibly `labels`");
  says("- {targets: [a], labels: {target: x}}\n",
       "1: [0].labels.target: is a label the metrics use themselves; allowed: any other name, such "
       "as `cluster`");
}

TEST_CASE("A name is used once, in whichever file") {
  const Files files;
  files.write("t1.yml", "targets: [{name: a}]\n");
  files.write("t2.yml", "targets: [{name: a}]\n");
  CHECK(files.refusal() == files.path("t2.yml") + ":1: `a` is already the name of a target in " +
                               files.path("t1.yml") +
                               ":1; allowed: a different name for each target");
  std::filesystem::remove(files.path("t2.yml"));
  CHECK(files.refusal("targets: [{name: a}]\n") ==
        files.path("t1.yml") +
            ":1: `a` is already the name of a target in the configuration file; allowed: a "
            "different name for each target");
}

TEST_CASE("Addresses cannot be added to a connection string that names a server") {
  const Files files;
  files.write("sd.json", R"([{"targets": ["db1"]}])");
  files.write("main.yml",
              "target_files:\n  - files: [" + files.path("sd.json") + "]\n    dsn: host=other\n");
  try {
    load_file(files.path("main.yml"), test_vocabulary());
    FAIL("accepted");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what())
              .find("cannot be added to the `dsn` of its `target_files`, "
                    "which names a host") != std::string::npos);
  }
}

}  // namespace
}  // namespace pgconn::config
