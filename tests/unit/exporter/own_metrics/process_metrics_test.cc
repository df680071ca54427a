#include "exporter/own_metrics/process_metrics.h"

#include <unistd.h>

#include <cmath>
#include <map>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

ProcessFiles sample_files() {
  ProcessFiles files;
  // The name contains characters that break a careless parser.
  files.stat =
      "4242 (a (b) c) S 1 2 3 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 8 0 12345 10485760 2500 "
      "18446744073709551615 1 1 0\n";
  files.limits =
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max cpu time              unlimited            unlimited            seconds   \n"
      "Max open files            1024                 1048576              files     \n"
      "Max address space         1073741824           unlimited            bytes     \n";
  files.system_stat = "cpu  1 2 3\nctxt 99\nbtime 1767000000\nprocesses 5\n";
  files.open_fds = 17;
  files.ticks_per_second = 100;
  files.page_bytes = 4096;
  return files;
}

std::map<std::string, double> samples_of(const ProcessFacts& facts) {
  metrics::MetricBatch batch;
  add_process_metrics(facts, batch);
  std::map<std::string, double> samples;
  for (const auto& family : batch.families()) {
    samples.emplace(family.descriptor->name, family.samples.at(0).value);
  }
  return samples;
}

TEST_CASE("the standard process metrics come out of the kernel's files") {
  CHECK(samples_of(parse_process_files(sample_files())) ==
        std::map<std::string, double>{{"process_cpu_seconds_total", 2},
                                      {"process_resident_memory_bytes", 10240000},
                                      {"process_virtual_memory_bytes", 10485760},
                                      {"process_virtual_memory_max_bytes", 1073741824},
                                      {"process_open_fds", 17},
                                      {"process_max_fds", 1024},
                                      {"process_start_time_seconds", 1767000123.45}});
}

TEST_CASE("what cannot be read or understood gives no sample") {
  CHECK(samples_of(parse_process_files(ProcessFiles{})).empty());
  ProcessFiles files = sample_files();
  files.stat = "4242 (short) S 1 2";
  files.system_stat = "btime soon\n";
  files.limits = "Max open files            many\n";
  CHECK(samples_of(parse_process_files(files)) ==
        std::map<std::string, double>{{"process_open_fds", 17}});
}

TEST_CASE("no limit on descriptors is infinity") {
  ProcessFiles files = sample_files();
  files.limits = "Max open files            unlimited            unlimited            files\n";
  CHECK(std::isinf(parse_process_files(files).max_fds.value()));
}

TEST_CASE("this process has all the facts") {
  const ProcessFacts facts = parse_process_files(read_process_files());
  CHECK(facts.cpu_seconds.value() >= 0);
  CHECK(facts.resident_bytes.value() > 100000);
  CHECK(facts.virtual_bytes.value() > facts.resident_bytes.value());
  CHECK(facts.start_time.value() > 1.7e9);
  CHECK(facts.max_fds.value() >= facts.open_fds.value());
}

TEST_CASE("an opened descriptor is counted") {
  const double before = read_process_files().open_fds.value();
  const int fd = dup(STDERR_FILENO);
  CHECK(read_process_files().open_fds.value() == before + 1);
  close(fd);
}

TEST_CASE("every process metric is listed") { CHECK(process_descriptors().size() == 7); }

}  // namespace
}  // namespace pgconn::exporter
