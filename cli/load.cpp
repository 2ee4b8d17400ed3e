// Load on a contender: see load.h.
#include "load.h"

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace worker_runtime::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t nanoseconds_between(Clock::time_point from, Clock::time_point to) {
  return static_cast<std::uint64_t>((to - from).count());
}

/// One thread that waits for each of its records: one at least, however late it got a processor.
void call(const Contender& contender, std::chrono::nanoseconds duration, std::atomic<bool>& failed,
          Latencies& latencies) {
  Clock::time_point begun = Clock::now();
  const Clock::time_point end = begun + duration;
  do {
    if (!contender.commit()) {
      failed = true;
      return;
    }
    const Clock::time_point done = Clock::now();
    latencies.add(nanoseconds_between(begun, done));
    begun = done;
  } while (begun < end && !failed);
}

bool run_callers(const Contender& contender, std::size_t callers, std::chrono::nanoseconds duration,
                 Measured& measured) {
  std::atomic<bool> failed = false;
  std::vector<std::unique_ptr<Latencies>> latencies;
  for (std::size_t number = 0; number < callers; ++number)
    latencies.push_back(std::make_unique<Latencies>());
  // Nobody begins before all are there; the last one to come starts the clock.
  Clock::time_point begun;
  std::barrier ready(static_cast<std::ptrdiff_t>(callers),
                     [&begun]() noexcept { begun = Clock::now(); });
  {
    std::vector<std::jthread> threads;
    threads.reserve(callers);
    for (std::size_t number = 0; number < callers; ++number) {
      threads.emplace_back([&, own = latencies[number].get()] {
        ready.arrive_and_wait();
        call(contender, duration, failed, *own);
      });
    }
  }
  measured.time += Clock::now() - begun;
  for (const auto& own : latencies) {
    measured.operations += own->total();
    measured.latencies.add(*own);
  }
  return !failed;
}

/// Submissions of one thread, at most so many on their way. Refilled when half of them are done: a
/// thread that wakes for each single one would measure itself.
class Flight {
 public:
  Flight(const Contender& contender, std::size_t most) : contender_(contender), most_(most) {}

  bool run(Clock::time_point end) {
    std::uint64_t submitted = 0;
    do {
      for (; submitted - done_ < most_; ++submitted) submit();
      wait_for(submitted - most_ / 2);
    } while (Clock::now() < end && !failed_);
    wait_for(submitted);
    return !failed_;
  }
  [[nodiscard]] const Latencies& latencies() const { return latencies_; }

 private:
  void submit() {
    contender_.submit([this, begun = Clock::now()](bool is_durable) {
      if (!is_durable) failed_ = true;
      latencies_.add(nanoseconds_between(begun, Clock::now()));
      if (++done_ < wanted_) return;
      const std::lock_guard lock(mutex_);
      enough_.notify_one();
    });
  }

  void wait_for(std::uint64_t wanted) {
    if (contender_.flush) contender_.flush();
    std::unique_lock lock(mutex_);
    wanted_ = wanted;
    enough_.wait(lock, [&] { return done_ >= wanted; });
    wanted_ = ~std::uint64_t{0};
  }

  const Contender& contender_;
  const std::uint64_t most_;
  std::atomic<bool> failed_ = false;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> wanted_ = ~std::uint64_t{0};
  Latencies latencies_;  // by completions alone, which come one after the other
  std::mutex mutex_;
  std::condition_variable enough_;
};

}  // namespace

bool run_load(const Contender& contender, const Load& load, std::chrono::nanoseconds duration,
              Measured& measured) {
  if (load.in_flight <= 1) return run_callers(contender, load.callers, duration, measured);
  Flight flight(contender, load.in_flight);
  const Clock::time_point begun = Clock::now();
  const bool passed = flight.run(begun + duration);
  measured.time += Clock::now() - begun;
  measured.operations += flight.latencies().total();
  measured.latencies.add(flight.latencies());
  return passed;
}

}  // namespace worker_runtime::cli
