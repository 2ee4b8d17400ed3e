// A Runtime with fs-store on a simulated disk.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "file_system.h"
#include "journal.h"
#include "support/domain.h"
#include "support/fs_store/simulated_disk.h"
#include "worker_runtime/fs_store/repair.h"
#include "worker_runtime/fs_store/verify.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

/// Puts a file system before the runtime's directory: a store that breaks a rule.
using Distortion =
    std::function<std::unique_ptr<fs_store::FileSystem>(std::unique_ptr<fs_store::FileSystem>)>;

struct SimulatedStore {
  RuntimeId runtime_id = testing::runtime_id("main");
  bool create = false;
  /// Whether logs follow each commit at once, or at checkpoints alone: then nothing happens by
  /// itself.
  bool logs_follow = false;
  Durability durability = Durability::sync;
  /// Journal that is written until a checkpoint comes by itself.
  std::uint64_t checkpoint_bytes = UINT64_MAX;
  /// Small: a few commits come to the end of a segment, a few lines to that of a log's part.
  fs_store::SegmentSizes sizes{4096, 8192, 1024};
  std::uint64_t log_part_bytes = 900;
  std::size_t views_at_a_time = 1;
  Distortion distortion;
};

/// The clock stands still. Errors are those of fs_store::open_runtime().
Result<Runtime> open_simulated(SimulatedDisk& disk, const SimulatedStore& store);
/// Waits until the logs have everything that the Runtime has, and no checkpoint is due. False if
/// that is not so after a long time.
bool wait_until_quiet(const SimulatedDisk& disk, const Runtime& runtime,
                      const SimulatedStore& store);
Result<fs_store::VerifyReport> verify_simulated(
    SimulatedDisk& disk, const RuntimeId& runtime_id = testing::runtime_id("main"));
/// Repairs what is damaged.
Result<fs_store::RepairReport> repair_simulated(SimulatedDisk& disk);
RuntimeOptions simulated_runtime_options();

}  // namespace worker_runtime::testing
