// Literal answers and a look at what a collector made of them, for the tests of this folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/postgres/builtin.h"
#include "collectors/postgres/readings.h"

namespace pgconn::collectors {

inline const postgres::Cell kNull = std::nullopt;

// One group of activity_reading(); what a test does not name is a plain idle session.
struct Group {
  postgres::Cell database = "shop";
  postgres::Cell role = "app";
  postgres::Cell application = "web";
  postgres::Cell backend_type = kNull;  // a client backend
  postgres::Cell state = "idle";
  postgres::Cell wait = kNull;
  postgres::Cell link = "plain/local";
  postgres::Cell tls_version = kNull;
  postgres::Cell tls_cipher = kNull;
  int sessions = 1;
  int certificates = 0;
  postgres::Cell transaction_age = kNull;
  postgres::Cell session_age = kNull;
  postgres::Cell session_start = kNull;
  std::vector<double> state_ages = {};  // seconds
  std::string pids = "{}";
  postgres::Cell lock_waiters = kNull;
  postgres::Cell lock_waits = kNull;
  postgres::Cell client = kNull;
};

postgres::Rows activity(const std::vector<Group>& groups);

struct Setting {
  std::string name;
  postgres::Cell value;
  postgres::Cell unit = kNull;
  bool masked = false;
  bool pending_restart = false;
};
postgres::Rows settings(const std::vector<Setting>& settings);

struct OverrideRow {
  std::string setting, value, database, role;
  bool applies = true;
};
postgres::Rows overrides(const std::vector<OverrideRow>& overrides, int login_roles = 3,
                         int databases = 2);

// The answer of server_reading() with every privilege, or none.
postgres::Rows server(double start_time, bool sees_all = true);

// What a collector adds, as "name{value,value}" of the labels and the value.
struct Collected {
  std::map<std::string, double> samples;

  // Throws std::out_of_range if there is no such sample.
  double at(const std::string& sample) const { return samples.at(sample); }
  bool has(const std::string& sample) const { return samples.contains(sample); }
  std::size_t count(std::string_view family) const;
};

Collected collect(const Collector& collector, const Readings& readings, const Options& options = {},
                  int server_version = 150000, const Visibility& visibility = {.sessions = true});

}  // namespace pgconn::collectors
