// Mending a damaged store: what would be done, and doing it.
//
// Repair reads whatever checks, wherever it stands, and makes a closed store of it. A log keeps all
// its good lines; where one is lost, an entry or an event that says so takes its number (role and
// time of a lost entry come from its event, the event of a kept entry from the entry). Records are
// taken from the catalog, the views and the journal, the newest that checks, and brought up to date
// from the logs. Every byte that is replaced goes to quarantine/ first, with a manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

enum class RepairMode : std::uint8_t { plan, apply };

/// One thing that is done.
struct RepairItem {
  /// "write_log", "drop_log", "rebuild_record", "rebuild_snapshot", "drop_journal", "write_view",
  /// "make_directory", "move_aside", "accept_line".
  std::string action;
  std::string path;  ///< Relative to the root.
  std::optional<std::string> worker_id;
  std::uint64_t lost = 0;  ///< Entries, events or records that can't be restored.
  std::string message;     ///< What is done and what is lost, a clause.
  bool operator==(const RepairItem&) const = default;
};

struct RepairReport {
  std::vector<RepairItem> items;  ///< Empty: nothing is to be mended.
  bool applied = false;
  std::vector<std::string> quarantined;  ///< Files that hold what was replaced.
};

struct RepairOptions {
  std::filesystem::path root;
  std::optional<RuntimeId> runtime_id;
  RepairMode mode = RepairMode::plan;
  /// Files that somebody edited on purpose, relative to the root or to the runtime's directory:
  /// their lines are given new checksums where they are right otherwise.
  std::vector<std::string> accepted_files = {};
  /// Looked at until the first byte is written.
  std::stop_token stop = {};
  /// Called now and then, by the calling thread, with the bytes of logs read so far.
  std::function<void(std::uint64_t done)> progress = {};
};

/// Takes the writer's lock. With RepairMode::apply the store is closed and verifies clean
/// afterwards; a crash in between leaves one that is mended by doing it again. Errors:
/// `store_locked`, `store_missing`, `invalid_request` (an
/// accepted file is not there), `runtime_ambiguous`, `store_version`, `store_io`, `store_full`,
/// `store_failed`; `store_corrupt` where there is nothing to make a store of, or more than a
/// million lines are missing; `closed` after a stop request.
Result<RepairReport> repair(const RepairOptions& options);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
