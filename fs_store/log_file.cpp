// Bisection and paging of a log: see log_file.h.
#include "log_file.h"

#include <algorithm>
#include <string>
#include <utility>

#include "checked_line.h"

namespace worker_runtime::fs_store {
namespace {

/// One probe reads this much: several lines of the usual size, so the last steps of a bisection
/// fall together.
constexpr std::uint64_t probe_bytes = 8192;
constexpr std::uint64_t chunk_bytes_min = 16384;
constexpr std::uint64_t chunk_bytes_max = std::uint64_t{256} << 10U;

/// A line as it lies in the file.
struct FoundLine {
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  std::uint64_t end = 0;  // behind its newline, if it was read as a whole
};

enum class Trust : std::uint8_t { numbers, whole_lines };

/// Buffered reading of one file up to a fixed end.
class Window {
 public:
  Window(const File& file, std::uint64_t end) : file_(file), end_(end) {}

  /// The bytes from `offset` on: at least `count`, fewer only at the end.
  Result<std::string_view> at(std::uint64_t offset, std::uint64_t count) {
    count = std::min(count, end_ - std::min(offset, end_));
    if (offset < start_ || offset + count > start_ + bytes_.size()) {
      auto read = file_.read(offset, count);
      if (!read) return std::move(read).error();
      bytes_ = std::move(*read);
      start_ = offset;
    }
    return std::string_view(bytes_).substr(offset - start_);
  }

  /// The line that begins at `offset`, with its newline; without one where the file ends first.
  Result<std::string_view> line(std::uint64_t offset) {
    std::uint64_t want = chunk_bytes_min;
    for (;;) {
      auto bytes = at(offset, want);
      if (!bytes) return std::move(bytes).error();
      const std::size_t newline = bytes->find('\n');
      if (newline != std::string_view::npos) return bytes->substr(0, newline + 1);
      if (bytes->size() < want) return *bytes;
      want *= 4;
    }
  }

  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  const File& file_;
  std::uint64_t end_;
  std::uint64_t start_ = 0;
  std::string bytes_;
};

/// The number of a whole checked line; none if it doesn't check.
std::optional<std::uint64_t> checked_number(std::string_view line, std::string_view key) {
  if (line.empty() || line.back() != '\n') return std::nullopt;
  line.remove_suffix(1);
  if (!check_line(line)) return std::nullopt;
  return line_number(line, key);
}

/// Finds the place of one number by bisection.
class Search {
 public:
  Search(Window& window, const Extent& extent, std::string_view key, Trust trust)
      : window_(window),
        key_(key),
        trust_(trust),
        low_{extent.first, 0, 0},
        high_{extent.last + 1, extent.bytes, 0} {}

  /// The offset of the line `target`, or none if no line that may be trusted has that number.
  Result<std::optional<std::uint64_t>> find(std::uint64_t target) {
    bool halve = false;
    while (low_.number != target || !low_is_proven_) {
      const std::uint64_t before = high_.offset - low_.offset;
      if (before <= probe_bytes) return scan(target);
      auto found = probe(pivot(target, halve), target);
      if (!found) return std::move(found).error();
      if (*found) return *found;
      // Interpolation that gains little is followed by a plain halving: O(log n) whatever the
      // sizes.
      halve = !halve && high_.offset - low_.offset > before / 2;
    }
    return std::optional(low_.offset);
  }

  /// The nearest trusted lines below and above the target, once find() has failed.
  [[nodiscard]] const FoundLine& low() const { return low_; }
  [[nodiscard]] const FoundLine& high() const { return high_; }
  [[nodiscard]] bool low_is_proven() const { return low_is_proven_; }
  [[nodiscard]] bool high_is_proven() const { return high_is_proven_; }

 private:
  [[nodiscard]] std::uint64_t pivot(std::uint64_t target, bool halve) const {
    const std::uint64_t span = high_.offset - low_.offset;
    if (halve) return low_.offset + span / 2;
    const std::uint64_t numbers = high_.number - low_.number;
    const double share = static_cast<double>(target - low_.number) / static_cast<double>(numbers);
    auto guess = static_cast<std::uint64_t>(static_cast<double>(span) * share);
    // Half a probe ahead of the guess: the probe then holds the target rather than what lies behind
    // it.
    guess = guess > probe_bytes / 2 ? guess - probe_bytes / 2 : 0;
    return low_.offset + std::min(guess, span - 1);
  }

