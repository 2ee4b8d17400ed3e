// The state behind State, and the head: the state plus what a group of commits that is not durable
// yet did.
//
// Planning works on the head, so that the second commit of a group sees the first. After the sync
// the head is merged into the state; or it is dropped, and nothing has happened. The state is only
// read meanwhile: readers need no lock against planning.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "worker_runtime/commit.h"

namespace worker_runtime {

/// Where a create key leads.
struct CreateKeyTarget {
  WorkerId worker_id;
  BodyDigest digest;
  bool deleted = false;
};

class StateImplementation {
 public:
  struct ByText {
    bool operator()(const WorkerId* left, const WorkerId* right) const { return *left < *right; }
  };

  explicit StateImplementation(RuntimeRecord record) : runtime(std::move(record)) {}

  void put(WorkerPointer worker);
  void remove(const WorkerId& worker_id);
  void put(Tombstone tombstone);

  RuntimeRecord runtime;
  std::unordered_map<WorkerId, WorkerPointer> workers;
  std::set<const WorkerId*, ByText> order;  // the keys of workers
  std::unordered_map<std::string, CreateKeyTarget> create_keys;
  std::unordered_map<WorkerId, Tombstone> tombstones;
};

class Head {
 public:
  explicit Head(const StateImplementation& base) : base_(base), runtime_(base.runtime) {}
  /// Stands on the state as it is now, for a new group.
  void reset();

  [[nodiscard]] const RuntimeRecord& runtime() const { return runtime_; }
  /// Null if there is none. Valid until the Worker changes.
  [[nodiscard]] const WorkerState* find(const WorkerId& worker_id) const;
  /// Whether the id was ever used.
  [[nodiscard]] bool is_taken(const WorkerId& worker_id) const;
  [[nodiscard]] std::optional<CreateKeyTarget> find_create_key(const std::string& key) const;
  /// The newest entry of this group with the key.
  [[nodiscard]] const KeyedEntry* find_entry_key(const WorkerId& worker_id,
                                                 const std::string& key) const;

  /// Whether this group redacts the entry.
  [[nodiscard]] bool is_redacted(const WorkerId& worker_id, Sequence sequence) const;

  /// The events of a change, a compact one expanded. To be asked before apply().
  void expand(const Change& change, Expansion& expansion) const;
  /// Checks that the change fits and applies it as part of commit `lsn`. On an error some of it may
  /// be applied: the head is to be dropped or rolled back.
  Result<void> apply(const Change& change, Lsn lsn);
  void set_lsn(Lsn lsn) { runtime_.lsn = lsn; }

  /// Between these two, what is applied can be taken back.
  void begin_unit();
  void roll_back();
  void end_unit();

  /// Each Worker once, in the order of first change.
  [[nodiscard]] const std::vector<ChangedWorker>& changed() const { return touched_; }
  [[nodiscard]] std::vector<WorkerId> deleted() const;
  /// All of the group, oldest first.
  [[nodiscard]] const std::vector<std::pair<WorkerId, KeyedEntry>>& keyed_entries() const {
    return keyed_;
  }
  [[nodiscard]] const std::vector<std::pair<WorkerId, Sequence>>& redacted() const {
    return redacted_;
  }
  /// Moves everything into the state that the head stands on.
  void merge_into(StateImplementation& state);

 private:
  /// A Worker and one of its keys.
  struct EntryKey {
    WorkerId worker_id;
    std::string key;
    bool operator==(const EntryKey&) const = default;
  };
  struct EntryKeyHash {
    std::size_t operator()(const EntryKey& key) const {
      return std::hash<WorkerId>{}(key.worker_id) * 31 + std::hash<std::string>{}(key.key);
    }
  };

  [[nodiscard]] Result<void> check(const Change& change) const;
  Result<void> create(const Change& change, Lsn lsn);
  Result<void> begin_with(const std::vector<TranscriptEntry>& history, const Event& event,
                          WorkerRecord& record);
  Result<void> append(const Change& change, Lsn lsn);
  void add(WorkerRecord& record, const TranscriptEntry& entry, bool input);
  Result<void> end(const Change& change, Lsn lsn);
  Result<void> remove(const Change& change, Lsn lsn);
  Result<void> stop_all(const Change& change, Lsn lsn);
  Result<void> trim(const Trim& trim, Lsn lsn);
  Result<void> redact(const TranscriptEntry& entry);
  [[nodiscard]] const ChangedWorker* find_touched(const WorkerId& worker_id) const;
  void put(ChangedWorker changed);
  void keep_create_key(const std::string& key, const CreateKeyTarget& target);
  void keep_entry_key(const WorkerId& worker_id, const TranscriptEntry& entry);
  [[nodiscard]] std::vector<WorkerId> running() const;

  const StateImplementation& base_;
  RuntimeRecord runtime_;
  std::vector<ChangedWorker> touched_;
  std::unordered_map<WorkerId, std::size_t> touched_index_;  // made when there are many
  std::unordered_map<std::string, CreateKeyTarget> create_keys_;
  std::vector<std::pair<WorkerId, KeyedEntry>> keyed_;
  std::unordered_map<EntryKey, std::size_t, EntryKeyHash> newest_keyed_;  // where in keyed_
  std::vector<std::pair<WorkerId, Sequence>> redacted_;                   // of this group

  bool in_unit_ = false;
  std::optional<RuntimeRecord> runtime_before_;
  std::size_t keyed_before_ = 0;
  std::size_t redacted_before_ = 0;
  std::vector<std::function<void()>> undo_;
};

}  // namespace worker_runtime
