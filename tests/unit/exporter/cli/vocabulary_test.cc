#include "exporter/cli/vocabulary.h"

#include <filesystem>
#include <string>
#include <utility>

#include "tests/support/catch.h"
#include "tests/support/environment.h"

using namespace pgconn;

TEST_CASE("the example configurations name only collectors and labels that exist") {
  const config::Vocabulary words = exporter::vocabulary();
  int loaded = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(PGCONN_SOURCE_DIR "/config/examples")) {
    if (entry.path().filename() == "web.yml") continue;  // of the other format
    CAPTURE(entry.path().string());
    CHECK_NOTHROW(config::load_file(entry.path().string(), words));
    ++loaded;
  }
  CHECK(loaded > 0);
}

TEST_CASE("a label that a metric uses itself is refused as a static label") {
  const config::Vocabulary words = exporter::vocabulary();
  for (const char* label : {"target", "database", "collector", "le"}) {
    CAPTURE(label);
    CHECK(words.reserved_labels.contains(label));
  }
}

TEST_CASE("an unusable connection string is reported with its place, and not repeated") {
  const test::LibpqEnvironment environment;
  environment.write_services("[other]\nhost=db\n");
  const config::Vocabulary words = exporter::vocabulary();
  const std::pair<std::string, std::string> cases[] = {
      {"host=db sslmode=prefer",
       "sslmode=prefer is not supported: it hides why TLS failed; use verify-full, verify-ca, "
       "require or disable"},
      {"host=db usr=hunter2",
       "not a usable connection string: invalid connection option …; did you mean \"user\"?"},
      {"host=db port=hunter2",
       "the port must be a number from 1 to 65535; in a URI, "
       "percent-encode what is special in user and password"},
      {"service=orders",
       "not a usable connection string: definition of service \"orders\" not found"},
      {"host=db password=hunter2",
       "a password does not belong in the configuration; use password_file, password_env or a "
       "passfile"},
  };
  for (const auto& [dsn, wrong] : cases) {
    const std::string yaml = "targets:\n  - name: orders\n    dsn: " + dsn + "\n";
    std::string message;
    try {
      config::load_text(yaml, "pgconn.yml", words);
    } catch (const config::ConfigError& error) {
      message = error.what();
    }
    CHECK(message == "pgconn.yml:3: targets[0].dsn: " + wrong);
  }
}
