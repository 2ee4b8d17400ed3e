// The inside of a Runtime: a queue of submissions, a leader that turns them into groups of commits,
// and the state that readers see.
//
// Callers queue their submission. The first blocking caller that finds no leader becomes it: it
// takes a group from the front of the queue, plans its operations one by one on the head, hands
// each commit to the store, syncs once, merges the head into the state, and answers all in order.
// Those that arrive meanwhile form the next group. A lone blocking caller so pays no thread switch.
// A commit thread leads only when all that waits was submitted asynchronously, and exists only once
// something was. (The model is LevelDB's writer queue.)
//
// Who may touch what. The leader alone, of whom there is one at a time, plans, and calls the
// store's mutating functions; it reads `state_` without a lock, since nobody else writes it, and
// writes it under `state_mutex_`. Readers hold that lock for moments and never across I/O. Order of
// locks: none is taken while another is held, but the lock of the diagnostics.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "key_windows.h"
#include "plan.h"
#include "state.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime {

/// Where a blocking caller sleeps. Each has its own: those that are woken together do not queue up
/// for one lock.
class Gate {
 public:
  enum class Call : std::uint8_t { lead, done };
  /// Nothing of the gate is touched after the call `done` was heard.
  void call(Call call) {
    const std::lock_guard lock(mutex_);
    call_ = call;
    called_.notify_one();
  }
  Call wait() {
    std::unique_lock lock(mutex_);
    called_.wait(lock, [this] { return call_.has_value(); });
    return *std::exchange(call_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable called_;
  std::optional<Call> call_;
};

/// One operation or batch on its way.
struct Submission {
  template <typename Operation>
  explicit Submission(Operation single) : operation(std::move(single)) {}
  explicit Submission(std::vector<Mutation> operations)
      : is_batch(true), batch(std::move(operations)) {}

  // What is asked for.
  bool is_batch = false;
  Mutation operation;           // unless it is a batch
  std::vector<Mutation> batch;  // a faulty operation is the last to be looked at:
  std::optional<std::pair<std::size_t, Error>> fault;
  std::size_t text_bytes = 0;  // what it brings: bounds the group
  std::chrono::steady_clock::time_point asked;

  // The outcome. An error that is there before the submission was planned rests on the request
  // alone.
  bool is_planned = false;
  bool has_commit = false;
  std::optional<Error> error;
  std::optional<Answer> answer;      // unless it is a batch
  std::vector<Answer> answers;       // of a batch
  std::vector<std::size_t> created;  // of a batch: which answers are those of new Workers

  // Who waits: a blocking caller, or a completion.
  Completion done;
  BatchCompletion batch_done;
  bool is_blocking = false;
  bool is_done = false;
  Gate gate;
  Submission* next_to_wake = nullptr;
};

class Runtime::Implementation {
 public:
  Implementation(std::unique_ptr<Store> store, Clock clock, Restored restored);
  /// Waits until nobody is inside any more; what was not executed is answered with `closed`.
  ~Implementation();
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  /// The rest of open(): options, and the first event of a fresh store.
  Result<void> start(const RuntimeOptions& options);

  // commit_queue.cpp
  /// Waits for the answer, which is of the operation's own type.
  template <typename Specific, typename Operation>
  Result<Specific> run(Operation operation) {
    Submission submission(std::move(operation));
    wait_for(submission);
    if (submission.error) return *std::move(submission.error);
    return std::get<Specific>(*std::move(submission.answer));
  }
  Result<std::vector<Answer>> run_batch(std::vector<Mutation> operations);
  void submit(Mutation operation, Completion done);
  void submit_batch(std::vector<Mutation> operations, BatchCompletion done);
  Result<Lsn> checkpoint() noexcept;
  Result<void> close() noexcept;

  // runtime_reads.cpp
  Result<WorkerPage> list_workers(const ListQuery& query) const;
  Result<WorkerDetail> worker_detail(const WorkerRef& worker_ref) const;
  Result<RuntimeSummary> summary() const;
  Metrics metrics() const;
  Result<DiagnosticPage> diagnostics(std::uint64_t after, std::optional<std::uint64_t> limit) const;
  Result<EventPage> read_events(const EventQuery& query) const;
  Result<WorkerDetail> fork_worker(ForkWorker request);
  Result<TranscriptPage> read_transcript(const WorkerRef& worker_ref,
                                         const TranscriptQuery& query) const;
  Result<EventPage> wait_events(EventId from, std::chrono::milliseconds timeout,
                                const std::stop_token& stop,
                                std::optional<std::uint64_t> limit) const;

 private:
  // commit_queue.cpp. Nothing leaves what mutates but by its end: a group that an exception took
  // apart would hold up everybody behind it, and half a commit can't be undone without memory. So
  // an allocation that fails there ends the program, which the store is made for.
  void check(Submission& submission) const;
  void wait_for(Submission& submission) noexcept;
  void enqueue(std::unique_ptr<Submission> submission) noexcept;
  void push(Submission& submission);
  bool start_commit_thread();
  void run_commit_thread(const std::stop_token& stop) noexcept;
  void lead(std::unique_lock<std::mutex>& lock, Submission* own);
  void take_group();
  Submission* finish_group(const Submission* own);
  void hand_over_leadership();
  void count_group();
  static void complete(Submission& submission) noexcept;
  void wake_event_waiters() const;

  // execute.cpp: the leader's work
  void execute_group();
  void begin_commit();
  void execute_one(Submission& submission);
  void execute_batch(Submission& submission);
  Result<void> plan_batch(Submission& submission);
  Result<Answer> plan_operation(Mutation& operation);
  [[nodiscard]] const WorkerState* find_existing(const Mutation& operation) const;
  Result<const KeyedEntry*> find_keyed_entry(const WorkerRecord& record, const std::string& key);
  Result<std::optional<std::string>> find_damage(const WorkerRecord& record);
  [[nodiscard]] Result<TranscriptEntry> find_redacted(const Redact& request,
                                                      const WorkerRecord& record) const;
  [[nodiscard]] Error unreadable(const WorkerId& worker_id, const Error& cause) const;
  Result<void> append(Submission& submission);
  void publish();
  void raise_create_diagnostics(const Answer& created);
  Timestamp event_time();

  // runtime_reads.cpp
  [[nodiscard]] std::optional<Error> closed_error() const;
  [[nodiscard]] Timestamp now() const;
  [[nodiscard]] std::optional<std::string> damage_of(const WorkerId& worker_id) const;
  Result<std::vector<TranscriptEntry>> read_history(const WorkerRef& worker_ref, Sequence first,
                                                    Sequence last) const;
  void mark_damaged(const WorkerId& worker_id, const std::string& cause) const;
  Result<WorkerPointer> find(const WorkerRef& worker_ref) const;

  // Constant once open.
  const std::unique_ptr<Store> store_;
  const Clock clock_;
  const std::shared_ptr<DiagnosticLog> diagnostics_;
  const Epoch epoch_;
  Limits limits_;

  mutable std::shared_mutex state_mutex_;  // guards what follows, but the leader reads without it
  State state_;
  mutable DamagedWorkers damaged_;  // a read that meets damage puts it in
  mutable std::atomic<std::size_t> damaged_count_{0};

  // The leader's own.
  std::vector<Submission*> group_;
  std::optional<std::chrono::steady_clock::duration> sync_time_;  // of the group, if it had one
  Head head_;
  Commit commit_;  // the one being made, and its events
  Expansion expansion_;
  KeyWindows key_windows_;
  std::optional<Error> failure_;
  bool clock_is_behind_ = false;

  mutable std::mutex metrics_mutex_;
  Metrics metrics_;  // guarded by it; the leader counts

  mutable std::mutex clock_mutex_;  // held while the clock is asked: by one thread at a time
  std::mutex checkpoint_mutex_;     // held by a checkpoint as long as it runs, and by close()

  mutable std::mutex wait_mutex_;  // guards nothing but the sleep of waiters for events
  mutable std::condition_variable_any events_arrived_;
  mutable std::atomic<std::uint64_t> waiters_{0};  // falls under wait_mutex_
  std::atomic<std::uint64_t> last_event_{0};       // as published
  std::atomic<bool> closed_{false};                // no new call is served; set under queue_mutex_

  std::mutex queue_mutex_;  // guards what follows
  std::deque<Submission*> queue_;
  std::size_t blocking_in_queue_ = 0;
  std::size_t callers_ = 0;  // blocking callers inside: without an answer, or leading
  std::uint64_t submitted_ = 0;
  std::uint64_t finished_ = 0;
  bool leading_ = false;
  bool abandoned_ = false;
  std::condition_variable_any commit_thread_wake_;
  std::condition_variable progress_;  // for those that wait for the end
  std::jthread commit_thread_;
};

}  // namespace worker_runtime
