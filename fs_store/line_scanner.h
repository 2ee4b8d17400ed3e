// Reading a file from end to end, line by line, in bounded memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "buffer.h"
#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// No line that this component writes is longer; a longer one in a file is passed over and never
/// kept.
inline constexpr std::uint64_t line_bytes_max = std::uint64_t{160} << 20U;

struct ScannedLine {
  std::string_view text;     ///< Without its newline; empty if it was too long to be kept.
  std::uint64_t number = 0;  ///< From 1.
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< With its newline, if it has one.
  bool has_newline = false;
  bool too_long = false;
};

class LineScanner {
 public:
  /// Reads from `offset`, a place where a line begins, to `end` or the end of the file if that
  /// comes first.
  LineScanner(const File& file, std::uint64_t offset, std::uint64_t end,
              std::uint64_t first_number = 1);

  /// The next line; none at the end. The text is valid until the next call.
  Result<std::optional<ScannedLine>> next();

  /// Passes over empty lines, which a journal segment has millions of: how many.
  Result<std::uint64_t> skip_empty_lines();

 private:
  Result<bool> read_more();

  const File& file_;
  std::uint64_t end_;
  std::uint64_t number_;
  std::uint64_t offset_;       // of the next line
  std::uint64_t read_offset_;  // of the next read
  Buffer bytes_;               // from offset_ - used_ on
  std::size_t used_ = 0;
  std::size_t searched_ = 0;  // no newline in bytes_ between used_ and here
  bool at_end_ = false;
};

}  // namespace worker_runtime::fs_store
