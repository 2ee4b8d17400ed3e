// The mutations of a Runtime as values, and their answers.
//
// The same values are used by the blocking calls, the asynchronous submissions and batches.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/worker.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

enum class InputRole : std::uint8_t { user, system };
enum class OutputRole : std::uint8_t { assistant, tool };

/// Makes a Worker that begins with a history: a copy of another Worker's, or one that was exported.
/// One worker_created event stands for all of it, and all of it is one durable unit.
struct ImportWorker {
  CreateRequest request;  ///< With its origin.
  /// In order. Role, content, name, data, usage, keys and times stay; number, Worker and event are
  /// given anew, the numbers from 1 on.
  std::vector<TranscriptEntry> entries{};
};

/// What fork_worker() is asked for.
struct ForkWorker {
  WorkerRef worker_ref;                       ///< The origin. It may have ended; it is not changed.
  Sequence at;                                ///< The last entry to take over; 0: none.
  std::optional<WorkerId> worker_id{};        ///< Of the new Worker. None: the Runtime makes one.
  std::optional<std::string> display_name{};  ///< None: that of the origin.
  std::optional<std::string> idempotency_key{};  ///< As in CreateRequest.
};

struct SendInput {
  WorkerRef worker_ref;
  InputRole role = InputRole::user;
  std::string content;  ///< Not blank; at most Limits::input_bytes.
  std::optional<std::string> idempotency_key{};
};

struct AppendOutput {
  WorkerRef worker_ref;
  OutputRole role = OutputRole::assistant;
  std::string content;  ///< Not blank; with name and data at most Limits::transcript_entry_bytes.
  std::optional<std::string> name{};
  std::optional<std::string> data{};  ///< A JSON object as text; see compact_json_object().
  Counters usage{};  ///< Added to the Worker's named counters. Any order, each name once.
  std::optional<std::string> idempotency_key{};
};

struct StopWorker {
  WorkerRef worker_ref;
  std::optional<std::string> reason{};
};

struct CancelWorker {
  WorkerRef worker_ref;
  std::optional<std::string> reason{};
};

struct DeleteWorker {
  WorkerRef worker_ref;
};

/// Lets the events below `before` go.
struct TrimEvents {
  EventId before;  ///< From 1 to one past the last event: all go then.
};

/// Lets the entries of a Worker's transcript below `before` go.
struct TrimTranscript {
  WorkerRef worker_ref;
  Sequence before;  ///< From 1 to one past the last entry: all go then.
};

/// Replaces the content and data of an entry for good.
struct Redact {
  WorkerRef worker_ref;
  Sequence sequence;
};

struct StopRuntime {};
struct StartRuntime {};

using Mutation =
    std::variant<CreateRequest, SendInput, AppendOutput, StopWorker, CancelWorker, DeleteWorker,
                 StopRuntime, StartRuntime, TrimEvents, TrimTranscript, Redact, ImportWorker>;

// ---- answers

/// Of send_input and append_output.
struct EntryAccepted {
  WorkerRef worker_ref;
  WorkerStatus status = WorkerStatus::running;
  Sequence sequence;
  EventId event_id;
  bool operator==(const EntryAccepted&) const = default;
};

/// Of stop_worker and cancel_worker.
struct WorkerEnded {
  WorkerRef worker_ref;
  WorkerStatus status = WorkerStatus::stopped;
  EventId event_id;
  bool operator==(const WorkerEnded&) const = default;
};

struct WorkerDeleted {
  WorkerRef worker_ref;
  EventId event_id;
  bool operator==(const WorkerDeleted&) const = default;
};

/// Of stop_runtime and start_runtime.
struct RuntimeChanged {
  EventId event_id;
  bool operator==(const RuntimeChanged&) const = default;
};

/// Of trim_events.
struct EventsTrimmed {
  EventId first_kept;  ///< One past the last event if none is kept.
  bool operator==(const EventsTrimmed&) const = default;
};

/// Of trim_transcript.
struct TranscriptTrimmed {
  WorkerRef worker_ref;
  Sequence first_kept;  ///< One past the last entry if none is kept.
  bool operator==(const TranscriptTrimmed&) const = default;
};

/// Of redact.
struct Redacted {
  WorkerRef worker_ref;
  Sequence sequence;
  bool operator==(const Redacted&) const = default;
};

/// Where copies of a redacted text may remain that a Runtime does not know of: JSON answers say so.
inline constexpr std::array<std::string_view, 4> redacted_copies_may_remain{"backups", "exports",
                                                                            "forks", "quarantine"};

/// The answer to a Mutation: create and import answer a WorkerDetail.
using Answer = std::variant<WorkerDetail, EntryAccepted, WorkerEnded, WorkerDeleted, RuntimeChanged,
                            EventsTrimmed, TranscriptTrimmed, Redacted>;

}  // namespace worker_runtime

#pragma GCC visibility pop
