// The queue of submissions and who leads: see runtime_implementation.h.
#include <algorithm>
#include <system_error>
#include <utility>

#include "runtime_implementation.h"
#include "validate.h"

namespace worker_runtime {
namespace {

/// Bounds of a group: a follower waits for one group at most before its own.
constexpr std::size_t group_submissions_max = 1024;
constexpr std::size_t group_bytes_max = std::size_t{4} << 20U;

Error closed() { return {ErrorCode::closed, "the runtime is closed"}; }

std::size_t text_bytes(const Mutation& operation) {
  if (const auto* const input = std::get_if<SendInput>(&operation)) return input->content.size();
  if (const auto* const output = std::get_if<AppendOutput>(&operation))
    return output->content.size() + (output->data ? output->data->size() : 0);
  return 0;
}

}  // namespace

/// What needs no state, on the caller's own thread: the time of the call, and the checks.
void Runtime::Implementation::check(Submission& submission) const {
  submission.asked = std::chrono::steady_clock::now();
  if (!submission.is_batch) {
    auto valid = validate(submission.operation, limits_);
    if (!valid) submission.error = std::move(valid).error();
    submission.text_bytes = text_bytes(submission.operation);
    return;
  }
  const std::uint64_t max = limits_.batch_operations;
  if (submission.batch.size() > max) {
    submission.error = Error(ErrorCode::limit_exceeded,
                             "a batch has at most " + std::to_string(max) + " operations",
                             LimitFields{"batch_operations", submission.batch.size(), max});
    return;
  }
  for (std::size_t index = 0; index < submission.batch.size(); ++index) {
    auto valid = validate(submission.batch[index], limits_);
    submission.text_bytes += text_bytes(submission.batch[index]);
    if (valid) continue;
    submission.fault.emplace(index, std::move(valid).error().set_index(index));
    return;
  }
}

// ---- blocking callers

Result<std::vector<Answer>> Runtime::Implementation::run_batch(std::vector<Mutation> operations) {
  Submission submission(std::move(operations));
  wait_for(submission);
  if (submission.error) return *std::move(submission.error);
  return std::move(submission.answers);
}

void Runtime::Implementation::wait_for(Submission& submission) noexcept {
  submission.is_blocking = true;
  check(submission);
  std::unique_lock lock(queue_mutex_);
  if (closed_) {
    submission.error = closed();
    return;
  }
  ++callers_;
  ++blocking_in_queue_;
  push(submission);
  for (;;) {
    if (leading_ || submission.is_done) {
      lock.unlock();
      // Once it is done, the runtime may be gone: who led it has counted this caller out.
      if (submission.gate.wait() == Gate::Call::done) return;
      lock.lock();
    } else {
      lead(lock, &submission);
      if (submission.is_done) break;
    }
  }
  // Under the lock: the destructor waits for it, and then nothing here is touched any more.
  if (--callers_ == 0 && abandoned_) progress_.notify_all();
}

void Runtime::Implementation::push(Submission& submission) {
  ++submitted_;
  queue_.push_back(&submission);
}

// ---- asynchronous submissions

void Runtime::Implementation::submit(Mutation operation, Completion done) {
  auto submission = std::make_unique<Submission>(std::move(operation));
  submission->done = std::move(done);
  enqueue(std::move(submission));
}

void Runtime::Implementation::submit_batch(std::vector<Mutation> operations, BatchCompletion done) {
  auto submission = std::make_unique<Submission>(std::move(operations));
  submission->batch_done = std::move(done);
  enqueue(std::move(submission));
}

void Runtime::Implementation::enqueue(std::unique_ptr<Submission> submission) noexcept {
  check(*submission);
  std::unique_lock lock(queue_mutex_);
  if (closed_) submission->error = closed();
  // After close() it still waits behind those that do: completions come in the order of submission.
  const bool is_answered = closed_ && queue_.empty() && !leading_;
  const bool can_queue = !is_answered && start_commit_thread();
  if (!can_queue) {
    if (!is_answered)
      submission->error = Error(ErrorCode::store_full, "no thread can be started for submissions");
    lock.unlock();
    complete(*submission);
    return;
  }
  push(*submission.release());  // the queue owns it, until lead() has completed it
  if (!leading_ && blocking_in_queue_ == 0) commit_thread_wake_.notify_one();
}

/// False if the system has no thread left.
bool Runtime::Implementation::start_commit_thread() {
  if (commit_thread_.joinable()) return true;
  try {
    commit_thread_ = std::jthread([this](const std::stop_token& stop) { run_commit_thread(stop); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Runtime::Implementation::complete(Submission& submission) noexcept {
  if (submission.is_batch) {
    submission.batch_done(submission.error
                              ? Result<std::vector<Answer>>(*std::move(submission.error))
                              : Result<std::vector<Answer>>(std::move(submission.answers)));
  } else {
    submission.done(submission.error ? Result<Answer>(*std::move(submission.error))
                                     : Result<Answer>(*std::move(submission.answer)));
  }
}

void Runtime::Implementation::run_commit_thread(const std::stop_token& stop) noexcept {
  std::unique_lock lock(queue_mutex_);
  for (;;) {
    const bool work = commit_thread_wake_.wait(
        lock, stop, [this] { return !leading_ && !queue_.empty() && blocking_in_queue_ == 0; });
    if (!work) return;
    lead(lock, nullptr);
  }
}

// ---- leading

void Runtime::Implementation::take_group() {
  std::size_t bytes = 0;
  while (!queue_.empty() && group_.size() < group_submissions_max &&
         (group_.empty() || bytes < group_bytes_max)) {
    Submission* const submission = queue_.front();
    queue_.pop_front();
    bytes += submission->text_bytes;
    if (submission->is_blocking) --blocking_in_queue_;
    group_.push_back(submission);
  }
}

void Runtime::Implementation::lead(std::unique_lock<std::mutex>& lock, Submission* own) {
  leading_ = true;
  take_group();
  if (abandoned_) {
    for (Submission* const submission : group_) submission->error = closed();
  }
  lock.unlock();
  execute_group();
  count_group();
  // Completions come before blocking callers of the group return: in the order of submission for
  // each thread.
  for (Submission*& submission : group_) {
    if (submission->is_blocking) continue;
    const std::unique_ptr<Submission> completed(std::exchange(submission, nullptr));
    complete(*completed);
  }
  lock.lock();
  Submission* done = finish_group(own);
  hand_over_leadership();
  if (done == nullptr) return;
  // The next group is made while the callers of this one are woken.
  lock.unlock();
  while (done != nullptr) {
    Submission* const next = done->next_to_wake;
    done->gate.call(Gate::Call::done);
    done = next;
  }
  lock.lock();
}

/// Answers the first of the blocking callers that are to be woken, in their order: all but `own`.
Submission* Runtime::Implementation::finish_group(const Submission* own) {
  Submission* first = nullptr;
  Submission** last = &first;
  for (Submission* const submission : group_) {
    if (submission == nullptr) continue;
    submission->is_done = true;
    if (submission == own) continue;
    --callers_;
    *last = submission;
    last = &submission->next_to_wake;
  }
  leading_ = false;
  finished_ += group_.size();
  group_.clear();
  return first;
}

/// What the group did, before its submissions are gone.
void Runtime::Implementation::count_group() {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(metrics_mutex_);
  for (const Submission* const submission : group_) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::microseconds>(now - submission->asked);
    metrics_.latency.add(static_cast<std::uint64_t>(passed.count()), latency_bounds);
    if (submission->error) {
      ++metrics_.refused.at(static_cast<std::size_t>(submission->error->code()));
    } else if (submission->has_commit) {
      ++metrics_.commits;
    }
  }
  metrics_.operations += group_.size();
  metrics_.group_operations.add(group_.size(), group_bounds);
  if (!sync_time_) return;
  ++metrics_.syncs;
  metrics_.sync_latency.add(
      static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(*sync_time_).count()),
      latency_bounds);
}

void Runtime::Implementation::hand_over_leadership() {
  if (closed_) progress_.notify_all();
  if (queue_.empty()) return;
  if (blocking_in_queue_ == 0) {
    commit_thread_wake_.notify_one();
    return;
  }
  const auto next = std::find_if(queue_.begin(), queue_.end(), [](const Submission* submission) {
    return submission->is_blocking;
  });
  (*next)->gate.call(Gate::Call::lead);
}

// ---- the end

Result<Lsn> Runtime::Implementation::checkpoint() noexcept {
  const std::lock_guard lock(checkpoint_mutex_);
  if (closed_) return closed();
  return store_->checkpoint();
}

void Runtime::Implementation::wake_event_waiters() const {
  const std::lock_guard lock(wait_mutex_);
  events_arrived_.notify_all();
}

Result<void> Runtime::Implementation::close() noexcept {
  {
    std::unique_lock lock(queue_mutex_);
    if (closed_.exchange(true)) return closed();
    // What was submitted before is served. What comes now is answered behind it, and touches
    // neither state nor store.
    progress_.wait(lock, [this, before = submitted_] { return finished_ >= before; });
  }
  wake_event_waiters();
  const std::lock_guard lock(checkpoint_mutex_);
  auto done = store_->close();
  if (done) {
    diagnostics_->tell(LogLevel::info, "the runtime is closed");
  } else {
    diagnostics_->tell(LogLevel::error, "the close failed: " + done.error().message());
  }
  return done;
}

Runtime::Implementation::~Implementation() {
  {
    std::unique_lock lock(queue_mutex_);
    closed_ = true;
    abandoned_ = true;
    progress_.wait(lock, [this] { return queue_.empty() && !leading_ && callers_ == 0; });
  }
  {
    std::unique_lock lock(wait_mutex_);
    events_arrived_.notify_all();
    events_arrived_.wait(lock, [this] { return waiters_ == 0; });
  }
  const std::lock_guard lock(checkpoint_mutex_);
  if (commit_thread_.joinable()) {
    commit_thread_.request_stop();
    commit_thread_.join();
  }
}

}  // namespace worker_runtime
