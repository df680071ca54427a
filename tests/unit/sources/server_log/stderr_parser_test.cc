#include "sources/server_log/stderr_parser.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {
namespace {

using Strings = std::vector<std::string>;

const std::string kHead = "2026-11-29 13:36:11.315 UTC [7] ";
const std::string kTwo = kHead + "ERROR:  one\n" + kHead + "DETAIL:  because\n" + kHead +
                         "STATEMENT:  select\n\t1/0\n\tLOG:  not an entry\n" + kHead +
                         "LOG:  two\n";

TEST_CASE("stderr: an entry is a message with its parts, however it is cut into chunks") {
  for (const std::size_t piece : {1, 2, 3, 7, 50, 100000}) {
    StderrParser it(Prefix("%m [%p] "));
    const Collected collected = parse(it, kTwo, piece);
    INFO(piece);
    CHECK(collected.messages() == Strings{"one", "two"});
    CHECK(collected.entries[0].detail == "because");
    CHECK(collected.entries[0].severity == Severity::kError);
    CHECK(collected.entries[0].pid == 7);
    CHECK(it.faults() == ParseFaults());
    CHECK(it.pending() == 0);
  }
}

TEST_CASE("stderr: the last entry waits for what may follow, and counts as pending until then") {
  StderrParser it(Prefix("%m [%p] "));
  Collected collected;
  const std::string last = kHead + "LOG:  two\n";
  it.feed(kTwo, collected.sink());
  CHECK(collected.messages() == Strings{"one"});
  CHECK(it.pending() == last.size());
  it.flush(collected.sink());
  CHECK(collected.messages() == Strings{"one", "two"});
  CHECK(it.pending() == 0);
}

TEST_CASE("stderr: a line without its newline is never given out by a flush") {
  StderrParser it(Prefix("%m [%p] "));
  Collected collected;
  it.feed(kHead + "LOG:  half", collected.sink());
  it.flush(collected.sink());
  CHECK(collected.entries.empty());
  CHECK(it.pending() == kHead.size() + 10);
  it.feed(" and half\n", collected.sink());
  it.flush(collected.sink());
  CHECK(collected.messages() == Strings{"half and half"});
}

TEST_CASE("stderr: a line that ends with its file is torn, and counts as what it says") {
  StderrParser it(Prefix("%m [%p] "));
  const Collected collected = parse(it, kHead + "LOG:  a\n" + kHead + "FATAL:  hal", 10);
  CHECK(collected.messages() == Strings{"a", "hal"});
  CHECK(it.faults().torn == 1);
}

TEST_CASE("stderr: a detail of another process is not this entry's") {
  StderrParser it(Prefix("%m [%p] "));
  const Collected collected =
      parse(it, kHead + "ERROR:  a\n2026-11-29 13:36:11.315 UTC [8] DETAIL:  not its\n", 10);
  CHECK(collected.entries.at(0).detail.empty());
}

TEST_CASE("stderr: parts in an unknown language belong to the entry before them") {
  StderrParser it(Prefix("%m [%p] %e "));
  const std::string head = kHead + "57P01 ";
  const Collected collected = parse(it, head + "XYZZY:  a\n" + head + "PLUGH:  b\n", 10);
  CHECK(collected.messages() == Strings{"a"});
  CHECK(collected.entries.at(0).severity == Severity::kUnknown);
}

TEST_CASE("stderr: foreign lines are counted and left out") {
  StderrParser it(Prefix("%m [%p] "));
  const Collected collected =
      parse(it, "cp: cannot stat\n" + kHead + "LOG:  a\nfoo\n\n" + kHead + "LOG:  b\n", 9);
  CHECK(collected.messages() == Strings{"a", "b"});
  CHECK(it.faults().unparsed == 3);
}

TEST_CASE("stderr: NUL bytes and invalid UTF-8 are counted and survived") {
  StderrParser it(Prefix("%m [%p] "));
  const std::string nul("LOG:  a\0b\n", 10);
  const Collected collected = parse(it, kHead + nul + kHead + "LOG:  \xff\xfe\n", 1000);
  CHECK(collected.entries.size() == 2);
  CHECK(it.faults().nul == 1);
  CHECK(it.faults().encoding == 1);
  CHECK(it.faults().unparsed == 0);
}

TEST_CASE("stderr: of a line of many megabytes the beginning is kept, and what follows is whole") {
  StderrParser it(Prefix("%m [%p] "));
  const std::string text = kHead + "ERROR:  long " + std::string(5 << 20, 'x') + "\n" + kHead +
                           "STATEMENT:  y\n" + kHead + "LOG:  next\n";
  const Collected collected = parse(it, text, 65536);
  CHECK(collected.entries.size() == 2);
  CHECK(collected.entries.at(0).message.size() == kLongestText);
  CHECK(collected.messages().at(1) == "next");
  CHECK(it.faults().oversize == 1);
}

TEST_CASE("stderr: an entry of many short lines is one entry, and told as too long") {
  StderrParser it(Prefix("%m [%p] "));
  std::string text = kHead + "LOG:  statement: select\n";
  for (int i = 0; i < 100'000; ++i) text += "\tanother line of it\n";
  const Collected collected = parse(it, text + kHead + "LOG:  next\n", 65536);
  CHECK(collected.entries.size() == 2);
  CHECK(it.faults().oversize == 1);
}

TEST_CASE("stderr: ten lines in a row that do not fit are told with the prefix that would") {
  StderrParser it(Prefix("%t [%p]: %u "));
  std::string text;
  for (int i = 0; i < 9; ++i) text += kHead + "LOG:  x\n";
  Collected collected;
  it.feed(text, collected.sink());
  CHECK(it.misfit().empty());
  it.feed(text, collected.sink());
  CHECK(it.misfit().find("'%m [%p] ' would fit") != std::string::npos);
  it.feed("2026-11-29 13:36:11 UTC [7]: me LOG:  x\n", collected.sink());
  CHECK(it.misfit().empty());
}

}  // namespace
}  // namespace pgconn::server_log
