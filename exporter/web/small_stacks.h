// Threads created while this exists get stacks of 512 KiB instead of 8 MiB: under strict
// overcommit, usual on database hosts, stacks count as used memory whether they are touched or not.
#pragma once

#include <pthread.h>

namespace pgconn::exporter {

class SmallStacks {
 public:
  SmallStacks() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t small;
    pthread_getattr_default_np(&small);
    pthread_attr_setstacksize(&small, 512 * 1024);
    pthread_setattr_default_np(&small);
    pthread_attr_destroy(&small);
  }
  ~SmallStacks() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  SmallStacks(const SmallStacks&) = delete;
  SmallStacks& operator=(const SmallStacks&) = delete;

 private:
  pthread_attr_t before_;
};

}  // namespace pgconn::exporter
