// Lines from standard input: see pipe_lines.h.
#include "pipe_lines.h"

namespace worker_runtime::cli {
namespace {
constexpr std::size_t read_bytes = std::size_t{256} << 10U;
}

bool LineReader::read_more() {
  if (at_end_) return false;
  buffer_.erase(0, start_);
  searched_ -= start_;
  start_ = 0;
  const InputWait::Event event = wait_.wait();
  if (event != InputWait::Event::readable) {
    output_lost_ = event == InputWait::Event::output_lost;
    ended_ = at_end_ = true;
    return false;
  }
  const std::size_t size = buffer_.size();
  buffer_.resize(size + read_bytes);
  const InputRead read = read_input(buffer_.data() + size, read_bytes);
  buffer_.resize(size + read.bytes);
  // A failed read ends the input too: what was asked is answered.
  system_error_ = read.system_error;
  at_end_ = read.bytes == 0;
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
  // A last line needs no newline; one that was cut off does not count.
  const bool cut_off = ended_ || system_error_ != 0;
  if (cut_off || (start_ == buffer_.size() && !line.too_long)) return std::nullopt;
  if (!line.too_long) line.text = std::string_view(buffer_).substr(start_);
  start_ = searched_ = buffer_.size();
  return line;
}

}  // namespace worker_runtime::cli
