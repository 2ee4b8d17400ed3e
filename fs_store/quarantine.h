// Bytes that recovery or repair takes out of a file: moved aside, never deleted.
#pragma once

#include <cstdint>
#include <string>

#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// Copies bytes [from, to) of `path` into quarantine/<path, slashes as dots>.<offset>.<random>,
/// durable on return. Answers the name. The caller then cuts the file: a crash in between leaves
/// the bytes in both.
Result<std::string> quarantine_bytes(FileSystem& file_system, const std::string& path,
                                     const File& file, std::uint64_t from, std::uint64_t to);

/// Moves a whole entry of a directory, of whatever kind, to quarantine: a link stays a link.
Result<void> quarantine_entry(FileSystem& file_system, const std::string& path);

}  // namespace worker_runtime::fs_store
