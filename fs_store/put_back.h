// Files that somebody has replaced or taken away while they were written to.
//
// An editor that saves a file puts another one under its name, and what is written goes on into the
// one that has none any more: whole, but gone as soon as it is closed. As long as the handle is
// open it can be read, and so be put back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// Whether the path still leads to the open file.
Result<bool> is_named(FileSystem& file_system, const std::string& path, const File& file);

/// Makes the first `bytes` of the open file the content of `path` again, durable on return. What
/// stands there is copied to quarantine before; what is no file is moved there. Answers the new
/// file.
Result<std::unique_ptr<File>> put_back(FileSystem& file_system, const std::string& path,
                                       const File& file, std::uint64_t bytes);

/// Both, in turn. Null where the path still leads to the open file; else the path is added to
/// `told`, for the operator.
Result<std::unique_ptr<File>> put_back_if_replaced(FileSystem& file_system, const std::string& path,
                                                   const File& file, std::uint64_t bytes,
                                                   std::vector<std::string>& told);

}  // namespace worker_runtime::fs_store
