// The Runtime: the catalog of Workers, their transcripts, and one ordered event log.
//
// Thread safety: any number of threads may use a Runtime at the same time. Mutations are strictly
// serial; callers that arrive while a sync runs share the next one. Readers never wait for a sync.
// Nothing is visible to any reader, waiter or answer before it is durable as the store's durability
// mode says. close() and the destructor may run while other threads wait: those get `closed`; but
// no call may start once the destructor has.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/options.h"
#include "worker_runtime/reads.h"
#include "worker_runtime/result.h"
#include "worker_runtime/store.h"
#include "worker_runtime/worker.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// Semantic version of the library that is linked.
std::string_view version();

/// Called once, on the thread that led the group, in the order of submission, with no lock held. It
/// must not block for long, must not throw, and must not call blocking mutations, close() or the
/// destructor of the same Runtime; it may submit.
using Completion = std::function<void(Result<Answer>)>;
using BatchCompletion = std::function<void(Result<std::vector<Answer>>)>;

class Runtime {
 public:
  /// Restores what the store holds. A fresh store gets event 1, runtime_started. Options that
  /// differ from the stored ones take effect and are stored. Errors: those of the store;
  /// `invalid_request` for options out of range.
  static Result<Runtime> open(std::unique_ptr<Store> store, RuntimeOptions options = {});

