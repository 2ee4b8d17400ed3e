// Reading a store without its lock: beside a running writer, or when nobody has it open.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "worker_runtime/fs_store/lines.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"
#include "worker_runtime/runtime.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

/// A read-only view of a runtime. It never writes, takes no lock, and shows a consistent durable
/// state that is at most 100 ms old: every read first looks whether the writer went on, and goes on
/// to there from where it was; after a checkpoint, or with another writer, it loads the records
/// anew. Semantics and errors of each read are those of the function of Runtime with the same name.
/// Any number of threads may use one Reader.
class Reader {
 public:
  /// `runtime_id` none: the only runtime under the root. Errors: `store_missing`,
  /// `runtime_ambiguous`, `store_io`, `store_corrupt`, `store_version`.
  static Result<Reader> open(const std::filesystem::path& root,
                             std::optional<RuntimeId> runtime_id = {});

  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader();

  /// Looks at the end of the transcript of each Worker that it shows, and for the filter `damaged`
  /// at those of all Workers.
  Result<WorkerPage> list_workers(const ListQuery& query = {}) const;
  Result<WorkerDetail> worker_detail(const WorkerRef& worker_ref) const;
  /// `damaged_worker_count` counts those that a writer has reported.
  Result<RuntimeSummary> summary() const;
  Result<DiagnosticPage> diagnostics(std::uint64_t after = 0,
                                     std::optional<std::uint64_t> limit = std::nullopt) const;
  Result<EventPage> read_events(const EventQuery& query = {}) const;
  Result<TranscriptPage> read_transcript(const WorkerRef& worker_ref,
                                         const TranscriptQuery& query = {}) const;

  /// All lines of the event log from `from` on (none: from the first kept one), as they stand in
  /// the files, until the visitor has enough or the log ends. In bounded memory, and without
  /// decoding anything: for who passes lines on, or looks for few of many. Errors as read_events:
  /// of damage once all before it was visited.
  Result<void> visit_events(std::optional<EventId> from, const LineVisitor& visitor) const;
  /// The same of a transcript, from index `start` (sequence - 1) on. Errors as read_transcript.
  Result<void> visit_transcript(const WorkerRef& worker_ref, std::optional<std::uint64_t> start,
                                const LineVisitor& visitor) const;

  /// Blocks until an event `from` or later is durable, the timeout passes or `stop` is requested
  /// (then an empty page). Woken by the writer's files where the system tells of their changes,
  /// else it looks every 50 ms. Goes on from one writer to the next, and waits where there is none.
  /// Errors as read_events.
  Result<EventPage> wait_events(EventId from, std::chrono::milliseconds timeout,
                                std::stop_token stop = {},
                                std::optional<std::uint64_t> limit = std::nullopt) const;
  /// The same for the entry at index `start` (sequence - 1) of a transcript, or a later one. Errors
  /// as read_transcript; `worker_not_found` also once the Worker is deleted.
  Result<TranscriptPage> wait_transcript(const WorkerRef& worker_ref, std::uint64_t start,
                                         std::chrono::milliseconds timeout,
                                         std::stop_token stop = {},
                                         std::optional<std::uint64_t> limit = std::nullopt) const;

 private:
  class Implementation;
  explicit Reader(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
