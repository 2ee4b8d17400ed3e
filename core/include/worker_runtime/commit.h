// A commit, and the state that commits build.
//
// A mutation is a value, made by a pure function, durable by one sync, applied by the code that
// also recovers: State::apply() is that code. A Runtime and a store that restores both call it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/options.h"
#include "worker_runtime/result.h"
#include "worker_runtime/time.h"
#include "worker_runtime/worker.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// The beginning of a log that is let go.
struct Trim {
  std::optional<WorkerId> worker_id{};  ///< Whose transcript; none: the event log.
  std::uint64_t first_kept = 1;         ///< The entries below it go.
  bool operator==(const Trim&) const = default;
};

/// One event and what came with it. What it does to the records follows from the event's kind:
///   worker_created                       makes the record from `create`; with `history`, appends
///                                        and counts its entries
///   worker_input_accepted, _output_...   appends `entry`, counts it and its usage
///   worker_stopped, worker_cancelled     sets the status
///   worker_deleted                       removes the record and leaves a tombstone
///   runtime_started, runtime_stopped     sets the status of the Runtime
/// A trim or a redaction makes no event: nothing else of the change is used then.
///
/// A runtime_stopped change is compact: it stands for one worker_stopped event ("worker stopped")
/// of each of the `stopped_workers` Workers that run, in id order, and then its own event, whose id
/// is the last one.
struct Change {
  Event event;
  std::optional<TranscriptEntry> entry{};
  std::optional<CreateRequest>
      create{};  ///< As it was asked for; the id that was taken is the event's.
  std::optional<std::vector<TranscriptEntry>>
      history{};  ///< With `create`: what a forked or imported Worker begins with.
  std::uint64_t stopped_workers = 0;
  std::optional<Trim> trim{};
  std::optional<TranscriptEntry> redaction{};  ///< The entry as it is from here on.
  bool operator==(const Change&) const = default;
};

/// What one mutation or batch does, as one durable unit. Never empty.
struct Commit {
  Lsn lsn;
  std::vector<Change> changes{};
  bool operator==(const Commit&) const = default;
};

enum class RuntimeStatus : std::uint8_t { running, stopped };
std::string_view to_string(RuntimeStatus status);
std::optional<RuntimeStatus> parse_runtime_status(std::string_view text);

/// The record of a Runtime: counters and overview as of a commit.
struct RuntimeRecord {
  RuntimeId runtime_id;
  std::optional<std::string> display_name{};
  RuntimeStatus status = RuntimeStatus::running;
  Limits limits;
  Lsn lsn;                    ///< The last commit applied; 0 in a Runtime that never was opened.
  Timestamp last_at;          ///< The `at` of the last event.
  EventId first_event_id{1};  ///< The first event that is kept; those below were trimmed.
  EventId last_event_id;
  std::uint64_t next_worker = 1;  ///< The number that the next generated worker id tries first.
  std::uint64_t running_workers = 0;
  std::uint64_t stopped_workers = 0;
  std::uint64_t cancelled_workers = 0;
  std::uint64_t transcript_entries = 0;  ///< All ever recorded.
  Usage usage{};                         ///< All ever recorded.
  bool operator==(const RuntimeRecord&) const = default;
  [[nodiscard]] std::uint64_t live_workers() const {
    return running_workers + stopped_workers + cancelled_workers;
  }
};

/// A 128-bit digest of the body of a request that carries an idempotency key, to tell a repetition
/// from a conflict. Not cryptographic: keys come from the host itself.
struct BodyDigest {
  std::array<std::uint64_t, 2> words{};
  bool operator==(const BodyDigest&) const = default;
};

/// The digest of all members of the request but the key itself.
BodyDigest digest_of(const CreateRequest& request);
/// The digest of the request that made the entry, which is not redacted: role, content, name, data,
/// usage.
BodyDigest digest_of(const TranscriptEntry& entry);
std::string to_string(const BodyDigest& digest);  ///< 32 lower-case hex digits.
Result<BodyDigest> parse_body_digest(std::string_view text);

/// How many of a Worker's newest entries its idempotency keys cover.
inline constexpr std::uint64_t keyed_entries_max = 1000;

