// Where the copy of a log goes on that an earlier run has begun.
#pragma once

#include <string>
#include <string_view>

#include "codec.h"
#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// The end of the log, of which all up to `known` is there and durable. What stands behind that is
/// what a run that was cut off has copied: good lines with dense numbers count, the rest goes.
/// `store_corrupt` if the file is shorter than `known` says.
Result<LogWatermark> resume_log(FileSystem& file_system, const std::string& stem,
                                std::string_view key, LogWatermark known);

}  // namespace worker_runtime::fs_store
