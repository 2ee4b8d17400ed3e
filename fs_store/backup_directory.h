// backup() and restore() between directories that are open already.
#pragma once

#include "file_system.h"
#include "store_copy.h"
#include "worker_runtime/fs_store/backup.h"

namespace worker_runtime::fs_store {

/// `root` is that of the backup.
Result<CopyReport> backup_directory(FileSystem& source, const RuntimeId& runtime_id,
                                    FileSystem& root, const CopyOptions& options);

/// `root` gets the runtime under `runtime_id`.
Result<CopyReport> restore_directory(FileSystem& source, const RuntimeId& source_id,
                                     FileSystem& root, const RuntimeId& runtime_id,
                                     const CopyOptions& options);

}  // namespace worker_runtime::fs_store
