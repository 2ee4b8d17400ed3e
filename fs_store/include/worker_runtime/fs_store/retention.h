// Bounded disk: which old history may go, by a policy.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/result.h"
#include "worker_runtime/time.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

/// What may stay. What is not set is not bounded; of several bounds the strictest holds.
struct RetentionPolicy {
  std::optional<std::chrono::seconds> max_age{};  ///< Of events and entries, by their time.
  std::optional<std::uint64_t> max_events{};
  std::optional<std::uint64_t> max_entries{};  ///< Of each transcript.
  /// Of the files of the event log, and of each transcript: whole closed parts go, the oldest
  /// first, until the rest is no more, or nothing but the file that is appended to.
  std::optional<std::uint64_t> max_event_bytes{};
  std::optional<std::uint64_t> max_transcript_bytes{};
  /// Workers that ended so long ago are deleted.
  std::optional<std::chrono::seconds> delete_ended_after{};
};

/// One thing that would go.
struct RetentionItem {
  Mutation operation;       ///< TrimEvents, TrimTranscript or DeleteWorker.
  std::uint64_t items = 0;  ///< Events or entries that go.
  /// What the files give back: whole closed parts, or all that a deleted Worker has.
  std::uint64_t bytes = 0;
};

/// A transcript that cannot be judged: it is left as it is.
struct RetentionSkipped {
  WorkerId worker_id;
  std::string cause;
};

struct RetentionPlan {
  std::vector<RetentionItem> items{};  ///< The event log first, then Workers in id order.
  std::vector<RetentionSkipped> skipped{};
  bool applied = false;  ///< For who applies it, and tells.
  [[nodiscard]] std::uint64_t bytes() const;
};

struct RetentionOptions {
  std::filesystem::path root;
  std::optional<RuntimeId> runtime_id{};
  RetentionPolicy policy{};
  Timestamp now;  ///< What ages are counted to.
  /// Ages count although `now` is more than 30 days past the newest event: a clock that was set
  /// wrong would take everything.
  bool trust_clock = false;
  std::stop_token stop{};
  /// Called now and then, by the calling thread, with the number of Workers looked at so far.
  std::function<void(std::uint64_t workers)> progress{};
};

/// Reads beside a writer if there is one, in bounded memory: a few reads for each log, however long
/// it is. Changes nothing: a Runtime executes the operations of the items, in order. Errors: those
/// of Reader::open; `invalid_request` for an age by a clock that is not trusted; `store_corrupt`
/// where the event log cannot be judged; `closed` after a stop request.
Result<RetentionPlan> plan_retention(const RetentionOptions& options);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
