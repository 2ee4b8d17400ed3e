// Reading a log: checked lines with dense numbers, in one file or several parts.
//
// The number stands right behind each line's checksum, so a page is found by bisecting the file:
// there is no index, and nothing of a history stays in memory. Bisection first trusts the numbers
// it meets without checking their lines (a line may be 16 MiB long). If that doesn't lead to a line
// that checks, it starts again and trusts nothing but whole lines that match their checksum: a
// damaged line then costs itself only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "file_system.h"
#include "worker_runtime/fs_store/lines.h"
#include "worker_runtime/history.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// What a file of a log holds: lines `first`..`last` in its first `bytes` bytes.
struct Extent {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  std::uint64_t bytes = 0;
};

/// A place where the line that should be there is not, or does not check.
struct LineDamage {
  std::uint64_t number = 0;  ///< The number that is missing.
  std::uint64_t line = 0;    ///< Where it would stand, from 1.
  std::uint64_t offset = 0;
  std::optional<std::uint64_t>
      next_readable;  ///< The next good number in the direction of reading.
};

/// Where a line lies, its newline included.
struct LinePlace {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// What to read: numbers from `start`, in `direction`, to the end of the extent at most.
struct LineRange {
  std::string_view key;  ///< "id" or "sequence".
  std::uint64_t start = 1;
  Direction direction = Direction::oldest_first;
  std::uint64_t expected_lines = 256;  ///< How many the visitor may want: sizes the reads.
};

/// Visits checked lines until the visitor has enough or the extent ends; damage ends it, and is
/// told. `store_io` if a read fails.
Result<std::optional<LineDamage>> visit_lines(const File& file, const Extent& extent,
                                              const LineRange& range, const LineVisitor& visitor);

/// Finds the line with a number, whether it matches its checksum or not. None if it is not there as
/// a whole. `store_io` if a read fails.
Result<std::optional<LinePlace>> find_line(const File& file, const Extent& extent,
                                           std::string_view key, std::uint64_t number);

}  // namespace worker_runtime::fs_store
