// Ordered answers: see answer_queue.h.
#include "answer_queue.h"

#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace worker_runtime::cli {
namespace {

constexpr std::size_t write_bytes_max = std::size_t{1} << 20U;

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(STDOUT_FILENO, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

AnswerQueue::AnswerQueue() : writer_([this] { write_answers(); }) {}

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
    return broken_ || slots_.empty() || room;
  });
  return !broken_;
}

AnswerQueue::SlotPointer AnswerQueue::open(std::size_t request_bytes) {
  auto slot = std::make_shared<Slot>();
  slot->request_bytes = request_bytes;
  const std::lock_guard lock(mutex_);
  slots_.push_back(slot);
  bytes_ += request_bytes;
  return slot;
}

void AnswerQueue::answer(const SlotPointer& slot, std::string line) {
  const std::lock_guard lock(mutex_);
  slot->answer = std::move(line);
  // Only the first one's answer lets anything be written.
  if (!slots_.empty() && slots_.front() == slot) changed_.notify_one();
}

bool AnswerQueue::drain() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return broken_ || (slots_.empty() && !writing_); });
  return !broken_;
}

bool AnswerQueue::is_broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

std::string AnswerQueue::take_ready(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return closing_ || (!slots_.empty() && slots_.front()->answer); });
  std::string text;
  while (!slots_.empty() && slots_.front()->answer && text.size() < write_bytes_max) {
    text += *slots_.front()->answer;
    bytes_ -= slots_.front()->request_bytes;
    slots_.pop_front();
  }
  return text;
}

void AnswerQueue::write_answers() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::string text = take_ready(lock);
    if (text.empty()) return;  // closing, and nothing is due
    writing_ = true;
    const bool broken = broken_;
    lock.unlock();
    const bool written = !broken && write_all(text);
    lock.lock();
    writing_ = false;
    broken_ = !written;
    room_.notify_all();
  }
}

}  // namespace worker_runtime::cli
