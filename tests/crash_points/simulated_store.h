// A Runtime with fs-store on a simulated disk.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "file_system.h"
#include "journal.h"
#include "support/fs_store/simulated_disk.h"
#include "worker_runtime/fs_store/repair.h"
#include "worker_runtime/fs_store/verify.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::testing {

/// Puts a file system before the runtime's directory: a store that breaks a rule.
using Distortion =
    std::function<std::unique_ptr<fs_store::FileSystem>(std::unique_ptr<fs_store::FileSystem>)>;

struct SimulatedStore {
  bool create = false;
  /// Whether logs follow each commit at once, or at checkpoints alone: then nothing happens by
  /// itself.
  bool logs_follow = false;
  /// Small: a few commits come to the end of a segment, a few lines to that of a log's part.
  fs_store::SegmentSizes sizes{4096, 8192, 1024};
  std::uint64_t log_part_bytes = 900;
  Distortion distortion;
};

/// The clock stands still. Errors are those of fs_store::open_runtime().
Result<Runtime> open_simulated(SimulatedDisk& disk, const SimulatedStore& store);
/// Waits until the logs have everything that the Runtime has. False if they have not after a long
/// time.
bool wait_for_logs(const SimulatedDisk& disk, const Runtime& runtime);
Result<fs_store::VerifyReport> verify_simulated(SimulatedDisk& disk);
/// Repairs what is damaged.
Result<fs_store::RepairReport> repair_simulated(SimulatedDisk& disk);
RuntimeOptions simulated_runtime_options();

}  // namespace worker_runtime::testing
