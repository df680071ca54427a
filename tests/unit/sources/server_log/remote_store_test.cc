// A follower of files that a server shows by SQL, round after round.
#include "sources/server_log/remote_store.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "sources/server_log/follower.h"
#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/log_scene.h"

namespace pgconn::server_log {
namespace {

// The server's directory, and a reader that gets at most `most` bytes of each file in a round.
class RemoteScene {
 public:
  RemoteScene() { make(std::nullopt); }
  void restart() { make(History{now_, follower_->positions()}); }

  std::map<std::string, std::string> files;
  std::size_t most = 1 << 20;

  // One round as a server answers it. What `meanwhile` does happens after the list was made.
  template <typename Meanwhile>
  Strings round(Meanwhile meanwhile) {
    now_ += std::chrono::seconds(1);
    RemoteRound round;
    for (const auto& [name, text] : files) {
      round.files.push_back({name, text.size(), now_, 0, ""});
    }
    const auto wanted = follower_->wanted();
    meanwhile();
    for (RemoteFile& file : round.files) {
      const auto now = files.find(file.name);
      if (now == files.end()) continue;
      const auto next = std::ranges::find(wanted, file.name, &Follower::Wanted::path);
      if (next != wanted.end() && next->offset < now->second.size()) {
        round.pieces.push_back({file.name, next->offset, now->second.substr(next->offset, most)});
      }
      file.head = now->second.substr(0, kFingerprintBytes);
    }
    std::erase_if(round.files, [this](const auto& file) { return !files.contains(file.name); });
    store_->take(std::move(round));
    Collected collected;
    follower_->poll(now_, 1 << 20, collected.sink());
    Strings result;
    for (const std::string& message : collected.messages()) {
      result.push_back(message.substr(0, message.find(' ')));
    }
    return result;
  }
  Strings round() {
    return round([] {});
  }
  // Rounds until nothing is left, and one more.
  Strings rounds() {
    Strings all;
    for (int quiet = 0; quiet < 2;) {
      const Strings more = round();
      const bool is_quiet = more.empty() && follower_->lag(now_).bytes == 0;
      quiet = is_quiet ? quiet + 1 : 0;
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  Follower& follower() { return *follower_; }
  TimePoint now() const { return now_; }

 private:
  void make(std::optional<History> history) {
    auto store = std::make_unique<RemoteStore>();
    store_ = store.get();
    follower_ =
        std::make_unique<Follower>(std::move(store), Prefix("%m [%p] "), std::move(history));
  }

  TimePoint now_ = std::chrono::system_clock::now();
  RemoteStore* store_ = nullptr;
  std::unique_ptr<Follower> follower_;
};

TEST_CASE("remote store: what is there at first is not news, what comes then is read once") {
  RemoteScene scene;
  scene.files["a.log"] = line("old");
  CHECK(scene.rounds().empty());
  scene.files["a.log"] += line("new");
  CHECK(scene.rounds() == Strings{"new"});
  CHECK(scene.rounds().empty());
}

TEST_CASE("remote store: an entry longer than a piece comes whole, and never too soon") {
  RemoteScene scene;
  scene.files["a.log"] = "";
  scene.rounds();
  scene.most = 10;
  scene.files["a.log"] += line("first") + "\tits second line\n" + line("second");
  CHECK(scene.rounds() == Strings{"first", "second"});
  CHECK(scene.follower().faults() == ParseFaults{});
}

TEST_CASE("remote store: a file that grows while it is read is no truncated one") {
  RemoteScene scene;
  scene.files["a.log"] = line("old");
  scene.rounds();
  scene.files["a.log"] += line("new");
  scene.round([&] { scene.files["a.log"] += line("newer"); });
  CHECK(scene.rounds() == Strings{"newer"});
  CHECK(scene.rounds().empty());
}

TEST_CASE("remote store: a new file is read from its beginning") {
  RemoteScene scene;
  scene.files["a.log"] = line("old");
  scene.rounds();
  scene.files["a.log"] += line("last");
  scene.files["b.log"] = line("first");
  Strings read = scene.rounds();
  std::ranges::sort(read);
  CHECK(read == Strings{"first", "last"});
}

TEST_CASE("remote store: a renamed file is read on under its new name") {
  RemoteScene scene;
  scene.files["a.log"] = line("old");
  scene.rounds();
  scene.files["a.log"] += line("unread");
  scene.files["a.log.1"] = scene.files["a.log"];
  SECTION("and a new one begun") {
    scene.files["a.log"] = line("begun");
    Strings read = scene.rounds();
    std::ranges::sort(read);
    CHECK(read == Strings{"begun", "unread"});
  }
  SECTION("with a round between") {
    scene.files.erase("a.log");
    CHECK(scene.rounds() == Strings{"unread"});
    scene.files["a.log.1"] += line("more");
    CHECK(scene.rounds() == Strings{"more"});
    scene.files["a.log"] = line("begun");
    CHECK(scene.rounds() == Strings{"begun"});
  }
  SECTION("with a restart between") {
    scene.files.erase("a.log");
    scene.files["a.log.1"] += line("more");
    scene.restart();
    CHECK(scene.rounds() == Strings{"unread", "more"});
  }
  SECTION("and all of it amid a round") {
    const std::string renamed = scene.files["a.log.1"];
    scene.files.erase("a.log.1");
    Strings read = scene.round([&] {
      scene.files["a.log.1"] = renamed;
      scene.files["a.log"] = line("begun") + std::string(3000, 'x');
    });
    for (const std::string& more : scene.rounds()) read.push_back(more);
    std::ranges::sort(read);
    CHECK(read == Strings{"begun", "unread"});
  }
}

TEST_CASE("remote store: a file that is written anew from its beginning is read again") {
  RemoteScene scene;
  scene.files["mon.log"] = line("week-1");
  scene.rounds();
  scene.files["mon.log"] = line("week-2");
  CHECK(scene.rounds() == Strings{"week-2"});
  scene.files["mon.log"] = "";
  scene.rounds();
  scene.files["mon.log"] = line("week-3");
  CHECK(scene.rounds() == Strings{"week-3"});
}

TEST_CASE("remote store: a restart loses and doubles nothing, wherever it comes") {
  for (std::size_t most : {7UL, 100UL, 5000UL}) {
    for (int before = 0; before < 6; ++before) {
      RemoteScene scene;
      scene.files["a.log"] = line("old");
      scene.rounds();
      scene.most = most;
      scene.files["a.log"] += line("one") + "\tmore\n" + line("two");
      Strings read;
      const auto add = [&read](const Strings& more) {
        read.insert(read.end(), more.begin(), more.end());
      };
      for (int i = 0; i < before; ++i) add(scene.round());
      scene.restart();
      add(scene.rounds());
      CAPTURE(most, before);
      CHECK(read == Strings{"one", "two"});
    }
  }
}

TEST_CASE("remote store: bytes not fetched yet are the lag") {
  RemoteScene scene;
  scene.files["a.log"] = "";
  scene.rounds();
  scene.most = 10;
  scene.files["a.log"] = line("long");
  scene.round();
  CHECK(scene.follower().lag(scene.now()).bytes == line("long").size() - 10);
}

}  // namespace
}  // namespace pgconn::server_log