  /// A Runtime that lives in memory.
  static Result<Runtime> in_memory(RuntimeId runtime_id, RuntimeOptions options = {});

  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) noexcept;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  /// Without close(): nothing more is written, as after a crash. Acknowledged operations are
  /// durable.
  ~Runtime();

  // ---- mutations: durable on return. Every one may also answer `closed`, and `store_failed`,
  // whose outcome is unknown until the store is reopened: repeat such a call only with an
  // idempotency key.

  /// Errors: invalid_request, limit_exceeded (create_request_bytes, display_name_bytes,
  /// idempotency_key_bytes), idempotency_conflict, worker_not_found (key of a deleted Worker),
  /// runtime_stopped, worker_exists, limit_exceeded (live_workers), store_full.
  Result<WorkerDetail> create_worker(CreateRequest request);

  /// A new Worker with the history of another one up to an entry, what the other was asked to be,
  /// and a reference to it (CreateRequest::origin); the other is not touched. Entries keep their
  /// times and keys, and have the numbers that they had unless the other's first ones are trimmed.
  /// Errors: those of reading the other (wrong_runtime, worker_not_found, worker_damaged,
  /// store_corrupt, cursor_ahead: `at` is behind the end, cursor_expired: `at` is trimmed), and
  /// those of import_worker.
  Result<WorkerDetail> fork_worker(ForkWorker request);

  /// A new Worker that begins with a history. Errors as create_worker, and limit_exceeded
  /// (transcript_entry_bytes, name_bytes, named_counters, counter_value, commit_bytes: so large a
  /// history at most).
  Result<WorkerDetail> import_worker(ImportWorker request);

  /// Errors: invalid_request, limit_exceeded (input_bytes), wrong_runtime, worker_not_found,
  /// idempotency_conflict, runtime_stopped, worker_damaged, worker_not_running, store_full.
  Result<EntryAccepted> send_input(SendInput request);

  /// Errors as send_input (transcript_entry_bytes, name_bytes, named_counters).
  Result<EntryAccepted> append_output(AppendOutput request);

  /// A terminal Worker keeps its status: answers it and the last event id. Errors: invalid_request,
  /// limit_exceeded (reason_bytes), wrong_runtime, worker_not_found, runtime_stopped.
  Result<WorkerEnded> stop_worker(StopWorker request);
  Result<WorkerEnded> cancel_worker(CancelWorker request);

  /// Transcript and record are out of reach at once; the event log keeps its history. Errors:
  /// wrong_runtime, worker_not_found, runtime_stopped, worker_active.
  Result<WorkerDeleted> delete_worker(DeleteWorker request);

  /// Lets events or entries below a number go: what is kept starts exactly there, and a read of
  /// less is `cursor_expired`. Numbers, totals and usage stay; keys of entries that go are
  /// forgotten. A store frees their space by whole closed parts of its files. Also when the Runtime
  /// is stopped, and for Workers that have ended or are damaged. Gone already: answers what is
  /// kept. Errors: invalid_request (before 0), wrong_runtime, worker_not_found, cursor_ahead (more
  /// than one past the end).
  Result<EventsTrimmed> trim_events(TrimEvents request);
  Result<TranscriptTrimmed> trim_transcript(TrimTranscript request);

  /// Replaces the content and data of an entry for good, for every read of this Runtime that begins
  /// after this. Number, time, role, name, key and usage stay; a request with its key is answered
  /// as a repetition, whatever its body. A store on disk has the text in its files still until the
  /// next checkpoint, which follows soon: checkpoint() or close() waits for it. Copies may remain
  /// where `redacted_copies_may_remain` says. Also when the Runtime is stopped, and for Workers
  /// that have ended. Redacted already: done. Errors: invalid_request (sequence 0), wrong_runtime,
  /// worker_not_found, cursor_ahead, cursor_expired (it is trimmed), worker_damaged (the entry
  /// can't be read).
  Result<Redacted> redact(Redact request);

  /// Stops every running Worker and then the Runtime, as one unit. Stopped already: the last event
  /// id.
  Result<RuntimeChanged> stop_runtime();
  /// Workers stay as they are. Running already: the last event id.
  Result<RuntimeChanged> start_runtime();

  /// All or none, as one durable unit; later operations see earlier ones. The error is that of the
  /// first that fails, with index(). An empty batch is done at once.
  Result<std::vector<Answer>> batch(std::vector<Mutation> operations);

  /// The asynchronous forms. Submissions of one thread execute and complete in order; each
  /// completes once, with the answer of the blocking call, also at close.
  void submit(Mutation operation, Completion done);
  void submit_batch(std::vector<Mutation> operations, BatchCompletion done);

  // ---- reads: also when the Runtime is stopped; after close() they answer `closed`.

  Result<WorkerPage> list_workers(const ListQuery& query = {}) const;
  Result<WorkerDetail> worker_detail(const WorkerRef& worker_ref) const;
  Result<RuntimeSummary> summary() const;
  /// What was done since open(). After close() too.
  [[nodiscard]] Metrics metrics() const;
  /// From the first diagnostic whose id is above `after`.
  Result<DiagnosticPage> diagnostics(std::uint64_t after = 0,
                                     std::optional<std::uint64_t> limit = std::nullopt) const;

  /// A page bounded by items and bytes, at least one item if there is one. One past the end is an
  /// empty page. Errors: invalid_request (limit 0, cursor 0), limit_exceeded (page_items),
  /// cursor_ahead, cursor_expired, store_corrupt, store_io.
  Result<EventPage> read_events(const EventQuery& query = {}) const;
  /// Errors as read_events, and wrong_runtime, worker_not_found.
  Result<TranscriptPage> read_transcript(const WorkerRef& worker_ref,
                                         const TranscriptQuery& query = {}) const;

  /// Blocks until an event `from` or later is there, the timeout passes or `stop` is requested
  /// (then an empty page), or the Runtime closes (`closed`). Errors as read_events.
  Result<EventPage> wait_events(EventId from, std::chrono::milliseconds timeout,
                                std::stop_token stop = {},
                                std::optional<std::uint64_t> limit = std::nullopt) const;

  /// Now, and waits for it.
  Result<Lsn> checkpoint();

  /// Completes what was submitted, checkpoints, releases the store. The Runtime's status does not
  /// change. Waiters and later calls get `closed`. A second close answers `closed`.
  Result<void> close();

 private:
  class Implementation;
  explicit Runtime(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace worker_runtime

#pragma GCC visibility pop
