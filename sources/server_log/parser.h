// Turns the bytes of a log file into entries. A parser belongs to one file and one thread; it does
// no I/O and reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sources/server_log/entry.h"
#include "sources/server_log/prefix.h"

namespace pgconn::server_log {

enum class Format { kStderr, kCsv, kJson, kCloudNativePg, kPgbouncer };
inline constexpr std::size_t kFormats = 5;

// How the files of a log are written.
struct Layout {
  std::optional<Format> format;  // nothing: each file's name says it
  bool is_container = false;     // each line as a Kubernetes node keeps it of a container
};

// At most this much of an entry is kept; the rest is skipped.
inline constexpr std::size_t kLongestEntry = std::size_t{1} << 20;
// The same for a message or a detail; no message that is recognised here is as long.
inline constexpr std::size_t kLongestText = 4096;

// What was wrong with the bytes. Parsing goes on after all of these.
struct ParseFaults {
  std::uint64_t unparsed = 0;  // whole lines that do not fit the format
  std::uint64_t torn = 0;      // records that end in the middle
  std::uint64_t oversize = 0;  // entries longer than kLongestEntry
  std::uint64_t nul = 0;       // lines or records with NUL bytes
  std::uint64_t encoding = 0;  // lines or records that are not UTF-8

  bool operator==(const ParseFaults&) const = default;
  ParseFaults& operator+=(const ParseFaults& more);
};

class Parser {
 public:
  Parser() = default;
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  virtual ~Parser() = default;

  // Takes the next bytes, cut anywhere, and gives `sink` each entry that is now complete.
  virtual void feed(std::string_view bytes, const Sink& sink) = 0;

  // Nothing more has come for a while: gives out an entry that was only waiting for possible
  // further lines. Never one whose last line is unfinished.
  virtual void flush(const Sink& sink) = 0;

  // The file ends here: like flush(), and an unfinished line or record is torn. Afterwards the
  // parser is as new, except for the faults.
  virtual void finish(const Sink& sink) = 0;

  // How many of the bytes taken belong to entries not given out yet. A reader that starts again
  // must start that many bytes earlier.
  virtual std::uint64_t pending() const = 0;

  // If line after line does not fit: what would, as a message for an operator; else empty.
  virtual std::string misfit() const = 0;

  // Lines taken from now on have this prefix. Only Format::kStderr has one.
  virtual void set_prefix(const Prefix&) {}

  // Those in bytes that are not pending, so that a reader that starts again counts none twice.
  const ParseFaults& faults() const { return faults_; }

 protected:
  ParseFaults faults_;
};

// `prefix` is only used, and copied, for Format::kStderr.
std::unique_ptr<Parser> make_parser(Format format, const Prefix& prefix);

// For the file at `path`.
std::unique_ptr<Parser> make_parser(const Layout& layout, std::string_view path,
                                    const Prefix& prefix);

// By the file's extension, as PostgreSQL names them: .csv, .json, else stderr.
Format format_of(std::string_view path);

}  // namespace pgconn::server_log
