// Long output on a terminal, a screen at a time.
#pragma once

#include <sys/types.h>

#include "options.h"

namespace worker_runtime::cli {

/// While it lives, what is written to standard output goes through $PAGER (less, if there is one
/// and none is named; none if it is named and empty). Does nothing where output is no terminal, or
/// JSON. Made before the output, so that it ends after it; one at a time, before other threads run.
class Pager {
 public:
  explicit Pager(const Options& options);
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;
  /// Waits until whoever reads has seen enough.
  ~Pager();

 private:
  void begin(const char* command);

  pid_t process_ = -1;  // none
  int terminal_ = -1;   // where standard output went before
};

}  // namespace worker_runtime::cli
