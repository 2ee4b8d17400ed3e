// Things that stand where a file or a directory of a store belongs and are of another kind: links,
// directories in place of files, files in place of directories. For repair, which moves them aside.
#pragma once

#include <string>
#include <vector>

#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// Their paths. What stands below one is not looked at.
Result<std::vector<std::string>> find_obstructions(FileSystem& file_system);

}  // namespace worker_runtime::fs_store
