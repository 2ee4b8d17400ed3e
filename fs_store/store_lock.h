// The writer's lock: one writer at a time, found out at once, before anything is read or written.
//
// The kernel's lock on the file `lock` and on the runtime's directory is what counts; the text in
// the file says who holds it, for messages only. A holder that died holds nothing; a forked child
// that kept the handle does.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "file_system.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"
#include "worker_runtime/time.h"

namespace worker_runtime::fs_store {

/// `store_locked` with the holder, as far as its text tells, once `wait` has passed. A lock that is
/// `held` already only gets the text.
Result<std::unique_ptr<FileLock>> take_store_lock(FileSystem& file_system,
                                                  const RuntimeId& runtime_id,
                                                  std::chrono::milliseconds wait,
                                                  std::unique_ptr<FileLock> held = nullptr);

}  // namespace worker_runtime::fs_store
