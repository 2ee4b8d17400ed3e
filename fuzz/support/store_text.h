// The files of a store as text that can be changed anywhere and still has right checksums, so that
// a fuzzer gets behind them.
//
//   =PATH     the lines that follow are those of this file, below the runtime's directory
//   {...}     a checked line: its checksum is put in front. In it
//               @@@@@@@@   is the checksum of the journal record before, 00000000 if there is none;
//               ^^^^^^^^   the exclusive or of those of all catalog lines so far;
//               &PATH&     the length of that file so far
//   !TEXT     these bytes as they are, without a newline
//   and any other line as it is.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "support/fs_store/simulated_disk.h"

namespace worker_runtime::fuzz {

/// By path.
using StoreFiles = std::map<std::string, std::string>;

/// Lines in front of the first =PATH are those of `first_path`.
StoreFiles read_store_text(std::string_view text, std::string_view first_path);

/// Puts the files into `directory` of the disk, durable; makes it and what lies between. Paths that
/// lead out of it, or through a file, are left out.
void put_files(testing::SimulatedDisk& disk, const std::string& directory, const StoreFiles& files);

}  // namespace worker_runtime::fuzz
