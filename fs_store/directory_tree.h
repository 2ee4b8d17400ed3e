// All below a directory: how much it is, and its removal. No link is followed; what goes away
// meanwhile is no error.
#pragma once

#include <stop_token>
#include <string>

#include "file_system.h"
#include "worker_runtime/fs_store/disk_use.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// The entry `path`, which is of `kind`, with all below it. `closed` after a stop request.
Result<SpaceUse> space_of_tree(FileSystem& file_system, const std::string& path, EntryKind kind,
                               const std::stop_token& stop = {});

/// Removes as much of it as can be removed, and answers the first failure. Not durable on return.
Result<void> remove_tree(FileSystem& file_system, const std::string& path, EntryKind kind);

}  // namespace worker_runtime::fs_store
