#include "exporter/vocabulary.h"

#include <filesystem>

#include "tests/support/catch.h"

using namespace pgconn;

TEST_CASE("the example configurations name only collectors and labels that exist") {
  const config::Vocabulary words = exporter::vocabulary();
  int loaded = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(PGCONN_SOURCE_DIR "/config/examples")) {
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
