// What is known of a store's records, however damaged it is: for repair.
//
// If the store loads, that is what a writer would restore. If not, every line that checks counts:
// of each Worker the newest record in any catalog or view, of the journal each good commit, whether
// or not those before it are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec.h"
#include "file_system.h"
#include "log_survey.h"
#include "worker_runtime/commit.h"
#include "worker_runtime/fs_store/repair.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

struct SalvagedWorker {
  CatalogRecord record;
  /// Of a store that loads, the line of the catalog, which worker.json should be: its checksum.
  std::optional<std::uint32_t> catalog_checksum = {};
  Lsn catalog_lsn = {};
};

struct Salvage {
  bool is_whole = false;     ///< The store loads.
  bool has_snapshot = true;  ///< runtime.json is good.
  RuntimeSnapshot snapshot;  ///< Its record is as of the last commit if the store loads.
  std::map<WorkerId, SalvagedWorker> workers;
  std::map<WorkerId, Tombstone> tombstones;
  // Lines that may not be in the logs yet, without their newlines.
  std::map<std::uint64_t, std::string> events;
  std::map<WorkerId, std::map<std::uint64_t, std::string>> entries;
  /// What takes the place of lines in the logs, or of what a crash has left of them.
  std::map<WorkerId, std::map<std::uint64_t, std::string>> redacted;
  std::map<WorkerId, std::string> creates;  ///< Of Workers that no catalog has.
  /// Commits that stopped the Runtime: id of the last event -> Workers stopped by it.
  std::map<std::uint64_t, std::uint64_t> compact_stops;
  Lsn last_lsn;
  Epoch epoch;
  /// Lines in the logs that the journal has not are no proof that it lost them.
  bool may_lack_commits = false;
  std::vector<RepairItem> items;
  std::vector<std::string> replaced;  ///< Files that go, and are not wholly part of what is kept.
};

/// `accept` makes a checked line of one that does not check, for files that were edited on purpose.
Result<Salvage> salvage(FileSystem& file_system, const RuntimeId& runtime_id,
                        const LogSurvey::Reseal& accept);

}  // namespace worker_runtime::fs_store
