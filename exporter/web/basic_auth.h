// Who may log in: HTTP's Basic authentication against bcrypt hashes. A login that was right once is
// remembered, so that a scrape every few seconds costs no hashing; a wrong one always costs it, and
// an unknown user as much as a known one. Logins that are to be hashed take turns, and so do the
// addresses that they come from: who guesses waits for himself. Locks; any thread.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/web/address_turns.h"

namespace pgconn::exporter {

// Whether it is the password of the bcrypt hash. Anything but bcrypt is not.
bool matches_bcrypt(const std::string& hash, const std::string& password);

struct Credentials {
  std::string user;
  std::string password;
};

// What an `Authorization` header says; nullopt if it is not of the Basic scheme or malformed. Pure.
std::optional<Credentials> parse_basic(std::string_view header);

class BasicAuth {
 public:
  enum class Verdict {
    kRight,
    kWrong,
    kBusy,  // not looked at: too many others are being checked
  };
  using Matches = std::function<bool(const std::string& hash, const std::string& password)>;

  // `users` to hashes, at least one. `patience`: how long a login waits for those before it.
  explicit BasicAuth(const std::map<std::string, std::string>& users,
                     Matches matches = matches_bcrypt,
                     std::chrono::milliseconds patience = std::chrono::seconds(3));

  // `header` is the value of `Authorization`, empty if there is none; `client` is where it comes
  // from.
  Verdict check(std::string_view header, const std::string& client = "");

  // Takes over what `before` remembers of users whose name and hash are the same. Before the first
  // check().
  void remember_as(BasicAuth& before);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct User {
    std::string name;
    std::string hash;
    std::optional<Digest> right;  // of the password that was right last; guarded by mutex_
  };

  Digest digest(std::string_view text) const;
  bool is_remembered(const User& user, const Digest& password);
  std::optional<AddressTurns::Turn> begin(const std::string& client);
  void end(AddressTurns::Turn turn);

  const Matches matches_;
  const std::chrono::milliseconds patience_;
  Digest key_;  // random: what is remembered is of no use to anybody else
  std::vector<User> users_;
  std::mutex mutex_;
  std::condition_variable next_;
  AddressTurns turns_;  // guarded by mutex_
};

}  // namespace pgconn::exporter
