// The queue of submissions and who leads: see runtime_implementation.h.
#include <algorithm>
#include <utility>

#include "runtime_implementation.h"
#include "validate.h"

namespace worker_runtime {
namespace {

/// Bounds of a group: a follower waits for one group at most before its own.
constexpr std::size_t group_submissions_max = 1024;
constexpr std::size_t group_bytes_max = std::size_t{4} << 20U;

Error closed() { return {ErrorCode::closed, "the runtime is closed"}; }

std::size_t text_bytes(const std::vector<Mutation>& operations) {
  std::size_t bytes = 0;
  for (const Mutation& operation : operations) {
    if (const auto* const input = std::get_if<SendInput>(&operation))
      bytes += input->content.size();
    if (const auto* const output = std::get_if<AppendOutput>(&operation)) {
      bytes += output->content.size() + (output->data ? output->data->size() : 0);
    }
  }
  return bytes;
}

}  // namespace

// ---- blocking callers

Result<Answer> Runtime::Implementation::run(Mutation operation) {
  Submission submission;
  auto valid = validate(operation, state_.runtime().limits);
  if (!valid) submission.error = std::move(valid).error();
  submission.operations.push_back(std::move(operation));
  wait_for(submission);
  if (submission.error) return *std::move(submission.error);
  return std::move(submission.answers.front());
}

Result<std::vector<Answer>> Runtime::Implementation::run_batch(std::vector<Mutation> operations) {
  Submission submission;
  submission.is_batch = true;
  submission.operations = std::move(operations);
  check_batch(submission);
  wait_for(submission);
  if (submission.error) return *std::move(submission.error);
  return std::move(submission.answers);
}

void Runtime::Implementation::check_batch(Submission& submission) const {
  const std::uint64_t max = state_.runtime().limits.batch_operations;
  if (submission.operations.size() <= max) return;
  submission.error =
      Error(ErrorCode::limit_exceeded, "a batch has at most " + std::to_string(max) + " operations",
            LimitFields{"batch_operations", submission.operations.size(), max});
}

void Runtime::Implementation::wait_for(Submission& submission) {
  submission.is_blocking = true;
  submission.text_bytes = text_bytes(submission.operations);
  std::unique_lock lock(queue_mutex_);
  if (closed_) {
    submission.error = closed();
    return;
  }
  queue_.push_back(&submission);
  ++blocking_in_queue_;
  while (!submission.is_done) {
    if (leading_) {
      submission.wake.wait(lock);
    } else {
      lead(lock);
    }
  }
}

// ---- asynchronous submissions

void Runtime::Implementation::submit(Mutation operation, Completion done) {
  auto submission = std::make_unique<Submission>();
  submission->done = std::move(done);
  auto valid = validate(operation, state_.runtime().limits);
  if (!valid) submission->error = std::move(valid).error();
  submission->operations.push_back(std::move(operation));
  enqueue(std::move(submission));
}

void Runtime::Implementation::submit_batch(std::vector<Mutation> operations, BatchCompletion done) {
  auto submission = std::make_unique<Submission>();
  submission->batch_done = std::move(done);
  submission->is_batch = true;
  submission->operations = std::move(operations);
  check_batch(*submission);
  enqueue(std::move(submission));
}

void Runtime::Implementation::enqueue(std::unique_ptr<Submission> submission) {
  submission->text_bytes = text_bytes(submission->operations);
  std::unique_lock lock(queue_mutex_);
  if (closed_) {
    lock.unlock();
    submission->error = closed();
    complete(*submission);
    return;
  }
  queue_.push_back(submission.release());  // the queue owns it; complete() is followed by delete
  if (!commit_thread_.joinable()) {
    commit_thread_ = std::jthread([this](const std::stop_token& stop) { run_commit_thread(stop); });
  }
  if (!leading_ && blocking_in_queue_ == 0) commit_thread_wake_.notify_one();
}

void Runtime::Implementation::complete(Submission& submission) {
  if (submission.is_batch) {
    submission.batch_done(submission.error
                              ? Result<std::vector<Answer>>(*std::move(submission.error))
                              : Result<std::vector<Answer>>(std::move(submission.answers)));
  } else {
    submission.done(submission.error ? Result<Answer>(*std::move(submission.error))
                                     : Result<Answer>(std::move(submission.answers.front())));
  }
}

void Runtime::Implementation::run_commit_thread(const std::stop_token& stop) {
  std::unique_lock lock(queue_mutex_);
  for (;;) {
    const bool work = commit_thread_wake_.wait(
        lock, stop, [this] { return !leading_ && !queue_.empty() && blocking_in_queue_ == 0; });
    if (!work) return;
    lead(lock);
  }
}

// ---- leading

std::vector<Submission*> Runtime::Implementation::take_group() {
  std::vector<Submission*> group;
  std::size_t bytes = 0;
  while (!queue_.empty() && group.size() < group_submissions_max &&
         (group.empty() || bytes < group_bytes_max)) {
    Submission* const submission = queue_.front();
    queue_.pop_front();
    bytes += submission->text_bytes;
    if (submission->is_blocking) --blocking_in_queue_;
    group.push_back(submission);
  }
  return group;
}

void Runtime::Implementation::lead(std::unique_lock<std::mutex>& lock) {
  leading_ = true;
  const std::vector<Submission*> group = take_group();
  const bool abandoned = abandoned_;
  lock.unlock();
  if (abandoned) {
    for (Submission* const submission : group) submission->error = closed();
  } else {
    execute_group(group);
  }
  // Completions come before blocking callers of the group return: in the order of submission for
  // each thread.
  for (Submission* const submission : group) {
    if (submission->is_blocking) continue;
    complete(*submission);
    delete submission;
  }
  lock.lock();
  leading_ = false;
  for (Submission* const submission : group) {
    // Notified under the lock: once it is released, the submission may be gone.
    if (!submission->is_blocking) continue;
    submission->is_done = true;
    submission->wake.notify_one();
  }
  hand_over_leadership();
}

void Runtime::Implementation::hand_over_leadership() {
  if (queue_.empty()) {
    idle_.notify_all();
    return;
  }
  const auto next = std::find_if(queue_.begin(), queue_.end(), [](const Submission* submission) {
    return submission->is_blocking;
  });
  if (next != queue_.end()) {
    (*next)->wake.notify_one();
  } else {
    commit_thread_wake_.notify_one();
  }
}

// ---- the end

Result<Lsn> Runtime::Implementation::checkpoint() {
  if (closed_) return closed();
  return store_->checkpoint();
}

Result<void> Runtime::Implementation::close() {
  {
    std::unique_lock lock(queue_mutex_);
    if (closed_.exchange(true)) return closed();
    idle_.wait(lock, [this] { return queue_.empty() && !leading_; });
  }
  {
    const std::lock_guard lock(wait_mutex_);
    events_arrived_.notify_all();
  }
  if (commit_thread_.joinable()) {
    commit_thread_.request_stop();
    commit_thread_.join();
  }
  return store_->close();
}

/// As after a crash: what was not executed is answered with `closed`.
void Runtime::Implementation::abandon() {
  {
    std::unique_lock lock(queue_mutex_);
    closed_ = true;
    abandoned_ = true;
    idle_.wait(lock, [this] { return queue_.empty() && !leading_; });
  }
  const std::lock_guard lock(wait_mutex_);
  events_arrived_.notify_all();
}

}  // namespace worker_runtime
