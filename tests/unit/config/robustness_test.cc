// Whatever bytes a file holds, the loader returns a configuration or throws ConfigError. The seeds
// are fixed: a failure repeats.
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

constexpr int kRounds = 4000;

class Bytes {
 public:
  explicit Bytes(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return engine_() % end; }
  char from(std::string_view alphabet) { return alphabet[below(alphabet.size())]; }

 private:
  std::mt19937 engine_;
};

// Any other exception fails the test by leaving it.
bool loads(const std::string& yaml) {
  try {
    load(yaml);
    return true;
  } catch (const ConfigError& error) {
    REQUIRE(std::string(error.what()).starts_with("test.yml:"));
    return false;
  }
}

std::vector<std::string> samples() {
  std::vector<std::string> texts;
  for (const char* folder : {"config/examples", "config/bad"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(PGCONN_SOURCE_DIR "/") + folder)) {
      if (entry.path().extension() == ".yml") {
        texts.push_back(read_source(folder + ("/" + entry.path().filename().string())));
      }
    }
  }
  return texts;
}

TEST_CASE("random bytes are refused") {
  Bytes bytes(1);
  for (int round = 0; round < kRounds; ++round) {
    std::string yaml(1 + bytes.below(200), '\0');
    for (char& c : yaml) c = static_cast<char>(bytes.below(256));
    CHECK_FALSE(loads(yaml));
  }
}

TEST_CASE("random sequences of YAML's own characters are refused") {
  Bytes bytes(2);
  for (int round = 0; round < kRounds; ++round) {
    std::string yaml(1 + bytes.below(120), '\0');
    for (char& c : yaml) c = bytes.from(" \n\n:-?[]{},&*!|>%@`\"'#ab1~.<\\\r\t");
    CHECK_FALSE(loads(yaml));
  }
}

TEST_CASE("mutated files load or are refused") {
  Bytes bytes(3);
  const std::vector<std::string> texts = samples();
  REQUIRE(texts.size() > 50);
  int loaded = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string yaml = texts[bytes.below(texts.size())];
    for (std::size_t change = 1 + bytes.below(4); change > 0 && !yaml.empty(); --change) {
      const std::size_t at = bytes.below(yaml.size());
      switch (bytes.below(4)) {
        case 0:
          yaml.erase(at, 1 + bytes.below(10));
          break;
        case 1:
          yaml.insert(at, 1, bytes.from(" \n:-[]{}&*!|>\"'#\\0x"));
          break;
        case 2:
          yaml[at] = static_cast<char>(bytes.below(256));
          break;
        case 3:
          yaml.insert(at, yaml.substr(bytes.below(yaml.size()), bytes.below(40)));
          break;
      }
    }
    loaded += loads(yaml) ? 1 : 0;
  }
  CHECK(loaded > 0);
  CHECK(loaded < kRounds);
}

TEST_CASE("every beginning of a file loads or is refused") {
  const std::string yaml = read_source("config/examples/full.yml");
  for (std::size_t length = 0; length < yaml.size(); ++length) loads(yaml.substr(0, length));
  CHECK(loads(yaml));
}

}  // namespace
}  // namespace pgconn::config
