// A file system over another one that does not give in where the process, or the system, has no
// handle left (EMFILE, ENFILE): it has handles given up that are kept for speed alone, and calls
// once more.
#pragma once

#include <functional>
#include <memory>

#include "file_system.h"

namespace worker_runtime::fs_store {

/// `give_up` is called from any thread; it answers whether there was anything to give up. It must
/// not call the file system.
std::unique_ptr<FileSystem> make_handle_retry(std::unique_ptr<FileSystem> inner,
                                              std::function<bool()> give_up);

}  // namespace worker_runtime::fs_store
