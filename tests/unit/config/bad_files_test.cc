// config/bad/ holds one file for each kind of error, config/bad/messages.txt the messages, exactly.
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

// By file name; the lines of one file keep their order.
std::map<std::string, std::string> expected_messages() {
  std::map<std::string, std::string> messages;
  std::istringstream lines(read_source("config/bad/messages.txt"));
  for (std::string line; std::getline(lines, line);) {
    std::string& message = messages[line.substr(0, line.find(':'))];
    message += (message.empty() ? "" : "\n") + line;
  }
  return messages;
}

std::map<std::string, std::string> bad_files() {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(PGCONN_SOURCE_DIR "/config/bad")) {
    const std::string name = entry.path().filename().string();
    if (name != "messages.txt") files[name] = read_source("config/bad/" + name);
  }
  return files;
}

TEST_CASE("every bad file is refused with exactly its message") {
  const auto expected = expected_messages();
  const auto files = bad_files();
  REQUIRE(files.size() > 50);
  for (const auto& [name, yaml] : files) {
    INFO(name);
    const auto message = expected.find(name);
    if (message == expected.end()) {
      FAIL("config/bad/messages.txt has no message for it; the loader says: " +
           refusal(yaml, name));
    }
    CHECK(refusal(yaml, name) == message->second);
  }
}

TEST_CASE("every message belongs to a bad file") {
  const auto files = bad_files();
  for (const auto& [name, message] : expected_messages()) {
    INFO(message);
    CHECK(files.contains(name));
  }
}

TEST_CASE("no message repeats a secret of its file") {
  int secrets = 0;
  for (const auto& [name, yaml] : bad_files()) {
    INFO(name);
    if (yaml.find("hunter2") == std::string::npos) continue;
    ++secrets;
    CHECK(refusal(yaml, name).find("hunter2") == std::string::npos);
  }
  CHECK(secrets > 10);
}

}  // namespace
}  // namespace pgconn::config
