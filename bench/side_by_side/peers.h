// Stores of others, each set up as a user who knows it would, and as durable as `sync`: a commit
// that returned is on the disk. The same unit everywhere: an event of 200 bytes and a transcript
// entry of 300, written together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "load.h"
#include "measured.h"

namespace worker_runtime::bench {

inline constexpr std::size_t event_bytes = 200;
inline constexpr std::size_t entry_bytes = 300;

cli::Contender make_leveldb(const std::filesystem::path& directory);
cli::Contender make_rocksdb(const std::filesystem::path& directory);
cli::Contender make_sqlite(const std::filesystem::path& directory);
cli::Contender make_lmdb(const std::filesystem::path& directory);
/// `worker-runtime pipe` as another program would use it: requests and answers as lines.
cli::Contender make_pipe(const std::filesystem::path& directory);

/// 'e' or 't' and the number, in an order that is that of the numbers.
std::string key_of(char kind, std::uint64_t number);

}  // namespace worker_runtime::bench
