#include "exporter/log/log.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::exporter::log {
namespace {

// Replaces standard error with another descriptor during its lifetime.
class ReplacedStderr {
 public:
  explicit ReplacedStderr(int fd) : saved_(dup(STDERR_FILENO)) { dup2(fd, STDERR_FILENO); }
  ~ReplacedStderr() {
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }
  ReplacedStderr(const ReplacedStderr&) = delete;
  ReplacedStderr& operator=(const ReplacedStderr&) = delete;

 private:
  int saved_;
};

template <typename Action>
std::vector<std::string> lines_written_by(Action action) {
  std::FILE* const file = std::tmpfile();
  if (file == nullptr) throw std::runtime_error("no temporary file");
  {
    const ReplacedStderr replaced(fileno(file));
    action();
  }
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
    text.push_back(static_cast<char>(c));
  std::fclose(file);
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("records below the configured level are not written") {
  configure(Level::kWarn, Format::kLogfmt);
  const auto lines = lines_written_by([] {
    write(Level::kDebug, "no");
    write(Level::kInfo, "no");
    write(Level::kWarn, "yes", {{"n", "1"}});
    write(Level::kError, "yes", {{"n", "2"}});
  });
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], Catch::Matchers::EndsWith(" level=warn msg=yes n=1"));
  CHECK_THAT(lines[1], Catch::Matchers::EndsWith(" level=error msg=yes n=2"));
  CHECK_FALSE(enabled(Level::kInfo));
  CHECK(enabled(Level::kWarn));
}

TEST_CASE("braces in a message are text, not a format") {
  configure(Level::kInfo, Format::kLogfmt);
  const auto lines = lines_written_by([] { write(Level::kInfo, "{} {0} {x", {{"k", "{}"}}); });
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::Matchers::EndsWith("msg=\"{} {0} {x\" k={}"));
}

TEST_CASE("lines of many threads do not mix") {
  configure(Level::kInfo, Format::kJson);
  const auto lines = lines_written_by([] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([] {
        for (int n = 0; n < 100; ++n) write(Level::kInfo, "together", {{"n", std::to_string(n)}});
      });
    }
  });
  REQUIRE(lines.size() == 800);
  for (const std::string& line : lines) CHECK(nlohmann::json::parse(line).at("msg") == "together");
}

TEST_CASE("a standard error without a reader does not end the process") {
  configure(Level::kInfo, Format::kLogfmt);
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  close(ends[0]);
  {
    const ReplacedStderr broken(ends[1]);
    write(Level::kError, "nobody reads this");
    write(Level::kError, "nor this");
  }
  close(ends[1]);
  CHECK(lines_written_by([] { write(Level::kInfo, "back again"); }).size() == 1);
}

}  // namespace
}  // namespace pgconn::exporter::log
