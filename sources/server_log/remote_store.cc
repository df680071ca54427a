#include "sources/server_log/remote_store.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace pgconn::server_log {
namespace {

// A server does not show inodes: a file is its name, and its beginning. A renamed one is found by
// its beginning, like a copy.
FileId id_of(const std::string& name) {
  return {std::numeric_limits<std::uint64_t>::max(), fingerprint_of(name).hash};
}

}  // namespace

class RemoteStore::Handle final : public LogHandle {
 public:
  Handle(RemoteStore& store, std::string name) : store_(store), name_(std::move(name)) {}

  std::int64_t read(char* to, std::size_t most, std::uint64_t offset) override {
    const auto found = store_.pieces_.find(name_);
    if (found == store_.pieces_.end()) return 0;
    const RemotePiece& piece = found->second;
    if (offset < piece.offset || offset - piece.offset >= piece.bytes.size()) return 0;
    const std::size_t begin = offset - piece.offset;
    const std::size_t length = std::min(most, piece.bytes.size() - begin);
    std::copy_n(piece.bytes.data() + begin, length, to);
    // The list was made before the piece was read: the file may have grown meanwhile.
    if (const auto file = store_.files_.find(name_); file != store_.files_.end()) {
      file->second.size = std::max(file->second.size, offset + length);
    }
    return static_cast<std::int64_t>(length);
  }
  std::optional<std::uint64_t> size() const override {
    const RemoteFile* file = store_.find(name_);
    if (file == nullptr) return std::nullopt;
    return file->size;
  }
  std::string head() const override {
    const RemoteFile* file = store_.find(name_);
    return file == nullptr ? "" : file->head;
  }

 private:
  RemoteStore& store_;
  std::string name_;
};

const RemoteFile* RemoteStore::find(const std::string& name) const {
  const auto found = files_.find(name);
  return found == files_.end() ? nullptr : &found->second;
}

void RemoteStore::take(RemoteRound round) {
  files_.clear();
  pieces_.clear();
  for (RemoteFile& file : round.files) files_.emplace(file.name, std::move(file));
  for (RemotePiece& piece : round.pieces) pieces_.emplace(piece.name, std::move(piece));
}

std::vector<Search> RemoteStore::list(Listing& listing) {
  for (const auto& [name, file] : files_) {
    listing.try_emplace(id_of(name), Listed{name, file.size, file.written});
  }
  return {{"log_directory", !files_.empty(),
           "the server shows no log file in its log_directory: see logging_collector and "
           "log_destination"}};
}

std::unique_ptr<LogHandle> RemoteStore::open(const std::string& path, FileId) {
  if (find(path) == nullptr) {
    errno = ENOENT;
    return nullptr;
  }
  return std::make_unique<Handle>(*this, path);
}

std::optional<std::string> RemoteStore::head_at(const std::string& path) const {
  const RemoteFile* file = find(path);
  if (file == nullptr) return std::nullopt;
  return file->head;
}

}  // namespace pgconn::server_log
