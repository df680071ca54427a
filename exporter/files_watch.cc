#include "exporter/files_watch.h"

#include <pthread.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <set>
#include <thread>

#include "exporter/log/log.h"

namespace pgconn::exporter {
namespace {

using std::chrono::milliseconds;

// A file that is being written causes several events; it is read when they have ended.
constexpr milliseconds kQuiet(200);
// Where no event comes.
constexpr milliseconds kBetweenLooks(10'000);

constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                                  IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;

// The directories in which a pattern's files are, and the nearest one that exists where they are
// missing yet.
std::set<std::string> directories_of(const std::vector<std::string>& patterns) {
  std::set<std::string> directories;
  for (const std::string& pattern : patterns) {
    std::string parent = pattern;
    std::vector<std::string> found;
    while (found.empty() && parent.size() > 1) {
      parent = parent.substr(0, std::max<std::size_t>(parent.rfind('/'), 1));
      found = files::matching_files(parent);
    }
    directories.insert(found.begin(), found.end());
  }
  return directories;
}

}  // namespace

class FilesWatch::Impl {
 public:
  explicit Impl(std::function<void()> changed)
      : changed_(std::move(changed)),
        work_(io_.get_executor()),
        events_(io_),
        quiet_(io_),
        next_look_(io_),
        thread_([this] {
          pthread_setname_np(pthread_self(), "files");
          io_.run();
        }) {}

  ~Impl() { stop(); }

  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void watch(std::vector<std::string> patterns, files::FileVersions known) {
    asio::post(io_, [this, patterns = std::move(patterns), known = std::move(known)]() mutable {
      patterns_ = std::move(patterns);
      seen_ = std::move(known);
      look();
    });
  }

 private:
  // A new set of watches: those of directories that were replaced are gone with them.
  void listen() {
    events_.close();
    next_look_.cancel();
    quiet_.cancel();
    if (patterns_.empty()) return;
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0) {
      for (const std::string& directory : directories_of(patterns_)) {
        inotify_add_watch(fd, directory.c_str(), kEvents);  // what it refuses is looked at in time
      }
      events_.assign(fd);
      wait_for_event();
    } else if (!told_) {
      told_ = true;
      log::write(log::Level::kWarn, "the kernel does not watch the target files",
                 {{"do",
                   "raise fs.inotify.max_user_instances; until then they are looked at every "
                   "ten seconds"}});
    }
    next_look_.expires_after(kBetweenLooks);
    next_look_.async_wait([this](asio::error_code error) {
      if (!error) look();
    });
  }

  void wait_for_event() {
    events_.async_read_some(asio::buffer(buffer_), [this](asio::error_code error, std::size_t) {
      if (error) return;
      quiet_.expires_after(kQuiet);
      quiet_.async_wait([this](asio::error_code cancelled) {
        if (!cancelled) look();
      });
      wait_for_event();
    });
  }

  void look() {
    listen();  // first: a change after this look causes an event
    auto now = files::versions_of(patterns_);
    const bool differ = now != seen_;
    seen_ = std::move(now);
    if (differ) changed_();
  }

  std::function<void()> changed_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::posix::stream_descriptor events_;  // closed: nothing is watched
  asio::steady_timer quiet_;
  asio::steady_timer next_look_;
  std::array<char, 4096> buffer_{};
  std::vector<std::string> patterns_;
  files::FileVersions seen_;
  bool told_ = false;
  std::thread thread_;
};

FilesWatch::FilesWatch(std::function<void()> changed)
    : impl_(std::make_unique<Impl>(std::move(changed))) {}
FilesWatch::~FilesWatch() = default;
void FilesWatch::stop() { impl_->stop(); }
void FilesWatch::watch(std::vector<std::string> patterns, files::FileVersions known) {
  impl_->watch(std::move(patterns), std::move(known));
}

}  // namespace pgconn::exporter
