// The answers of `pipe`: completed in any order, written in the order of the requests.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace worker_runtime::cli {

/// At most so much is in flight: then input waits.
inline constexpr std::size_t requests_in_flight_max = 1024;
inline constexpr std::size_t bytes_in_flight_max = std::size_t{64} << 20U;

class AnswerQueue {
 public:
  /// A place in the order. Its answer is given once, from any thread.
  struct Slot {
    std::optional<std::string> answer;  // a whole line
    std::size_t request_bytes = 0;
  };
  using SlotPointer = std::shared_ptr<Slot>;

  AnswerQueue();
  AnswerQueue(const AnswerQueue&) = delete;
  AnswerQueue& operator=(const AnswerQueue&) = delete;
  /// Writes what was answered.
  ~AnswerQueue();

  /// Waits until there is room. False once the output is gone.
  bool reserve(std::size_t request_bytes);
  SlotPointer open(std::size_t request_bytes);
  void answer(const SlotPointer& slot, std::string line);

  /// Waits until every slot is answered and written. False if the output is gone.
  bool drain();
  [[nodiscard]] bool is_broken() const;

 private:
  void write_answers();
  /// The answers that are due, and which may be written at once.
  std::string take_ready(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::condition_variable room_;
  std::deque<SlotPointer> slots_;
  std::size_t bytes_ = 0;
  bool writing_ = false;
  bool closing_ = false;
  bool broken_ = false;
  std::thread writer_;
};

}  // namespace worker_runtime::cli
