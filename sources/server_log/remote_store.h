// Log files that a server shows by SQL: what the latest round of queries brought. Whoever asks the
// server is elsewhere, so nothing here waits; one thread. The order of a round's queries matters:
// the list first, then the pieces, then the beginning of each file. So a file that was replaced
// meanwhile is noticed before a piece of it is taken.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sources/server_log/log_store.h"

namespace pgconn::server_log {

struct RemoteFile {
  std::string name;  // without a folder
  std::uint64_t size = 0;
  TimePoint written{};  // by our clock
  double modified = 0;  // by the server's: Unix time
  std::string head;     // the first bytes, at most kFingerprintBytes
};

struct RemotePiece {
  std::string name;
  std::uint64_t offset = 0;
  std::string bytes;
};

struct RemoteRound {
  std::vector<RemoteFile> files;  // all there are
  std::vector<RemotePiece> pieces;
};

class RemoteStore final : public LogStore {
 public:
  // From now on there are these files, and of their contents these pieces.
  void take(RemoteRound round);

  std::vector<Search> list(Listing& listing) override;
  std::unique_ptr<LogHandle> open(const std::string& path, FileId id) override;
  std::optional<std::string> head_at(const std::string& path) const override;

 private:
  class Handle;
  const RemoteFile* find(const std::string& name) const;

  std::map<std::string, RemoteFile> files_;
  std::map<std::string, RemotePiece> pieces_;
};

}  // namespace pgconn::server_log
