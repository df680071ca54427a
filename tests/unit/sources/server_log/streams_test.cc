// A log that comes through a pipe: standard input, and a journalctl that a script stands in for.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "sources/server_log/journal_input.h"
#include "sources/server_log/stdin_input.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/sources/server_log/collected.h"

using namespace std::chrono_literals;

namespace pgconn::server_log {
namespace {

using Strings = std::vector<std::string>;

const std::string kHead = "2026-11-29 13:36:11.315 UTC [7] ";
const TimePoint kNow = std::chrono::system_clock::now();

std::string text_of(const std::vector<Problem>& problems) {
  std::string all;
  for (const Problem& problem : problems) all += problem.text + "\n";
  return all;
}

class Pipe {
 public:
  Pipe() { REQUIRE(::pipe2(ends_, O_CLOEXEC) == 0); }
  ~Pipe() {
    ::close(ends_[0]);
    end();
  }
  int reading() const { return ends_[0]; }
  void write(const std::string& text) {
    REQUIRE(::write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

TEST_CASE("stdin: entries come as they are written, the last once nothing follows it") {
  Pipe pipe;
  StdinInput input(pipe.reading(), {}, Prefix("%m [%p] "));
  Collected collected;
  CHECK_FALSE(input.poll(kNow, 1 << 20, collected.sink()));
  pipe.write(kHead + "LOG:  one\n" + kHead + "LOG:  two\n");
  CHECK_FALSE(input.poll(kNow, 1 << 20, collected.sink()));
  CHECK(collected.messages() == Strings{"one"});
  input.poll(kNow, 1 << 20, collected.sink());
  CHECK(collected.messages() == Strings{"one", "two"});
}

TEST_CASE("stdin: what is not read yet is the lag") {
  Pipe pipe;
  StdinInput input(pipe.reading(), {}, Prefix("%m [%p] "));
  Collected collected;
  pipe.write(kHead + "LOG:  one\n");
  CHECK(input.poll(kNow, 10, collected.sink()));
  CHECK(input.lag(kNow).bytes == kHead.size() + 10 - 10);
}

TEST_CASE("stdin: its end is told once, and gives out what is left") {
  Pipe pipe;
  StdinInput input(pipe.reading(), {}, Prefix("%m [%p] "));
  Collected collected;
  pipe.write(kHead + "LOG:  one\n" + kHead + "LOG:  unfinished");
  pipe.end();
  for (int i = 0; i < 3; ++i) CHECK_FALSE(input.poll(kNow, 1 << 20, collected.sink()));
  CHECK(collected.messages() == Strings{"one", "unfinished"});
  CHECK(input.faults().torn == 1);
  const auto problems = input.take_problems();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].text.find("standard input has ended") == 0);
}

TEST_CASE("stdin: a format that does not fit is told once") {
  Pipe pipe;
  StdinInput input(pipe.reading(), Layout{Format::kJson, false}, Prefix("%m [%p] "));
  for (int i = 0; i < 30; ++i) {
    pipe.write(kHead + "LOG:  one\n");
    input.poll(kNow, 1 << 20, [](const Entry&) {});
  }
  CHECK(text_of(input.take_problems()) ==
        "standard input does not fit: its lines are no objects of jsonlog\n");
}

TEST_CASE("journal: the command follows from the cursor, or from the end") {
  JournalOptions options;
  options.units = {"postgresql@17-main"};
  options.directory = "/host/journal";
  const auto from_end = journal_command(options, "");
  CHECK(from_end.back() == "--lines=0");
  const auto from_cursor = journal_command(options, "s=1;i=2");
  CHECK(from_cursor.front() == "journalctl");
  CHECK(from_cursor.back() == "--after-cursor=s=1;i=2");
  CHECK(std::ranges::count(from_cursor, "--no-tail") == 1);
  CHECK(std::ranges::count(from_cursor, "--unit=postgresql@17-main") == 1);
  CHECK(std::ranges::count(from_cursor, "--directory=/host/journal") == 1);
}

TEST_CASE("journal: a record's message may be text, bytes, or not there") {
  const auto message = [](const std::string& value) {
    const auto record = parse_journal_line(R"({"__CURSOR":"c","MESSAGE":)" + value + "}");
    return record ? record->message : "no record";
  };
  CHECK(message(R"("\ta \"b\" \\ \u00e9 \u0001")") == "\ta \"b\" \\ ? \x01");
  CHECK(message(R"("a\nb\nc")") == "a\n\tb\n\tc");
  CHECK(message("[76, 255, 10,71]") == "L\xff\n\tG");
  CHECK(message(R"("[5-1] a")") == "[5-1] a");
  CHECK(message("null").empty());
  CHECK_FALSE(parse_journal_line(R"({"MESSAGE":"a"})"));
  CHECK_FALSE(parse_journal_line(R"({"__CURSOR":"c","MESSAGE":"a)"));
  CHECK_FALSE(parse_journal_line("Hint: you are currently not seeing messages"));
}

TEST_CASE("journal: syslog's number of a message and its line is taken off") {
  const auto rest = [](std::string text) {
    const bool is_further = take_off_sequence(text);
    return text + (is_further ? " further" : "");
  };
  CHECK(rest("[5-1] text") == "text");
  CHECK(rest("[15-12] text") == "text further");
  CHECK(rest("[a-1] text") == "[a-1] text");
  CHECK(rest("[5] text") == "[5] text");
  CHECK(rest("text [5-1] ") == "text [5-1] ");
}

// A directory with a program that behaves like journalctl: it writes the records after the cursor
// that it is given, and then waits.
class Journal {
 public:
  Journal() {
    std::ofstream(directory_.path("records")).flush();
    std::ofstream script(directory_.path("journalctl"));
    script << "#!/bin/sh\n"
              "echo $$ >> "
           << directory_.path("pids")
           << "\n"
              "after=0\n"
              "for word in \"$@\"; do case $word in\n"
              "  --after-cursor=*) after=${word#--after-cursor=} ;;\n"
              "  --lines=0) after=$(wc -l < "
           << directory_.path("records")
           << ") ;;\n"
              "esac; done\n"
              "exec tail -n +$((after + 1)) -f -s 0.01 "
           << directory_.path("records") << "\n";
    script.close();
    ::chmod(directory_.path("journalctl").c_str(), 0700);
  }

  JournalOptions options() const {
    JournalOptions options;
    options.program = directory_.path("journalctl");
    return options;
  }
  void write(const std::string& message, const std::string& identifier = "postgres") {
    std::ofstream(directory_.path("records"), std::ios::app)
        << R"({"__CURSOR":")" << ++records_ << R"(","SYSLOG_IDENTIFIER":")" << identifier
        << R"(","MESSAGE":")" << message << "\"}\n";
  }
  std::vector<int> pids() const {
    std::ifstream file(directory_.path("pids"));
    std::vector<int> pids;
    for (int pid = 0; file >> pid;) pids.push_back(pid);
    return pids;
  }

 private:
  test::TemporaryDirectory directory_;
  int records_ = 0;
};

// Polls until `enough` or for ten seconds.
template <typename Enough>
bool poll_until(JournalInput& input, Collected& collected, Enough enough) {
  for (int i = 0; i < 1000; ++i) {
    input.poll(kNow + i * 10ms, 1 << 20, collected.sink());
    if (enough()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

History history_of(const JournalInput& input) { return {kNow, input.positions()}; }

TEST_CASE("journal: what is in it is read once, over restarts of the reader") {
  Journal journal;
  journal.write(kHead + "LOG:  old");
  Collected collected;
  History history;
  {
    JournalInput input(journal.options(), Prefix("%m [%p] "), {});
    CHECK(poll_until(input, collected, [&] { return journal.pids().size() == 1; }));
    std::this_thread::sleep_for(200ms);  // until its tail looks at the end
    journal.write(kHead + "LOG:  one");
    journal.write("\\tmore");
    journal.write("Started PostgreSQL", "systemd");
    journal.write(kHead + "LOG:  two");
    CHECK(poll_until(input, collected, [&] { return collected.entries.size() == 2; }));
    history = history_of(input);
    journal.write(kHead + "LOG:  three");
    CHECK(poll_until(input, collected, [&] { return collected.entries.size() == 3; }));
    CHECK(input.faults() == ParseFaults{});
  }
  CHECK(::kill(journal.pids().front(), 0) != 0);  // it ended with its reader
  journal.write(kHead + "LOG:  four");
  Collected again;
  JournalInput input(journal.options(), Prefix("%m [%p] "), history);
  CHECK(poll_until(input, again, [&] { return again.entries.size() == 2; }));
  CHECK(again.messages() == Strings{"three", "four"});
}

TEST_CASE("journal: an entry that is not given out yet comes again after a restart") {
  Journal journal;
  History history;
  {
    Position begin;
    begin.path = "journal";
    begin.cursor = "0";
    JournalInput input(journal.options(), Prefix("%m [%p] "), History{kNow, {begin}});
    journal.write(kHead + "LOG:  " + std::string(300, 'a'));
    journal.write(kHead + "LOG:  " + std::string(10, 'b'));
    journal.write("[3-2] strange");
    Collected collected;
    // Everything in one poll: the last entry waits for what may follow it.
    std::this_thread::sleep_for(50ms);
    CHECK(poll_until(input, collected, [&] { return collected.entries.size() == 1; }));
    history = history_of(input);
    CHECK(history.positions.at(0).cursor == "1");
  }
  Collected again;
  JournalInput input(journal.options(), Prefix("%m [%p] "), history);
  CHECK(poll_until(input, again, [&] { return again.entries.size() == 1; }));
  CHECK(again.messages() == Strings{std::string(10, 'b')});
}

TEST_CASE("journal: a child that ends is started again, later each time, and loses nothing") {
  Journal journal;
  Collected collected;
  Position begin;
  begin.path = "journal";
  begin.cursor = "0";
  JournalInput input(journal.options(), Prefix("%m [%p] "), History{kNow, {begin}});
  journal.write(kHead + "LOG:  one");
  CHECK(poll_until(input, collected, [&] { return collected.entries.size() == 1; }));
  ::kill(journal.pids().front(), SIGKILL);
  journal.write(kHead + "LOG:  two");
  CHECK(poll_until(input, collected, [&] { return collected.entries.size() == 2; }));
  CHECK(journal.pids().size() == 2);
  CHECK(text_of(input.take_problems()).find("journalctl has ended") == 0);
}

TEST_CASE("journal: a program that does not exist is told once") {
  JournalOptions options;
  options.program = "/nowhere/journalctl";
  JournalInput input(options, Prefix("%m [%p] "), {});
  for (int i = 0; i < 20; ++i) {
    input.poll(kNow + i * 1min, 1 << 20, [](const Entry&) {});
    std::this_thread::sleep_for(5ms);
  }
  const auto problems = input.take_problems();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].text.find("is it installed") != std::string::npos);
}

}  // namespace
}  // namespace pgconn::server_log
