#include "exporter/sources/sql_log_reader.h"

#include <algorithm>
#include <utility>

namespace pgconn::exporter {
namespace {

using async::Clock;
using postgres::PgError;
using server_log::Follower;
using server_log::Problem;
using server_log::RemoteContents;
using server_log::RemoteFile;
using server_log::RemoteRange;
using server_log::RemoteRound;
using server_log::Trouble;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kPatience(10);  // for a round, its connecting included
constexpr milliseconds kFirstWait(500);
constexpr seconds kLongestWait(30);
// A server that is away for a shorter time is reported by others.
constexpr seconds kWorthTelling(60);
// Rights and settings may change while the session is open.
constexpr minutes kAccessHolds(1);
// Of log in one round. It arrives as twice as many hexadecimal digits, and is decoded on the I/O
// thread.
constexpr std::uint64_t kMostAtOnce = std::uint64_t{512} * 1024;
// A file may grow between its listing and its reading.
constexpr std::uint64_t kWrittenMeanwhile = std::uint64_t{16} * 1024;

}  // namespace

SqlLogReader::SqlLogReader(postgres::Connector& connector, async::TimeSource& time,
                           milliseconds statement_timeout)
    : connector_(connector),
      time_(time),
      statement_timeout_(statement_timeout),
      backoff_(kFirstWait, kLongestWait) {}

void SqlLogReader::close() {
  if (session_) session_.connection->close();
}

asio::awaitable<SqlLogReader::Round> SqlLogReader::ask(std::vector<Follower::Wanted> wanted) {
  Round round;
  if (!session_ && !backoff_.may_try(time_.now())) co_return round;
  std::optional<PgError> failure;
  std::string wrong;
  try {
    round = co_await attempt(wanted);
    failing_since_.reset();
    backoff_.succeeded();
    co_return round;
  } catch (const PgError& error) {
    failure = error;
    wrong = error.what();
  } catch (const std::exception& error) {  // an answer that is not what was asked for
    wrong = error.what();
  }
  if (failure && failure->reason() == postgres::Reason::kStopped) throw *failure;
  session_ = {};
  access_.reset();
  backoff_.failed(time_.now(), postgres::dice());
  if (!failing_since_) failing_since_ = time_.now();
  // An error of a query says what is wrong with our asking; a lost connection does not.
  const bool is_query = failure && !failure->fatal();
  if (is_query || !failure || time_.now() - *failing_since_ >= kWorthTelling) {
    round.problem = Problem{Trouble::kUnreadable, "the server does not show its log: " + wrong};
  }
  co_return round;
}

asio::awaitable<void> SqlLogReader::open(postgres::Deadline deadline) {
  if (session_) co_return;
  postgres::ConnectOptions options;
  options.purpose = "server_log";
  options.statement_timeout = statement_timeout_;
  options.outlive_idle_session_timeout = true;
  session_ = co_await connector_.dial(options, deadline);
  access_.reset();
}

asio::awaitable<postgres::Rows> SqlLogReader::query(std::string sql, postgres::Deadline deadline) {
  std::vector<postgres::Query> queries(1);
  queries.front().sql = std::move(sql);
  std::vector<postgres::Answer> answers;
  co_await session_.connection->pipeline(queries, deadline, answers);
  if (const auto* error = std::get_if<PgError>(&answers.at(0))) throw *error;
  postgres::Rows rows = std::move(std::get<postgres::Rows>(answers.front()));
  co_return rows;
}

asio::awaitable<SqlLogReader::Round> SqlLogReader::attempt(
    const std::vector<Follower::Wanted>& wanted) {
  const postgres::Deadline deadline = time_.now() + kPatience;
  co_await open(deadline);
  Round round;
  if (!access_ || time_.now() - access_asked_ >= kAccessHolds) {
    const postgres::Rows rows = co_await query(server_log::access_sql(), deadline);
    access_ = server_log::access_of(rows);
    access_asked_ = time_.now();
    round.problem = server_log::obstacle_of(*access_);
    if (round.problem) access_.reset();
    if (round.problem) co_return round;
  }
  round.line_prefix = access_->line_prefix;
  round.format = *server_log::format_of(*access_);
  const server_log::TimePoint now = time_.date();
  const postgres::Rows listed = co_await query(server_log::listing_sql(), deadline);
  std::vector<RemoteFile> files = server_log::files_of(listed, round.format, now);
  const std::vector<RemoteRange> asked = ranges(files, wanted);
  std::vector<RemoteContents> contents;
  if (!asked.empty()) {
    std::string sql = server_log::reading_sql(access_->directory, asked);
    const postgres::Rows rows = co_await query(std::move(sql), deadline);
    contents = server_log::contents_of(rows);
  }
  round.contents = together(std::move(files), asked, std::move(contents));
  co_return round;
}

// What is worth reading: new pieces, and the heads of files that are new or have changed.
std::vector<RemoteRange> SqlLogReader::ranges(const std::vector<RemoteFile>& files,
                                              const std::vector<Follower::Wanted>& wanted) const {
  std::vector<const RemoteFile*> order;
  for (const RemoteFile& file : files) order.push_back(&file);
  std::ranges::stable_sort(order, {}, &RemoteFile::written);
  std::vector<RemoteRange> ranges;
  std::uint64_t left = kMostAtOnce;
  for (const RemoteFile* file : order) {
    RemoteRange range{file->name, 0, 0};
    const auto next = std::ranges::find(wanted, file->name, &Follower::Wanted::path);
    if (next != wanted.end() && file->size > next->offset) {
      range.offset = next->offset;
      range.length = std::min(left, file->size - next->offset + kWrittenMeanwhile);
      left -= range.length;
    }
    const auto known = known_.find(file->name);
    const bool is_known = known != known_.end() && known->second.size == file->size &&
                          known->second.modified == file->modified;
    if (range.length > 0 || !is_known) ranges.push_back(std::move(range));
  }
  return ranges;
}

RemoteRound SqlLogReader::together(std::vector<RemoteFile> files,
                                   const std::vector<RemoteRange>& ranges,
                                   std::vector<RemoteContents> contents) {
  RemoteRound round;
  std::map<std::string, Known> known;
  for (RemoteFile& file : files) {
    const auto read = std::ranges::find(contents, file.name, &RemoteContents::name);
    const auto asked = std::ranges::find(ranges, file.name, &RemoteRange::name);
    if (read != contents.end()) {
      file.head = read->head;
    } else if (asked != ranges.end()) {
      continue;  // gone since it was listed
    } else if (const auto before = known_.find(file.name); before != known_.end()) {
      file.head = before->second.head;
    }
    known[file.name] = {file.size, file.modified, file.head};
    if (read != contents.end() && !read->piece.empty()) {
      round.pieces.push_back({file.name, asked->offset, std::move(read->piece)});
    }
    round.files.push_back(std::move(file));
  }
  known_ = std::move(known);
  return round;
}

}  // namespace pgconn::exporter
