// A program that runs beside this one and is read through a pipe. It has no standard input, a bare
// environment, and ends with this process, however that ends. One thread: the one that starts it
// must live for as long as it should.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "sources/server_log/local_store.h"

namespace pgconn::server_log {

class Child {
 public:
  // Starts `words[0]`, which is looked for in $PATH, with the other words as its arguments. Throws
  // std::runtime_error if no process can be had; a program that does not exist ends at once, with
  // status 127.
  explicit Child(const std::vector<std::string>& words);
  // Ends it: SIGTERM, and SIGKILL if it has not ended within half a second.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int output() const { return output_.number(); }
  // What it wrote to standard error so far, at most the last 500 bytes, on one line.
  std::string errors();
  // Whether it has ended.
  bool has_ended();

 private:
  Descriptor output_;
  Descriptor errors_;
  std::string said_;
  pid_t pid_ = -1;  // -1: has ended
};

}  // namespace pgconn::server_log
