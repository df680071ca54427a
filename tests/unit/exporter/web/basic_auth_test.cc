#include "exporter/web/basic_auth.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using Verdict = BasicAuth::Verdict;
using namespace std::chrono_literals;

// Of "correct-horse-battery", at the lowest cost there is.
const std::string kHash = "$2b$04$abcdefghijklmnopqrstuupOWRSKKNe562z1DsLEArFuJDHVyRIMa";

// "Basic " and base64 of these.
const std::string kAlice = "Basic YWxpY2U6cmlnaHQ=";        // alice:right
const std::string kAliceWrong = "Basic YWxpY2U6d3Jvbmc=";   // alice:wrong
const std::string kMallory = "Basic bWFsbG9yeTpyaWdodA==";  // mallory:right
const std::string kBob = "Basic Ym9iOnJpZ2h0";              // bob:right

// Replaces bcrypt: counts, and the password of every hash is "right".
struct Counted {
  std::vector<std::string> hashes;
  BasicAuth::Matches matches() {
    return [this](const std::string& hash, const std::string& password) {
      hashes.push_back(hash);
      return password == "right";
    };
  }
};

TEST_CASE("bcrypt's three prefixes are checked, and a password that goes on is another") {
  for (const std::string prefix : {"$2a", "$2b", "$2y"}) {
    INFO(prefix);
    const std::string hash = prefix + kHash.substr(3);
    CHECK(matches_bcrypt(hash, "correct-horse-battery"));
    CHECK_FALSE(matches_bcrypt(hash, "correct-horse-batter"));
    CHECK_FALSE(matches_bcrypt(hash, "correct-horse-battery "));
    CHECK_FALSE(matches_bcrypt(hash, std::string("correct-horse-battery\0x", 23)));
    CHECK_FALSE(matches_bcrypt(hash, ""));
    CHECK_FALSE(matches_bcrypt(hash, std::string(10000, 'x')));
  }
}

TEST_CASE("bits of a salt that bcrypt does not use make no other hash") {
  std::string hash = kHash;
  hash[28] = 'v';  // as `u`, but for such bits
  CHECK(matches_bcrypt(hash, "correct-horse-battery"));
  CHECK_FALSE(matches_bcrypt(hash, "wrong-horse-battery"));
}

TEST_CASE("a hash that is not bcrypt matches nothing, whatever crypt() makes of it") {
  CHECK_FALSE(matches_bcrypt("", ""));
  CHECK_FALSE(matches_bcrypt("*0", ""));
  CHECK_FALSE(matches_bcrypt("abJnggxhB/yWI", "secret"));  // DES
  CHECK_FALSE(matches_bcrypt("$2b$04$" + std::string(53, '!'), "x"));
}

TEST_CASE("credentials are read in HTTP's format, and nothing else is taken for credentials") {
  const auto alice = parse_basic("bAsIc  YWxpY2U6cmlnaHQ=");
  REQUIRE(alice);
  CHECK(alice->user == "alice");
  CHECK(alice->password == "right");
  CHECK(parse_basic("Basic Og==")->user.empty());           // ":"
  CHECK(parse_basic("Basic YTpiOmM=")->password == "b:c");  // a:b:c
  CHECK_FALSE(parse_basic(""));
  CHECK_FALSE(parse_basic("Basic"));
  CHECK_FALSE(parse_basic("Basic YWxpY2U="));  // no colon
  CHECK_FALSE(parse_basic("Bearer YWxpY2U6cmlnaHQ="));
  CHECK_FALSE(parse_basic("Basic YWxpY2U6cmlnaHQ"));  // no padding
  CHECK_FALSE(parse_basic("Basic YWxp!2U6cmlnaHQ="));
  CHECK_FALSE(parse_basic("Basic YWxpY2U6cmlnaHQ=, Basic YWxpY2U6cmlnaHQ="));  // sent twice
  CHECK_FALSE(parse_basic("Basic ===="));
}

TEST_CASE("a right login is hashed once, a wrong one each time") {
  Counted counted;
  BasicAuth auth({{"alice", "A"}}, counted.matches());
  CHECK(auth.check(kAliceWrong) == Verdict::kWrong);
  CHECK(auth.check(kAliceWrong) == Verdict::kWrong);
  CHECK(counted.hashes.size() == 2);
  CHECK(auth.check(kAlice) == Verdict::kRight);
  CHECK(auth.check(kAlice) == Verdict::kRight);
  CHECK(counted.hashes.size() == 3);
  CHECK(auth.check(kAliceWrong) == Verdict::kWrong);
  CHECK(auth.check(kAlice) == Verdict::kRight);
  CHECK(counted.hashes.size() == 4);
}

