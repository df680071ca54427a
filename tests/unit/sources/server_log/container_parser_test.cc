#include "sources/server_log/container_parser.h"

#include <random>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {
namespace {

using Strings = std::vector<std::string>;

const std::string kHead = "2026-11-29 13:36:11.315 UTC [7] ";

std::unique_ptr<Parser> container_of(Format format) {
  return make_parser(Layout{format, true}, "", Prefix("%m [%p] "));
}

std::string row(const std::string& text, const std::string& tag = "F",
                const std::string& stream = "stderr") {
  return "2026-11-29T13:36:11.315669794Z " + stream + " " + tag + " " + text + "\n";
}

Strings messages(const std::string& text, ParseFaults* faults = nullptr, std::size_t piece = 7) {
  const auto parser = container_of(Format::kStderr);
  const Strings result = parse(*parser, text, piece).messages();
  if (faults != nullptr) *faults = parser->faults();
  return result;
}

TEST_CASE("container: the server's lines are those behind time, stream and tag") {
  CHECK(messages(row(kHead + "LOG:  one") + row(kHead + "ERROR:  two") + row("\tmore")) ==
        Strings{"one", "two"});
  CHECK(messages(row(kHead + "LOG:  one", "F:extra")) == Strings{"one"});
  CHECK(messages(row("", "F")).empty());
}

TEST_CASE("container: a line in parts is joined") {
  ParseFaults faults;
  CHECK(messages(row(kHead + "LOG:  o", "P") + row("n", "P") + row("e"), &faults) ==
        Strings{"one"});
  CHECK(faults == ParseFaults{});
}

TEST_CASE("container: the other stream's lines stay whole amid a line in parts") {
  ParseFaults faults;
  CHECK(messages(row(kHead + "LOG:  o", "P") + row(kHead + "LOG:  two", "F", "stdout") + row("ne"),
                 &faults) == Strings{"one", "two"});
  CHECK(faults == ParseFaults{});
}

TEST_CASE("container: a line in parts without end is bounded and counted") {
  std::string text = row(kHead + "LOG:  long ", "P");
  for (int i = 0; i < 2000; ++i) text += row(std::string(1000, 'x'), "P");
  ParseFaults faults;
  CHECK(messages(text + row("end") + row(kHead + "LOG:  next"), &faults, 4096).size() == 2);
  CHECK(faults.oversize == 1);
  // The other stream cannot be held back for ever either.
  text = row(kHead + "LOG:  torn", "P");
  for (int i = 0; i < 2000; ++i) {
    text += row(kHead + "LOG:  " + std::string(1000, 'x'), "F", "stdout");
  }
  CHECK(messages(text, &faults, 4096).size() == 2001);
  CHECK(faults.torn == 1);
}

TEST_CASE("container: what is no line of a container's log is told") {
  const auto parser = container_of(Format::kStderr);
  Collected collected;
  for (int i = 0; i < 10; ++i) parser->feed(kHead + "LOG:  bare\n", collected.sink());
  CHECK(collected.entries.empty());
  CHECK(parser->faults().unparsed == 10);
  CHECK(parser->misfit().find("leave out `container`") != std::string::npos);
  parser->feed(row(kHead + "LOG:  one"), collected.sink());
  CHECK(parser->misfit().empty());
}

TEST_CASE("container: who begins anew where another stopped finds the rest, and no fault twice") {
  const std::string text = row(kHead + "LOG:  one") + row("\tmore") + "garbage\n" + row("\tx") +
                           row(kHead + "LOG:  t", "P") + row("wo") + row("strange line") +
                           row(kHead + "LOG:  three") + row(kHead + "LOG:  four") + "end\n";
  const auto whole = container_of(Format::kStderr);
  const Strings expected = parse(*whole, text, text.size()).messages();
  CHECK(expected == Strings{"one", "two", "three", "four"});
  for (std::size_t at = 0; at <= text.size(); ++at) {
    Collected in_two;
    const auto first = container_of(Format::kStderr);
    first->feed(text.substr(0, at), in_two.sink());
    REQUIRE(first->pending() <= at);
    const auto second = container_of(Format::kStderr);
    second->feed(text.substr(at - first->pending()), in_two.sink());
    second->finish(in_two.sink());
    CAPTURE(at);
    REQUIRE(in_two.messages() == expected);
    ParseFaults sum = first->faults();
    sum += second->faults();
    REQUIRE(sum == whole->faults());
  }
}

TEST_CASE("container: an entry is given once, wherever reading stops amid two streams' lines") {
  const std::string aside = row(kHead + "LOG:  aside", "F", "stdout");
  const std::string text = row(kHead + "LOG:  one") + row(kHead + "ERROR:  t", "P") + aside +
                           row("wo") + row("\tmore") + row("\tx", "P") + aside + row("y") +
                           row(kHead + "LOG:  three") + aside + row(kHead + "LOG:  four");
  const auto whole = container_of(Format::kStderr);
  const Strings expected = parse(*whole, text, text.size()).messages();
  CHECK(expected.size() == 7);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    for (const bool is_quiet : {false, true}) {
      Collected in_two;
      const auto first = container_of(Format::kStderr);
      first->feed(text.substr(0, at), in_two.sink());
      if (is_quiet) first->flush(in_two.sink());
      const auto second = container_of(Format::kStderr);
      second->feed(text.substr(at - first->pending()), in_two.sink());
      second->finish(in_two.sink());
      CAPTURE(at, is_quiet);
      REQUIRE(in_two.messages() == expected);
    }
  }
}

TEST_CASE("container: any bytes are survived") {
  std::mt19937 random(3);
  const std::string text = row(kHead + "LOG:  t", "P") + row("wo") + row(kHead + "LOG:  one");
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = text + text;
    for (int i = 0; i < 5; ++i) bytes[random() % bytes.size()] = "\n\t PF:0\xff"[random() % 8];
    const auto parser = container_of(round % 2 == 0 ? Format::kStderr : Format::kCloudNativePg);
    parse(*parser, bytes, 1 + random() % 50);
    REQUIRE(parser->pending() == 0);
  }
}

}  // namespace
}  // namespace pgconn::server_log
