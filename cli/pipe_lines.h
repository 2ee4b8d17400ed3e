// Lines from standard input, read in blocks; a line that is too long is passed over and never kept.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "streams.h"

namespace worker_runtime::cli {

inline constexpr std::size_t request_bytes_max = std::size_t{64} << 20U;

class LineReader {
 public:
  explicit LineReader(InputWait& wait) : wait_(wait) {}

  struct Line {
    std::string_view text;  ///< Without its newline; valid until the next call.
    bool too_long = false;
  };
  /// None at the end of input, and once the wait was ended.
  std::optional<Line> next();
  /// Input ended because nobody reads standard output any more.
  [[nodiscard]] bool is_output_lost() const { return output_lost_; }
  /// errno of the read that ended the input, or 0.
  [[nodiscard]] int system_error() const { return system_error_; }

 private:
  bool read_more();

  InputWait& wait_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::size_t searched_ = 0;
  bool ended_ = false;  // told to stop: half a line is no request
  bool output_lost_ = false;
  bool at_end_ = false;
  int system_error_ = 0;
};

}  // namespace worker_runtime::cli
