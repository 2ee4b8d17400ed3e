// The one place that asks the system for the time.
#include <chrono>

#include "worker_runtime/time.h"

namespace worker_runtime {

Clock system_clock() {
  return [] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp{std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
  };
}

}  // namespace worker_runtime
