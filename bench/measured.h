// What the programs that measure share.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "worker_runtime/result.h"

namespace worker_runtime::bench {

/// Ends the measurement: a benchmark that failed has no figures.
[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(1);
}

template <typename Value>
Value must(Result<Value> result) {
  if (!result) fail(result.error().detail());
  return *std::move(result);
}

inline void must(const Result<void>& result) {
  if (!result) fail(result.error().detail());
}

inline double microseconds(const std::function<void()>& call) {
  const auto begun = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun)
      .count();
}

inline double middle_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The median of so many calls.
inline double median(std::size_t calls, const std::function<void()>& call) {
  std::vector<double> times;
  for (std::size_t number = 0; number < calls; ++number) times.push_back(microseconds(call));
  return middle_of(std::move(times));
}

/// What main() answers.
inline int parse_and_run(CLI::App& app, int argc, char** argv, const std::function<int()>& run) {
  try {
    app.parse(argc, argv);
    return run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& problem) {
    fail(problem.what());
  }
}

/// Counts what was submitted and is not done.
class InFlight {
 public:
  void begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    --count_;
    changed_.notify_one();
  }
  void wait_until_below(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ < count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

}  // namespace worker_runtime::bench
