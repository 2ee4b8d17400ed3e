// A file that a command reads whole.
#pragma once

#include <cstddef>
#include <string>

#include "worker_runtime/result.h"

namespace worker_runtime::cli {

/// To its end, or to soon after `bytes_max`. `invalid_request` if it cannot be read.
Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max);

}  // namespace worker_runtime::cli
