// From files to state: the newest snapshots, then the commits of the journal behind them.
//
// load() reads and decides, and changes nothing: readers beside a writer use it too. settle() is
// for the writer, which holds the lock, and puts the files right; every step can be cut off by a
// crash and is simply done again by the next open:
//   1. sweep temporary files
//   2. cut each log to its watermark; what is behind it waits in memory, from the journal
//   3. move the journal's torn tail aside (a copy; the segment itself is never written again)
//   4. start a segment of this open: records above the last proof of durability are copied into it,
//   durable
//      before anything is shown
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog.h"
#include "change_set.h"
#include "codec.h"
#include "file_system.h"
#include "journal.h"
#include "journal_reader.h"
#include "logs.h"
#include "worker_runtime/commit.h"
#include "worker_runtime/result.h"
#include "worker_runtime/store.h"

namespace worker_runtime::fs_store {

/// The largest runtime.json: 3,000 diagnostics of a few KiB.
inline constexpr std::uint64_t runtime_json_bytes_max = std::uint64_t{64} << 20U;

struct Loaded {
  RuntimeSnapshot snapshot;
  State state;
  JournalScan journal;
  ChangeSet changes;  ///< Since the checkpoint.
  std::vector<Catalog::Repaired> catalog_repairs;
  /// Workers whose watermark disagrees with their record. Only one that the journal deletes may be
  /// among them: its transcript was let go while the checkpoint ran.
  std::vector<WorkerId> in_doubt;
};

/// Reads runtime.json of `runtime_id`. Errors: `store_missing`, `store_version`, `store_corrupt`,
/// `store_io`.
Result<RuntimeSnapshot> read_runtime_snapshot(FileSystem& file_system, Decoder& decoder,
                                              const RuntimeId& runtime_id);

/// Applies a commit of the journal: to the state, to the logs (its lines wait there), and to what
/// the next checkpoint writes. On an error nothing is changed.
Result<void> replay(const DecodedRecord& record, const RuntimeId& runtime_id, Logs& logs,
                    Loaded& loaded);

struct LoadLimits {
  std::optional<Lsn> last_lsn;  ///< Show no commit behind this one.
  /// Without `last_lsn`: show no commit that the journal itself does not prove to be durable (or
  /// written, where its durability promises no more). Beside a writer of which no mark is known.
  bool proven_alone = false;
  std::optional<Lsn> proof;  ///< A proof of durability beside the journal's own.
  /// Go on where a repair was cut off; to all others that is `store_corrupt`.
  bool for_repair = false;
};
Result<Loaded> load(FileSystem& file_system, Decoder& decoder, const RuntimeId& runtime_id,
                    const LoadLimits& limits, Catalog& catalog, Logs& logs);

/// Removes unfinished files that an earlier process left in the directory.
Result<void> sweep_temporary_files(FileSystem& file_system, const std::string& directory);

struct Settled {
  std::unique_ptr<Journal> journal;
  Epoch epoch;
  std::vector<DamagedWorker> damaged;
  std::vector<std::string> notes;     ///< What was put right, a clause each, for info diagnostics.
  std::vector<std::string> warnings;  ///< What was made good but should not have been necessary.
};
/// How the journal goes on.
struct SettleOptions {
  Durability durability = Durability::sync;
  SegmentSizes sizes;
  JournalReserve* reserve = nullptr;  ///< Is used up where the disk is full.
};
Result<Settled> settle(FileSystem& file_system, const RuntimeId& runtime_id,
                       const SettleOptions& options, Loaded& loaded, Logs& logs);

}  // namespace worker_runtime::fs_store
