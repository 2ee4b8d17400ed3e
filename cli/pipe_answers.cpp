// Ordered answers: see pipe_answers.h.
#include "pipe_answers.h"

#include <utility>

#include "streams.h"

namespace worker_runtime::cli {
namespace {
constexpr std::size_t write_bytes_max = std::size_t{1} << 20U;
}

AnswerQueue::AnswerQueue(std::function<void()> on_broken)
    : on_broken_(std::move(on_broken)), writer_([this] { write_answers(); }) {}

AnswerQueue::~AnswerQueue() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  writer_.join();
}

bool AnswerQueue::reserve(std::size_t request_bytes) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] {
    const bool room =
        slots_.size() < requests_in_flight_max && bytes_ + request_bytes <= bytes_in_flight_max;
    // A request that is too large for any room goes alone.
    return system_error_ != 0 || slots_.empty() || room;
  });
  return system_error_ == 0;
}

AnswerQueue::SlotPointer AnswerQueue::open(std::size_t request_bytes) {
  auto slot = std::make_shared<Slot>();
  slot->bytes = request_bytes;
  const std::lock_guard lock(mutex_);
  slots_.push_back(slot);
  bytes_ += request_bytes;
  return slot;
}

void AnswerQueue::answer(const SlotPointer& slot, std::string line) {
  const std::lock_guard lock(mutex_);
  // Counted too: a thousand pages that wait behind one slow answer would fill the memory.
  slot->bytes += line.size();
  bytes_ += line.size();
  slot->answer = std::move(line);
  // Only the first one's answer lets anything be written.
  if (!slots_.empty() && slots_.front() == slot) changed_.notify_one();
}

int AnswerQueue::drain() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return slots_.empty() && !writing_; });
  return system_error_;
}

/// The answers that are due, as many as are written at once; none if closing and nothing is due.
std::string AnswerQueue::take_ready(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return closing_ || (!slots_.empty() && slots_.front()->answer); });
  std::string text;
  while (!slots_.empty() && slots_.front()->answer && text.size() < write_bytes_max) {
    if (text.empty()) {
      text = std::move(*slots_.front()->answer);
    } else {
      text += *slots_.front()->answer;
    }
    bytes_ -= slots_.front()->bytes;
    slots_.pop_front();
  }
  return text;
}

void AnswerQueue::write_answers() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::string text = take_ready(lock);
    if (text.empty()) return;
    writing_ = true;
    const bool broken = system_error_ != 0;
    lock.unlock();
    const int failed = broken ? 0 : write_output(text);
    if (failed != 0) on_broken_();
    lock.lock();
    writing_ = false;
    if (failed != 0) system_error_ = failed;
    room_.notify_all();
  }
}

}  // namespace worker_runtime::cli
