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
// writes it under `state_mutex_`. Readers hold that lock for moments and never across I/O.
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
#include <vector>

#include "key_windows.h"
#include "plan.h"
#include "state.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime {

/// One operation or batch on its way.
struct Submission {
  std::vector<Mutation> operations;
  bool is_batch = false;
  std::size_t text_bytes = 0;  // what it brings: bounds the group

  // The outcome: an error, or an answer for each operation.
  std::optional<Error> error;
  std::vector<Answer> answers;
  std::vector<std::pair<std::size_t, WorkerId>>
      replayed_creates;              // answers to be looked up after the sync
  std::vector<std::size_t> created;  // answers of creates
  bool has_commit = false;

  // Who waits: a blocking caller, or a completion.
  Completion done;
  BatchCompletion batch_done;
  bool is_blocking = false;
  bool is_done = false;
  std::condition_variable wake;
};

class Runtime::Implementation {
 public:
  Implementation(std::unique_ptr<Store> store, Clock clock, Restored restored);
  ~Implementation();
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  /// The rest of open(): options, and the first event of a fresh store.
  Result<void> start(const RuntimeOptions& options);

  // commit_queue.cpp
  Result<Answer> run(Mutation operation);
  Result<std::vector<Answer>> run_batch(std::vector<Mutation> operations);
  void submit(Mutation operation, Completion done);
  void submit_batch(std::vector<Mutation> operations, BatchCompletion done);
  Result<Lsn> checkpoint();
  Result<void> close();

  // runtime_reads.cpp
  Result<WorkerPage> list_workers(const ListQuery& query) const;
  Result<WorkerDetail> worker_detail(const WorkerRef& worker_ref) const;
  Result<RuntimeSummary> summary() const;
  Result<DiagnosticPage> diagnostics(std::uint64_t after, std::optional<std::uint64_t> limit) const;
  Result<EventPage> read_events(const EventQuery& query) const;
  Result<TranscriptPage> read_transcript(const WorkerRef& worker_ref,
                                         const TranscriptQuery& query) const;
  Result<EventPage> wait_events(EventId from, std::chrono::milliseconds timeout,
                                const std::stop_token& stop,
                                std::optional<std::uint64_t> limit) const;

 private:
  // commit_queue.cpp
  void check_batch(Submission& submission) const;
  void wait_for(Submission& submission);
  void enqueue(std::unique_ptr<Submission> submission);
  void lead(std::unique_lock<std::mutex>& lock);
  std::vector<Submission*> take_group();
  void hand_over_leadership();
  void run_commit_thread(const std::stop_token& stop);
  void abandon();
  static void complete(Submission& submission);

  // execute.cpp: the leader's work
  void execute_group(const std::vector<Submission*>& group);
  void execute_one(Submission& submission, Head& head);
  void execute_batch(Submission& submission, Head& head);
  Result<Step> plan_operation(const Head& head, Mutation& operation);
  Result<const KeyedEntry*> find_keyed_entry(const Head& head, const Mutation& operation);
  Result<std::optional<std::string>> find_damage(const Head& head, const Mutation& operation);
  Result<void> append(const Commit& commit, const std::vector<ExpandedEvent>& events,
                      Submission& submission);
  void publish(Head& head, const std::vector<Submission*>& group);
  void raise_create_diagnostics(const WorkerDetail& detail);
  Timestamp event_time(const Head& head);
  void take_answer(Submission& submission, Step& step);

  // runtime_reads.cpp
  [[nodiscard]] std::optional<Error> closed_error() const;
  WorkerDetail make_detail(const WorkerState& worker) const;
  void mark_damaged(const WorkerId& worker_id, const std::string& cause) const;

  const std::unique_ptr<Store> store_;
  const Clock clock_;
  const std::shared_ptr<DiagnosticLog> diagnostics_;
  const Epoch epoch_;

  // The leader's own.
  KeyWindows key_windows_;
  std::optional<Error> failure_;

  mutable std::shared_mutex state_mutex_;  // guards what follows, but the leader reads without it
  State state_;
  mutable DamagedWorkers damaged_;  // a read that meets damage puts it in

  mutable std::mutex wait_mutex_;  // guards nothing but the sleep of waiters
  mutable std::condition_variable_any events_arrived_;
  mutable std::atomic<std::uint64_t> waiters_{0};
  std::atomic<std::uint64_t> last_event_{0};  // as published
  std::atomic<bool> closed_{false};           // no new call is served

  std::mutex queue_mutex_;  // guards what follows
  std::deque<Submission*> queue_;
  std::size_t blocking_in_queue_ = 0;
  bool leading_ = false;
  bool abandoned_ = false;
  std::condition_variable_any commit_thread_wake_;
  std::condition_variable idle_;
  std::jthread commit_thread_;
};

}  // namespace worker_runtime