/// An entry that carried an idempotency key.
struct KeyedEntry {
  std::string key;
  Sequence sequence;
  EventId event_id;
  /// None of a redacted entry: a digest of a short text would tell it. Whatever comes with the key
  /// counts as a repetition then.
  std::optional<BodyDigest> digest{};
  bool operator==(const KeyedEntry&) const = default;
};
/// Of an entry that has a key.
KeyedEntry keyed_entry(const TranscriptEntry& entry);

/// What a Worker's create request leaves for idempotency, as long as its record or tombstone.
struct CreateKey {
  std::string key;
  BodyDigest digest;
  bool operator==(const CreateKey&) const = default;
};

/// What stays of a deleted Worker whose id a caller supplied, or which was created with a key: ids
/// are never used again. (A generated id without a key needs only RuntimeRecord::next_worker.)
struct Tombstone {
  WorkerId worker_id;
  std::optional<CreateKey> create_key{};
  Lsn lsn;  ///< The commit that deleted it.
  bool operator==(const Tombstone&) const = default;
};

/// "worker-" and 8 lower-case hex digits (more beyond 2^32).
WorkerId generated_worker_id(std::uint64_t number);
/// The number of an id of that form, if it is one.
std::optional<std::uint64_t> generated_worker_number(const WorkerId& worker_id);

/// A Worker as the state holds it. Immutable once made, so that readers and stores may keep it.
struct WorkerState {
  WorkerRecord record;
  std::optional<BodyDigest> create_digest{};  ///< With record.create_key.
};
using WorkerPointer = std::shared_ptr<const WorkerState>;

/// A record that a commit changed: the Worker's new state, or none and perhaps a tombstone.
struct ChangedWorker {
  WorkerId worker_id;
  WorkerPointer worker;                  ///< Null: deleted.
  std::optional<Tombstone> tombstone{};  ///< Of a deleted one, if it leaves any.
};

/// One event of an expanded commit, with the entries that it made: one or none, but of a Worker
/// that begins with a history all of it. They belong to the commit, or the event to the Expansion.
struct ExpandedEvent {
  const Event* event = nullptr;
  std::span<const TranscriptEntry> entries{};
};

/// The events of a commit one by one, compact ones expanded. Valid as long as the commit.
struct Expansion {
  std::vector<ExpandedEvent> events{};
  std::deque<Event> made{};  ///< Those that compact changes stand for.
};

/// What applying a commit did.
struct Applied {
  std::vector<ChangedWorker> changed{};  ///< Each Worker once, in the order of first change.
};

class StateImplementation;

/// The catalog of Workers and the record of the Runtime, as of a commit. Not thread-safe: its owner
/// guards it. Movable. Memory is by the number of Workers, never by the length of histories.
class State {
 public:
  explicit State(RuntimeRecord record);
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  [[nodiscard]] const RuntimeRecord& runtime() const;

  /// Null if there is no such Worker (or not any more).
  [[nodiscard]] WorkerPointer find(const WorkerId& worker_id) const;

  /// Up to `count` Workers in id order, the first behind `after` (none: from the start).
  [[nodiscard]] std::vector<WorkerPointer> list(const std::optional<WorkerId>& after,
                                                std::size_t count) const;

  [[nodiscard]] std::vector<Tombstone> tombstones() const;

  // ---- for a store that restores from snapshots

  /// Makes room for so many Workers at once: adding them one by one is quicker then.
  void reserve(std::size_t workers);
  /// Adds or replaces a Worker, with the counters of the runtime record left as they are.
  void put(WorkerPointer worker);
  /// Removes the Worker if it is there, and keeps the tombstone.
  void put(Tombstone tombstone);
  /// Replaces the runtime record.
  void put(RuntimeRecord record);

  /// Checks that the commit fits (lsn, event ids and sequences dense, Workers as they must be) and
  /// applies it. `store_corrupt` without a file if it doesn't fit: the store adds the place.
  /// Nothing is changed then.
  Result<Applied> apply(const Commit& commit);

  /// The events of the commit; to be asked before apply().
  [[nodiscard]] Expansion expand(const Commit& commit) const;

  /// For the library's own planning.
  [[nodiscard]] const StateImplementation& implementation() const { return *implementation_; }
  [[nodiscard]] StateImplementation& implementation() { return *implementation_; }

 private:
  std::unique_ptr<StateImplementation> implementation_;
};

}  // namespace worker_runtime

#pragma GCC visibility pop