  /// Looks at the lines that begin behind `offset` and narrows the bounds by them.
  Result<std::optional<std::uint64_t>> probe(std::uint64_t offset, std::uint64_t target) {
    const std::uint64_t probed = offset;
    bool met_any = false;
    if (offset != low_.offset) {
      auto rest = window_.at(offset - 1, probe_bytes);
      if (!rest) return std::move(rest).error();
      auto line = window_.line(offset - 1);  // the rest of the line that the guess fell into
      if (!line) return std::move(line).error();
      offset += line->size() - 1;
    }
    const std::uint64_t stop = std::min(high_.offset, probed + probe_bytes);
    while (offset < high_.offset && (offset < stop || !met_any)) {
      auto line = look(offset);
      if (!line) return std::move(line).error();
      if (line->second) {
        met_any = true;
        if (*line->second == target) return std::optional(offset);
        if (*line->second > target) {
          high_ = {*line->second, offset, 0};
          high_is_proven_ = true;
          return std::optional<std::uint64_t>();
        }
        low_ = {*line->second, offset, 0};
        low_is_proven_ = true;
      }
      offset += line->first;
    }
    // No line that may be trusted begins between the guess and the upper bound.
    if (!met_any) high_.offset = probed;
    return std::optional<std::uint64_t>();
  }

  /// Length of the line at `offset` as far as it was read, and its number if it may be trusted.
  Result<std::pair<std::uint64_t, std::optional<std::uint64_t>>> look(std::uint64_t offset) {
    auto line = window_.line(offset);
    if (!line) return std::move(line).error();
    auto number = trust_ == Trust::numbers ? line_number(*line, key_) : checked_number(*line, key_);
    if (number && (*number < low_.number || *number >= high_.number)) number.reset();
    return std::pair(std::max<std::uint64_t>(line->size(), 1), number);
  }

  Result<std::optional<std::uint64_t>> scan(std::uint64_t target) {
    std::uint64_t offset = low_.offset;
    while (offset < high_.offset) {
      auto line = look(offset);
      if (!line) return std::move(line).error();
      if (line->second && *line->second == target) return std::optional(offset);
      if (line->second && *line->second < target) {
        low_ = {*line->second, offset, 0};
        low_is_proven_ = true;
      }
      if (line->second && *line->second > target) {
        high_ = {*line->second, offset, 0};
        high_is_proven_ = true;
        break;
      }
      offset += line->first;
    }
    return std::optional<std::uint64_t>();
  }

