// The answers of `pipe`: completed in any order, written in the order of the requests.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace worker_runtime::cli {

/// At most so much is in flight, requests and the answers that wait to be written: then input
/// waits.
inline constexpr std::size_t requests_in_flight_max = 1024;
inline constexpr std::size_t bytes_in_flight_max = std::size_t{64} << 20U;

class AnswerQueue {
 public:
  /// A place in the order. Its answer is given once, from any thread.
  struct Slot {
    std::optional<std::string> answer;  // a whole line
    std::size_t bytes = 0;              // of the request, and of the answer once there is one
  };
  using SlotPointer = std::shared_ptr<Slot>;

  /// `on_broken` is called once, from the writing thread, when the output cannot be written.
  explicit AnswerQueue(std::function<void()> on_broken);
  AnswerQueue(const AnswerQueue&) = delete;
  AnswerQueue& operator=(const AnswerQueue&) = delete;
  /// Writes what was answered.
  ~AnswerQueue();

  /// Waits until there is room for a request. False once the output is gone.
  bool reserve(std::size_t request_bytes);
  SlotPointer open(std::size_t request_bytes);
  void answer(const SlotPointer& slot, std::string line);

  /// Waits until every slot is answered and written. Answers errno of the write that failed, or 0.
  int drain();

 private:
  void write_answers();
  std::string take_ready(std::unique_lock<std::mutex>& lock);

  const std::function<void()> on_broken_;
  std::mutex mutex_;                 // guards what follows
  std::condition_variable changed_;  // the first slot was answered, or closing
  std::condition_variable room_;     // something was written
  std::deque<SlotPointer> slots_;
  std::size_t bytes_ = 0;
  bool writing_ = false;
  bool closing_ = false;
  int system_error_ = 0;  // once the output is broken, answers are dropped
  std::thread writer_;
};

}  // namespace worker_runtime::cli
