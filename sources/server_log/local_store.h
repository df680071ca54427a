// Log files in directories of this machine. Reads directories and files; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sources/server_log/log_store.h"

namespace pgconn::server_log {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int release();
  int number_ = -1;
};

// Opens for reading without waiting, even for a FIFO. -1 and errno if it fails.
Descriptor open_log(const std::string& path);

class LocalStore final : public LogStore {
 public:
  // As glob(7) takes them. Of what they find, regular files count, except those whose names end
  // like compressed files; a file with several names is listed once.
  explicit LocalStore(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  std::vector<Search> list(Listing& listing) override;
  std::unique_ptr<LogHandle> open(const std::string& path, FileId id) override;
  std::optional<std::string> head_at(const std::string& path) const override;

 private:
  std::vector<std::string> patterns_;
};

}  // namespace pgconn::server_log
