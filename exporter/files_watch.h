// Says when files that patterns name have changed: written, replaced by a rename, or reached by
// another symbolic link, as Kubernetes does it. A thread of its own; the kernel wakes it
// (inotify), and it looks every few seconds where the kernel does not say (network file systems).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "files/matching_files.h"

namespace pgconn::exporter {

class FilesWatch {
 public:
  // `changed` is called on the watch's thread, one call at a time, when files have changed and then
  // been left alone for a moment. It must not throw.
  explicit FilesWatch(std::function<void()> changed);
  ~FilesWatch();
  FilesWatch(const FilesWatch&) = delete;
  FilesWatch& operator=(const FilesWatch&) = delete;

  // Ends the thread, after a call under way; then nothing is watched any more. Not for the watch's
  // own thread.
  void stop();

  // Watches the files of these patterns (glob(7)) from now on, instead of those before. `known`:
  // their versions as they were last read; if they differ already, that is a change. Any thread.
  void watch(std::vector<std::string> patterns, files::FileVersions known);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::exporter
