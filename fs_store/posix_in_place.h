// File systems that write elsewhere what is overwritten.
#pragma once

namespace worker_runtime::fs_store {

/// Asks btrfs to overwrite the content of a new, empty file where it is. Others do so anyhow, or
/// cannot.
void posix_keep_in_place(int descriptor);

}  // namespace worker_runtime::fs_store