  Window& window_;
  std::string_view key_;
  Trust trust_;
  FoundLine low_;   // the target is not before this place
  FoundLine high_;  // the target begins before this place
  bool low_is_proven_ = false;
  bool high_is_proven_ = false;
};

/// Where the line `target` begins. First by numbers alone; if that leads to no line that checks, by
/// whole lines. `damage` is set if there is no such line.
Result<std::uint64_t> locate(Window& window, const Extent& extent, std::string_view key,
                             std::uint64_t target, Direction direction,
                             std::optional<LineDamage>& damage) {
  Search quick(window, extent, key, Trust::numbers);
  auto guess = quick.find(target);
  if (!guess) return std::move(guess).error();
  if (*guess) {
    auto line = window.line(**guess);
    if (!line) return std::move(line).error();
    if (checked_number(*line, key) == target) return **guess;
  }
  Search careful(window, extent, key, Trust::whole_lines);
  auto found = careful.find(target);
  if (!found) return std::move(found).error();
  if (*found) return **found;

  damage = LineDamage{target, target - extent.first + 1, careful.low().offset, std::nullopt};
  // The damaged line begins as many lines behind the last good one as their numbers are apart.
  std::uint64_t steps = target - careful.low().number;
  while (steps > 0 && damage->offset < extent.bytes) {
    auto line = window.line(damage->offset);
    if (!line) return std::move(line).error();
    if (line->empty()) break;
    damage->offset += line->size();
    --steps;
  }
  if (direction == Direction::oldest_first && careful.high_is_proven())
    damage->next_readable = careful.high().number;
  if (direction == Direction::newest_first && careful.low_is_proven())
    damage->next_readable = careful.low().number;
  return damage->offset;
}

std::uint64_t chunk_bytes(const Extent& extent, std::uint64_t lines) {
  const std::uint64_t count = extent.last - extent.first + 1;
  const std::uint64_t average = extent.bytes / std::max<std::uint64_t>(count, 1) + 1;
  return std::clamp(average * std::min(lines, count) * 9 / 8, chunk_bytes_min, chunk_bytes_max);
}

Result<std::optional<LineDamage>> visit_forward(Window& window, const Extent& extent,
                                                const LineRange& range, std::uint64_t offset,
                                                const LineVisitor& visitor) {
  const std::uint64_t chunk = chunk_bytes(extent, range.expected_lines);
  for (std::uint64_t number = range.start; number <= extent.last; ++number) {
    auto ahead = window.at(offset, 1);
    if (!ahead) return std::move(ahead).error();
    if (ahead->find('\n') == std::string_view::npos) {
      ahead = window.at(offset, chunk);
      if (!ahead) return std::move(ahead).error();
    }
    auto line = window.line(offset);
    if (!line) return std::move(line).error();
    if (checked_number(*line, range.key) != number) {
      std::optional<LineDamage> damage;
      // Locating the number anew tells what comes behind the damage; a line that is merely
      // elsewhere (moved, or behind a doubled one) is damage at this place all the same.
      auto place = locate(window, extent, range.key, number, range.direction, damage);
      if (!place) return std::move(place).error();
      if (!damage) damage = LineDamage{number, number - extent.first + 1, offset, number};
      return damage;
    }
    const std::uint64_t length = line->size();
    if (!visitor(number, line->substr(0, length - 1))) break;
    offset += length;
  }
  return std::optional<LineDamage>();
}

/// The line that ends at `end` (its newline included): its start. Reads backwards in growing steps.
Result<std::uint64_t> line_start(const File& file, std::uint64_t end, std::string& bytes,
                                 std::uint64_t& start, std::uint64_t chunk) {
  for (;;) {
    if (end <= start + bytes.size() && end > start) {
      const std::string_view before = std::string_view(bytes).substr(0, end - start - 1);
      const std::size_t newline = before.rfind('\n');
      if (newline != std::string_view::npos) return start + newline + 1;
      if (start == 0) return std::uint64_t{0};
      chunk = std::max<std::uint64_t>(chunk, (end - start) * 2);
    }
    const std::uint64_t from = end > chunk ? end - chunk : 0;
    auto read = file.read(from, end - from);
    if (!read) return std::move(read).error();
    bytes = std::move(*read);
    start = from;
    if (bytes.size() < end - from)
      return end;  // the file is shorter than it must be: no line ends here
  }
}

Result<std::optional<LineDamage>> visit_backward(const File& file, Window& window,
                                                 const Extent& extent, const LineRange& range,
                                                 std::uint64_t end, const LineVisitor& visitor) {
  const std::uint64_t chunk = chunk_bytes(extent, range.expected_lines);
  std::string bytes;
  std::uint64_t start = 0;
  for (std::uint64_t number = range.start; number >= extent.first && end > 0; --number) {
    auto begin = line_start(file, end, bytes, start, chunk);
    if (!begin) return std::move(begin).error();
    const std::string_view line = *begin < end
                                      ? std::string_view(bytes).substr(*begin - start, end - *begin)
                                      : std::string_view();
    if (checked_number(line, range.key) != number) {
      std::optional<LineDamage> damage;
      auto place = locate(window, extent, range.key, number, range.direction, damage);
      if (!place) return std::move(place).error();
      if (!damage) damage = LineDamage{number, number - extent.first + 1, *begin, number};
      return damage;
    }
    if (!visitor(number, line.substr(0, line.size() - 1))) break;
    end = *begin;
  }
  return std::optional<LineDamage>();
}

}  // namespace

Result<std::optional<LineDamage>> visit_lines(const File& file, const Extent& extent,
                                              const LineRange& range, const LineVisitor& visitor) {
  if (range.start < extent.first || range.start > extent.last) return std::optional<LineDamage>();
  Window window(file, extent.bytes);
  if (range.direction == Direction::newest_first && range.start == extent.last) {
    return visit_backward(file, window, extent, range, extent.bytes, visitor);
  }
  if (range.direction == Direction::oldest_first && range.start == extent.first) {
    return visit_forward(window, extent, range, 0, visitor);
  }
  std::optional<LineDamage> damage;
  auto place = locate(window, extent, range.key, range.start, range.direction, damage);
  if (!place) return std::move(place).error();
  if (damage) return damage;
  if (range.direction == Direction::oldest_first)
    return visit_forward(window, extent, range, *place, visitor);
  auto line = window.line(*place);
  if (!line) return std::move(line).error();
  return visit_backward(file, window, extent, range, *place + line->size(), visitor);
}

}  // namespace worker_runtime::fs_store
