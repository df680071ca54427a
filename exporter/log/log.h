// The process's log: one structured line per record, to standard error. Any thread, also before
// configure() (then level info, logfmt). Writing never throws and survives a closed or broken
// standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "exporter/log/log_format.h"

namespace pgconn::exporter::log {

// Sets what is written and how. Ignores SIGPIPE for the whole process, so that a reader of the log
// that goes away does not end it. Call from main, before other threads start.
void configure(Level level, Format format);

// From now on a thread of its own writes the lines: a reader that stops reading (a full pipe) holds
// up no other thread. Until then they are written at once. Call once, after configure().
void start_queue();
// Waits until everything logged is written, or `patience` is over.
void drain(std::chrono::milliseconds patience) noexcept;
// Lines that did not fit into the queue.
std::uint64_t lines_dropped();

// True if a record of that level would be written; saves building costly fields.
bool enabled(Level level);

// Writes a record, unless its level is below the configured one. Fields without a value are left
// out. Values must contain no secret.
//   log::write(Level::kWarn, "cannot connect", {{"target", name}, {"phase", "tcp"}});
void write(Level level, std::string_view message,
           std::initializer_list<Field> fields = {}) noexcept;

// The same for a process that is about to be killed: takes no lock and does not wait. The
// line is lost if standard error has no room for it now.
void write_if_room(Level level, std::string_view message,
                   std::initializer_list<Field> fields = {}) noexcept;

}  // namespace pgconn::exporter::log
