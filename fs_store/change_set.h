// What a checkpoint has to write: the records that changed since the last one.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "worker_runtime/commit.h"

namespace worker_runtime::fs_store {

struct ChangedRecord {
  WorkerPointer worker;                ///< Null: deleted.
  std::optional<Tombstone> tombstone;  ///< Of a deleted one, if it leaves any.
  std::string create;                  ///< The create request as JSON, if the Worker is new.
};

struct ChangeSet {
  std::unordered_map<WorkerId, ChangedRecord> workers;
  bool has_deletions = false;
  bool runtime_changed = false;

  void add(const ChangedWorker& changed) {
    ChangedRecord& record = workers[changed.worker_id];
    record.worker = changed.worker;
    record.tombstone = changed.tombstone;
    if (!changed.worker) {
      record.create.clear();
      has_deletions = true;
    }
  }
  void add_create(const WorkerId& worker_id, std::string create) {
    workers[worker_id].create = std::move(create);
  }

  [[nodiscard]] bool empty() const { return workers.empty() && !runtime_changed; }

  /// Takes back what a failed checkpoint did not write; what is newer here stays.
  void put_back(ChangeSet&& older) {
    for (auto& [worker_id, record] : older.workers) {
      const auto [place, is_new] = workers.try_emplace(worker_id, std::move(record));
      if (!is_new && place->second.create.empty() && place->second.worker) {
        place->second.create = std::move(record.create);
      }
    }
    has_deletions = has_deletions || older.has_deletions;
    runtime_changed = runtime_changed || older.runtime_changed;
  }
};

}  // namespace worker_runtime::fs_store
