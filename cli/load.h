// Load on something that makes small records durable: how many it takes a second, and how long each
// waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "latencies.h"

namespace worker_runtime::cli {

/// What is measured. Its functions are called from any number of threads.
struct Contender {
  std::string name;
  /// Makes one record durable. False: it could not, and the measurement is over.
  std::function<bool()> commit{};
  /// Begins to make one durable; `done` is called once it is. Empty: there is no such form.
  std::function<void(std::function<void(bool)> done)> submit{};
  /// Called before the thread that submits waits, where submissions are gathered.
  std::function<void()> flush{};
};

/// `callers` threads that wait for each record; or, if `in_flight` is more than 1, one thread that
/// keeps so many on their way.
struct Load {
  std::size_t callers = 1;
  std::size_t in_flight = 1;
};

/// What one or more runs came to.
struct Measured {
  std::uint64_t operations = 0;
  std::chrono::nanoseconds time{};
  Latencies latencies{};

  [[nodiscard]] double per_second() const {
    return time.count() == 0
               ? 0
               : static_cast<double>(operations) * 1e9 / static_cast<double>(time.count());
  }
};

/// Puts the load on for that long, and adds what it came to. False if a commit failed.
bool run_load(const Contender& contender, const Load& load, std::chrono::nanoseconds duration,
              Measured& measured);

}  // namespace worker_runtime::cli
