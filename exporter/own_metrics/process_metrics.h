// The standard process_* metrics of this process, from /proc. Pure parsing, separate from reading;
// any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "metrics/batch.h"
#include "metrics/descriptor.h"

namespace pgconn::exporter {

// The files as text and other facts from the kernel. What could not be read is empty or nullopt.
struct ProcessFiles {
  std::string stat;                // /proc/self/stat
  std::string limits;              // /proc/self/limits
  std::string system_stat;         // /proc/stat
  std::optional<double> open_fds;  // entries of /proc/self/fd
  double ticks_per_second = 100;
  double page_bytes = 4096;
};

// Reads the files of this process. Never throws for a file that cannot be read.
ProcessFiles read_process_files();

struct ProcessFacts {
  std::optional<double> cpu_seconds;  // user and system
  std::optional<double> start_time;   // Unix time
  std::optional<double> virtual_bytes;
  std::optional<double> max_virtual_bytes;  // +Inf for "unlimited"
  std::optional<double> resident_bytes;
  std::optional<double> open_fds;
  std::optional<double> max_fds;  // +Inf for "unlimited"
};

// What the files say; nullopt for what is missing or malformed. Pure.
ProcessFacts parse_process_files(const ProcessFiles& files);

// Adds one sample for each known fact.
void add_process_metrics(const ProcessFacts& facts, metrics::MetricBatch& batch);

// The descriptors add_process_metrics() may use, for `list metrics`.
std::span<const metrics::Descriptor* const> process_descriptors();

}  // namespace pgconn::exporter
