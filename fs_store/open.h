// Finding a runtime's directory: shared by the writer, readers and verify.
#pragma once

#include <functional>
#include <memory>

#include "file_system.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {

/// Opens the directory of the runtime that the options name, and makes the runtime first if it is
/// not there and `create` is set. `runtime_id` becomes the one that was found.
Result<std::unique_ptr<FileSystem>> open_runtime_directory(const StoreOptions& options,
                                                           RuntimeId& runtime_id);
/// The directory of a runtime that is there: the one that is wanted, or the only one.
Result<std::unique_ptr<FileSystem>> open_existing_directory(const std::filesystem::path& root,
                                                            const std::optional<RuntimeId>& wanted,
                                                            RuntimeId& runtime_id);
/// The same below a root directory that is open: `options.root` is not looked at. Whoever makes the
/// runtime has its lock from before it gets its name, in `lock` if that is given: nobody can open
/// it in between.
Result<std::unique_ptr<FileSystem>> open_runtime_directory(
    FileSystem& root, const StoreOptions& options, RuntimeId& runtime_id,
    std::unique_ptr<FileLock>* lock = nullptr);

/// Opens the root that the options name, and makes it first, with its parents, if `create` is set.
/// `store_missing` if it is not there.
Result<std::unique_ptr<FileSystem>> open_root(const StoreOptions& options);

/// Builds a runtime under a temporary name, and renames it once all of it is durable: nobody ever
/// meets half of one. Answers its lock; if somebody else was faster, theirs stands, and there is no
/// lock.
Result<std::unique_ptr<FileLock>> make_runtime(
    FileSystem& root, const RuntimeId& runtime_id,
    const std::function<Result<void>(FileSystem&)>& build);

/// Makes runtimes/ under a root, if it is missing; durable on return.
Result<void> make_runtimes_directory(FileSystem& root);

/// Removes runtimes that were never finished, because whoever made them died: nobody has their
/// locks. Best effort.
void sweep_unfinished_runtimes(FileSystem& root);

/// The directory of a runtime for who repairs it: runtime.json may be missing.
Result<std::unique_ptr<FileSystem>> open_damaged_directory(const StoreOptions& options,
                                                           RuntimeId& runtime_id);

}  // namespace worker_runtime::fs_store