TEST_CASE("an unknown user costs what a known one does, and is never let in") {
  Counted counted;
  BasicAuth auth({{"alice", "A"}}, counted.matches());
  CHECK(auth.check(kMallory) == Verdict::kWrong);
  CHECK(auth.check(kAlice) == Verdict::kRight);
  CHECK(auth.check(kMallory) == Verdict::kWrong);
  CHECK(counted.hashes == std::vector<std::string>{"A", "A", "A"});
}

TEST_CASE("a login of one user is not valid for another with the same password") {
  Counted counted;
  BasicAuth auth({{"alice", "A"}, {"bob", "B"}}, counted.matches());
  CHECK(auth.check(kAlice) == Verdict::kRight);
  CHECK(auth.check(kBob) == Verdict::kRight);
  CHECK(counted.hashes == std::vector<std::string>{"A", "B"});
}

TEST_CASE("no credentials are refused without any hashing") {
  Counted counted;
  BasicAuth auth({{"alice", "A"}}, counted.matches());
  CHECK(auth.check("") == Verdict::kWrong);
  CHECK(auth.check("Basic !") == Verdict::kWrong);
  CHECK(counted.hashes.empty());
}

TEST_CASE("a logged-in user stays so in the next instance, unless the hash has changed") {
  Counted counted;
  BasicAuth before({{"alice", "A"}, {"bob", "B"}}, counted.matches());
  CHECK(before.check(kAlice) == Verdict::kRight);
  CHECK(before.check(kBob) == Verdict::kRight);
  BasicAuth after({{"aaron", "C"}, {"alice", "A"}, {"bob", "D"}}, counted.matches());
  after.remember_as(before);
  counted.hashes.clear();
  CHECK(after.check(kAlice) == Verdict::kRight);
  CHECK(counted.hashes.empty());
  CHECK(after.check(kAliceWrong) == Verdict::kWrong);
  CHECK(after.check(kBob) == Verdict::kRight);
  CHECK(counted.hashes == std::vector<std::string>{"A", "D"});
}

TEST_CASE("many may wait for their turn, and each has it") {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  BasicAuth auth(
      {{"alice", "A"}},
      [&](const std::string&, const std::string& password) {
        released.wait();
        return password == "right";
      },
      1h);
  std::vector<std::future<Verdict>> logins;
  for (int i = 0; i < 30; ++i) {
    logins.push_back(std::async(std::launch::async,
                                [&, i] { return auth.check(i == 29 ? kAlice : kAliceWrong); }));
  }
  release.set_value();
  int right = 0;
  for (auto& login : logins) {
    const Verdict verdict = login.get();
    CHECK(verdict != Verdict::kBusy);
    right += static_cast<int>(verdict == Verdict::kRight);
  }
  CHECK(right == 1);
}

TEST_CASE("a right login waits for one guess from another address, not for all") {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  int hashed = 0;
  int before_right = -1;
  BasicAuth auth(
      {{"alice", "A"}},
      [&](const std::string&, const std::string& password) {
        released.wait();
        if (password == "right") before_right = hashed;
        ++hashed;
        return password == "right";
      },
      1h);
  std::vector<std::future<Verdict>> guesses;
  for (int i = 0; i < 60; ++i) {
    guesses.push_back(
        std::async(std::launch::async, [&] { return auth.check(kAliceWrong, "guesser"); }));
  }
  // Those beyond the bound come back at once: then all others wait.
  const auto is_back = [](std::future<Verdict>& guess) {
    return guess.wait_for(0s) == std::future_status::ready;
  };
  while (std::ranges::count_if(guesses, is_back) < 60 - 33) std::this_thread::yield();
  auto right = std::async(std::launch::async, [&] { return auth.check(kAlice, "other"); });
  // It takes the place of the last guess.
  while (std::ranges::count_if(guesses, is_back) < 60 - 32) std::this_thread::yield();
  release.set_value();
  CHECK(right.get() == Verdict::kRight);
  for (auto& guess : guesses) CHECK(guess.get() != Verdict::kRight);
  CHECK(before_right <= 2);  // the one under way, and one in turn
}

TEST_CASE("one login is hashed at a time, few wait, and a cached one waits for none") {
  std::latch entered(1);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<bool> slow = false;
  BasicAuth auth(
      {{"alice", "A"}, {"bob", "B"}},
      [&](const std::string&, const std::string& password) {
        if (slow.exchange(false)) {
          entered.count_down();
          released.wait();
        }
        return password == "right";
      },
      1ms);
  CHECK(auth.check(kAlice) == Verdict::kRight);
  slow = true;
  auto guess = std::async(std::launch::async, [&] { return auth.check(kAliceWrong); });
  entered.wait();
  CHECK(auth.check(kBob) == Verdict::kBusy);
  CHECK(auth.check(kAlice) == Verdict::kRight);
  release.set_value();
  CHECK(guess.get() == Verdict::kWrong);
  CHECK(auth.check(kBob) == Verdict::kRight);
}

}  // namespace
}  // namespace pgconn::exporter
