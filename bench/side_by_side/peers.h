// Stores of others, each set up as a user who knows it would, and as durable as `sync`: a commit
// that returned is on the disk. The same unit everywhere: an event of 200 bytes and a transcript
// entry of 300, written together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "load.h"

namespace worker_runtime::bench {

inline constexpr std::size_t event_bytes = 200;
inline constexpr std::size_t entry_bytes = 300;
inline constexpr std::size_t page_rows = 256;

struct Peer {
  cli::Contender contender;
  /// Reads the newest 256 entries, undecoded, and answers how many bytes they have.
  std::function<std::size_t()> read_tail_page{};
};

Peer make_leveldb(const std::filesystem::path& directory);
Peer make_rocksdb(const std::filesystem::path& directory);
Peer make_sqlite(const std::filesystem::path& directory);
Peer make_lmdb(const std::filesystem::path& directory);
/// `worker-runtime pipe` as another program would use it: requests and answers as lines.
Peer make_pipe(const std::filesystem::path& directory);

/// Ends the measurement: a benchmark that failed has no figures.
[[noreturn]] void fail(const std::string& what);

/// 'e' or 't' and the number, in an order that is that of the numbers.
std::string key_of(char kind, std::uint64_t number);

}  // namespace worker_runtime::bench
