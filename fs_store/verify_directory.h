// verify() of a runtime whose directory is open already.
#pragma once

#include "file_system.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::fs_store {

/// `options.root` and `options.runtime_id` are not looked at.
Result<VerifyReport> verify_directory(FileSystem& directory, const RuntimeId& runtime_id,
                                      const VerifyOptions& options);

}  // namespace worker_runtime::fs_store
