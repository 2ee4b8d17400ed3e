// Lines from standard input: see line_reader.h.
#include "line_reader.h"

#include <unistd.h>

#include <cerrno>

namespace worker_runtime::cli {
namespace {
constexpr std::size_t block_bytes = std::size_t{256} << 10U;
}

bool LineReader::read_more() {
  if (at_end_) return false;
  buffer_.erase(0, start_);
  searched_ -= start_;
  start_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + block_bytes);
  ssize_t got = 0;
  do got = ::read(STDIN_FILENO, buffer_.data() + size, block_bytes);
  while (got < 0 && errno == EINTR);
  buffer_.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
  // A failed read ends the input as its end does: what was asked is answered.
  at_end_ = got <= 0;
  return !at_end_;
}

std::optional<LineReader::Line> LineReader::next() {
  Line line;
  for (;;) {
    const std::size_t newline = buffer_.find('\n', searched_);
    if (newline != std::string::npos) {
      line.too_long = line.too_long || newline - start_ > request_bytes_max;
      if (!line.too_long) line.text = std::string_view(buffer_).substr(start_, newline - start_);
      start_ = searched_ = newline + 1;
      return line;
    }
    searched_ = buffer_.size();
    if (line.too_long || searched_ - start_ > request_bytes_max) {
      line.too_long = true;
      start_ = searched_;
    }
    if (!read_more()) break;
  }
  if (start_ == buffer_.size() && !line.too_long) return std::nullopt;
  if (!line.too_long) line.text = std::string_view(buffer_).substr(start_);
  start_ = searched_ = buffer_.size();
  return line;
}

}  // namespace worker_runtime::cli
