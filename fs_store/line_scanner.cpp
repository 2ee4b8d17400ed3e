// Sequential lines: see line_scanner.h.
#include "line_scanner.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace worker_runtime::fs_store {
namespace {
constexpr std::uint64_t block_bytes = std::uint64_t{256} << 10U;

/// Where the newlines from `from` on end: npos where all are. An open reads a megabyte of them, and
/// comparing blocks is much faster than looking at each.
std::size_t find_end_of_newlines(std::string_view text, std::size_t from) {
  static constexpr auto block = [] {
    std::array<char, 4096> newlines{};
    newlines.fill('\n');
    return newlines;
  }();
  while (text.substr(from).starts_with({block.data(), block.size()})) from += block.size();
  return text.find_first_not_of('\n', from);
}
}  // namespace

LineScanner::LineScanner(const File& file, std::uint64_t offset, std::uint64_t end,
                         std::uint64_t first_number)
    : file_(file), end_(end), number_(first_number), offset_(offset), read_offset_(offset) {}

Result<bool> LineScanner::read_more() {
  if (at_end_) return false;
  bytes_.drop_front(used_);
  searched_ -= used_;
  used_ = 0;
  const std::uint64_t want = std::min(block_bytes, end_ - std::min(end_, read_offset_));
  auto got = file_.read_into(read_offset_, bytes_.room(want));
  if (!got) return std::move(got).error();
  at_end_ = *got < want || want == 0;
  read_offset_ += *got;
  bytes_.add(*got);
  return *got > 0;
}

Result<std::optional<ScannedLine>> LineScanner::next() {
  ScannedLine line;
  line.number = number_;
  line.offset = offset_;
  for (;;) {
    const std::size_t newline = bytes_.text().find('\n', searched_);
    if (newline != std::string_view::npos) {
      line.length += newline + 1 - used_;
      if (!line.too_long) line.text = bytes_.text().substr(used_, newline - used_);
      line.has_newline = true;
      used_ = searched_ = newline + 1;
      break;
    }
    searched_ = bytes_.size();
    if (line.too_long || searched_ - used_ > line_bytes_max) {
      line.too_long = true;
      line.length += searched_ - used_;
      used_ = searched_;
    }
    auto more = read_more();
    if (!more) return std::move(more).error();
    if (!*more) {
      line.length += bytes_.size() - used_;
      if (line.length == 0) return std::optional<ScannedLine>();
      if (!line.too_long) line.text = bytes_.text().substr(used_);
      used_ = searched_ = bytes_.size();
      break;
    }
  }
  offset_ += line.length;
  ++number_;
  return std::optional(line);
}

Result<std::uint64_t> LineScanner::skip_empty_lines() {
  std::uint64_t skipped = 0;
  for (;;) {
    const std::size_t found = find_end_of_newlines(bytes_.text(), used_);
    const std::size_t end = std::min(found, bytes_.size());
    skipped += end - used_;
    number_ += end - used_;
    offset_ += end - used_;
    used_ = end;
    searched_ = std::max(searched_, used_);
    if (found != std::string_view::npos) return skipped;
    auto more = read_more();
    if (!more) return std::move(more).error();
    if (!*more) return skipped;
  }
}

}  // namespace worker_runtime::fs_store
