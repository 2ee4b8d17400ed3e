// Lines from standard input, read in blocks; a line that is too long is passed over and never kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace worker_runtime::cli {

inline constexpr std::size_t request_bytes_max = std::size_t{64} << 20U;

class LineReader {
 public:
  struct Line {
    std::string_view text;  ///< Without its newline; valid until the next call.
    bool too_long = false;
  };
  /// None at the end of input.
  std::optional<Line> next();
  /// Whether a whole line is there without reading more.
  [[nodiscard]] bool has_line() const { return buffer_.find('\n', start_) != std::string::npos; }

 private:
  bool read_more();

  std::string buffer_;
  std::size_t start_ = 0;
  std::size_t searched_ = 0;
  bool at_end_ = false;
};

}  // namespace worker_runtime::cli
