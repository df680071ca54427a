// From the bytes of a log file to entries. A parser belongs to one file and one thread; it does no
// I/O and reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sources/server_log/entry.h"
#include "sources/server_log/prefix.h"

namespace pgconn::server_log {

enum class Format { kStderr, kCsv, kJson };

// Of an entry at most so much is kept; what is longer is read past.
inline constexpr std::size_t kLongestEntry = std::size_t{1} << 20;
// Of a message or a detail; no message that is told apart here is as long.
inline constexpr std::size_t kLongestText = 4096;

// What was wrong with the bytes. All of it is survived.
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

  // Takes the next bytes, cut anywhere, and gives `sink` each entry that is whole by now.
  virtual void feed(std::string_view bytes, const Sink& sink) = 0;

  // Nothing more has come for a while: gives out an entry that only waited to see whether it goes
  // on. Never one whose last line is unfinished.
  virtual void flush(const Sink& sink) = 0;

  // The file ends here: like flush(), and an unfinished line or record is torn. Afterwards the
  // parser is as new, but for the faults.
  virtual void finish(const Sink& sink) = 0;

  // How many of the bytes taken belong to entries not given out yet. A reader that begins anew has
  // to begin that many bytes earlier.
  virtual std::uint64_t pending() const = 0;

  // Empty, or what to tell an operator when line after line does not fit: what would.
  virtual std::string misfit() const = 0;

  // Those in bytes that are not pending. So whoever begins anew counts none twice.
  const ParseFaults& faults() const { return faults_; }

 protected:
  ParseFaults faults_;
};

// `prefix` is only used, and copied, for Format::kStderr.
std::unique_ptr<Parser> make_parser(Format format, const Prefix& prefix);

// By the name's end, as PostgreSQL names them: .csv, .json, else stderr.
Format format_of(std::string_view path);

}  // namespace pgconn::server_log
