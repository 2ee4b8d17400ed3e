// repair() of a runtime whose directory is open already.
#pragma once

#include "file_system.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {

/// `options.root` and `options.runtime_id` are not looked at.
Result<RepairReport> repair_directory(FileSystem& directory, const RuntimeId& runtime_id,
                                      const RepairOptions& options);

}  // namespace worker_runtime::fs_store
