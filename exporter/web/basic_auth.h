// Who may log in: HTTP's Basic authentication against bcrypt hashes. A successful login is cached,
// so that a scrape every few seconds costs no hashing; a wrong one always costs it, and an unknown
// user as much as a known one. Logins that need hashing take turns, and so do the addresses that
// they come from: guessing delays only the guesser. Locks; any thread.
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

// Whether the password matches the bcrypt hash. False for any hash but bcrypt.
bool matches_bcrypt(const std::string& hash, const std::string& password);

struct Credentials {
  std::string user;
  std::string password;
};

// Reads an `Authorization` header; nullopt if it is not of the Basic scheme or malformed. Pure.
std::optional<Credentials> parse_basic(std::string_view header);

class BasicAuth {
 public:
  enum class Verdict {
    kRight,
    kWrong,
    kBusy,  // not checked: too many others are being checked
  };
  using Matches = std::function<bool(const std::string& hash, const std::string& password)>;

  // `users` to hashes, at least one. `patience`: how long a login waits for earlier ones.
  explicit BasicAuth(const std::map<std::string, std::string>& users,
                     Matches matches = matches_bcrypt,
                     std::chrono::milliseconds patience = std::chrono::seconds(3));

  // `header` is the value of `Authorization`, empty if there is none; `client` is where it comes
  // from.
  Verdict check(std::string_view header, const std::string& client = "");

  // Takes over the cached logins of `before` for users whose name and hash are the same. Call
  // before the first check().
  void remember_as(BasicAuth& before);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct User {
    std::string name;
    std::string hash;
    std::optional<Digest> right;  // of the last correct password; guarded by mutex_
  };

  Digest digest(std::string_view text) const;
  bool is_remembered(const User& user, const Digest& password);
  std::optional<AddressTurns::Turn> begin(const std::string& client);
  void end(AddressTurns::Turn turn);

  const Matches matches_;
  const std::chrono::milliseconds patience_;
  Digest key_;  // random: cached digests are useless elsewhere
  std::vector<User> users_;
  std::mutex mutex_;
  std::condition_variable next_;
  AddressTurns turns_;  // guarded by mutex_
};

}  // namespace pgconn::exporter
