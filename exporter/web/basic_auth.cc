#include "exporter/web/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace pgconn::exporter {
namespace {

// Further ones are told to come back: each holds one of the server's workers while it waits.
constexpr std::size_t kMostWaiting = 32;
// The last of "$2b$10$" and 22 characters of salt: four of its six bits are not used, and crypt()
// writes them as zeros.
constexpr std::size_t kSaltsEnd = 28;

// The value of a base64 digit, -1 if it is none.
int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Padded, without white space.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string decoded;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = value_of(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
    }
  }
  return decoded;
}

bool is_basic(std::string_view scheme) {
  return scheme.size() == 6 && strncasecmp(scheme.data(), "Basic ", 6) == 0;
}

}  // namespace

bool matches_bcrypt(const std::string& hash, const std::string& password) {
  // crypt() stops at a zero byte: "right\0anything" would be accepted.
  if (hash.size() != 60 || !hash.starts_with("$2") || password.find('\0') != std::string::npos) {
    return false;
  }
  const auto data = std::make_unique<crypt_data>();  // 32 KiB
  const char* const result = crypt_r(password.c_str(), hash.c_str(), data.get());
  constexpr std::size_t kAfter = kSaltsEnd + 1;
  const bool same = result != nullptr && std::strlen(result) == hash.size() &&
                    CRYPTO_memcmp(result, hash.data(), kSaltsEnd) == 0 &&
                    CRYPTO_memcmp(result + kAfter, hash.data() + kAfter, hash.size() - kAfter) == 0;
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return same;
}

std::optional<Credentials> parse_basic(std::string_view header) {
  if (!is_basic(header.substr(0, 6))) return std::nullopt;
  header.remove_prefix(6);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  const auto decoded = decode_base64(header);
  if (!decoded) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

BasicAuth::BasicAuth(const std::map<std::string, std::string>& users, Matches matches,
                     std::chrono::milliseconds patience)
    : matches_(std::move(matches)), patience_(patience), turns_({.waiting = kMostWaiting}) {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    throw std::runtime_error("no random numbers are available for the logins");
  }
  for (const auto& [name, hash] : users) users_.push_back({name, hash, std::nullopt});
}

BasicAuth::Verdict BasicAuth::check(std::string_view header, const std::string& client) {
  const auto given = parse_basic(header);
  if (!given) return Verdict::kWrong;
  const auto known =
      std::ranges::find_if(users_, [&](const User& user) { return user.name == given->user; });
  // For an unknown user, a known one, always the same for the same name: the hashing then takes as
  // long as for a known name.
  const Digest name = digest(given->user);
  User& user = known != users_.end() ? *known : users_[name[0] % users_.size()];
  const Digest password = digest(user.hash + given->password);
  if (known != users_.end() && is_remembered(user, password)) return Verdict::kRight;
  const auto turn = begin(client);
  if (!turn) return Verdict::kBusy;
  const std::unique_ptr<BasicAuth, std::function<void(BasicAuth*)>> inside(
      this, [turn](BasicAuth* auth) { auth->end(*turn); });
  const bool right = matches_(user.hash, given->password) && known != users_.end();
  if (right) {
    const std::lock_guard lock(mutex_);
    user.right = password;
  }
  return right ? Verdict::kRight : Verdict::kWrong;
}

BasicAuth::Digest BasicAuth::digest(std::string_view text) const {
  Digest result{};
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.data(), nullptr);
  return result;
}

bool BasicAuth::is_remembered(const User& user, const Digest& password) {
  const std::lock_guard lock(mutex_);
  return user.right && CRYPTO_memcmp(user.right->data(), password.data(), password.size()) == 0;
}

// One at a time: guessing passwords must not take more than one core from the real work. In turns,
// so that many guessers cannot keep out someone who knows the password.
std::optional<AddressTurns::Turn> BasicAuth::begin(const std::string& client) {
  std::unique_lock lock(mutex_);
  std::optional<bool> come;
  const AddressTurns::Turn turn = turns_.ask(client, [this, &come](bool mine) {
    come = mine;
    next_.notify_all();
  });
  next_.wait_for(lock, patience_, [&come] { return come.has_value(); });
  if (come == true) return turn;
  turns_.leave(turn);
  return std::nullopt;
}

void BasicAuth::end(AddressTurns::Turn turn) {
  const std::lock_guard lock(mutex_);
  turns_.leave(turn);
}

void BasicAuth::remember_as(BasicAuth& before) {
  const std::lock_guard lock(before.mutex_);
  key_ = before.key_;
  for (User& user : users_) {
    const auto same = std::ranges::find_if(before.users_, [&](const User& other) {
      return other.name == user.name && other.hash == user.hash;
    });
    if (same != before.users_.end()) user.right = same->right;
  }
}

}  // namespace pgconn::exporter
