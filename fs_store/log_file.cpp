// Bisection and paging of a log: see log_file.h.
#include "log_file.h"

#include <algorithm>
#include <string>
#include <utility>

#include "buffer.h"
#include "checked_line.h"

namespace worker_runtime::fs_store {
namespace {

/// One probe looks at this much: several lines of the usual size, so the last steps of a bisection
/// fall together.
constexpr std::uint64_t probe_bytes = 8192;
/// The number of a line ends within its first bytes.
constexpr std::uint64_t number_bytes = 64;
constexpr std::uint64_t chunk_bytes_min = 16384;
constexpr std::uint64_t chunk_bytes_max = std::uint64_t{256} << 10U;

/// A line as it lies in the file.
struct FoundLine {
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
};

enum class Trust : std::uint8_t { numbers, whole_lines };

/// Buffered reading of one file up to a fixed end.
class Window {
 public:
  Window(const File& file, std::uint64_t end) : file_(file), end_(end) {}

  /// The bytes from `offset` on: at least `count`, fewer only at the end. What has to be read is
  /// read up to `ahead` bytes.
  Result<std::string_view> at(std::uint64_t offset, std::uint64_t count, std::uint64_t ahead) {
    const std::uint64_t rest = end_ - std::min(offset, end_);
    if (held(offset).size() < std::min(count, rest)) {
      bytes_.clear();
      auto got = file_.read_into(offset, bytes_.room(std::min(std::max(count, ahead), rest)));
      if (!got) return std::move(got).error();
      bytes_.add(*got);
      start_ = offset;
    }
    return held(offset);
  }

  /// The line that begins at `offset`, with its newline; without one where the file ends first.
  /// What has to be read is read `ahead` bytes at a time.
  Result<std::string_view> line(std::uint64_t offset, std::uint64_t ahead = chunk_bytes_min) {
    std::string_view bytes = held(offset);
    std::size_t newline = bytes.find('\n');
    for (std::uint64_t want = std::max<std::uint64_t>(ahead, bytes.size() * 2);
         newline == std::string_view::npos; want *= 4) {
      auto read = at(offset, want, want);
      if (!read) return std::move(read).error();
      bytes = *read;
      newline = bytes.find('\n');
      if (newline == std::string_view::npos && bytes.size() < want) return bytes;
    }
    return bytes.substr(0, newline + 1);
  }

  /// Where a line begins behind the next newline from `offset` on, if that is before `limit`. Keeps
  /// no more than a chunk of what it passes.
  Result<std::optional<std::uint64_t>> next_line(std::uint64_t offset, std::uint64_t limit) {
    for (std::uint64_t ahead = probe_bytes + number_bytes; offset < limit;
         ahead = std::min(ahead * 4, chunk_bytes_max)) {
      auto bytes = at(offset, 1, ahead);
      if (!bytes) return std::move(bytes).error();
      if (bytes->empty()) break;
      const std::size_t newline = bytes->find('\n');
      offset += newline == std::string_view::npos ? bytes->size() : newline + 1;
      if (newline != std::string_view::npos)
        return offset < limit ? std::optional(offset) : std::nullopt;
    }
    return std::optional<std::uint64_t>();
  }

 private:
  /// What was read already of the bytes from `offset` on.
  [[nodiscard]] std::string_view held(std::uint64_t offset) const {
    if (offset < start_ || offset - start_ > bytes_.size()) return {};
    return bytes_.text().substr(offset - start_);
  }

  const File& file_;
  std::uint64_t end_;
  std::uint64_t start_ = 0;
  Buffer bytes_;
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
        low_{extent.first, 0},
        high_{extent.last + 1, extent.bytes} {}

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

  /// Looks at the lines that begin at `probed` or behind and narrows the bounds by them. A line is
  /// passed, but not kept; and nothing is read behind the upper bound: however long a line is, all
  /// probes into it together read it about twice.
  Result<std::optional<std::uint64_t>> probe(std::uint64_t probed, std::uint64_t target) {
    std::optional<std::uint64_t> place = probed;
    if (probed != low_.offset) {
      auto next = window_.next_line(probed - 1, high_.offset);
      if (!next) return std::move(next).error();
      place = *next;
    }
    const std::uint64_t stop = std::min(high_.offset, probed + probe_bytes);
    bool met_any = false;
    while (place) {
      auto number = look(*place);
      if (!number) return std::move(number).error();
      if (*number == target) return place;
      if (*number) {
        met_any = true;
        if (!narrow(**number, *place, target)) return std::optional<std::uint64_t>();
      }
      auto next = window_.next_line(*place, met_any ? stop : high_.offset);
      if (!next) return std::move(next).error();
      place = *next;
    }
    // No line that may be trusted begins between the guess and the upper bound.
    if (!met_any) high_.offset = probed;
    return std::optional<std::uint64_t>();
  }

  /// Takes a line as a bound; false: as the upper one.
  bool narrow(std::uint64_t number, std::uint64_t offset, std::uint64_t target) {
    const bool is_below = number < target;
    (is_below ? low_ : high_) = {number, offset};
    (is_below ? low_is_proven_ : high_is_proven_) = true;
    return is_below;
  }

  /// The number of the line at `offset`, if it may be trusted.
  Result<std::optional<std::uint64_t>> look(std::uint64_t offset) {
    const bool quick = trust_ == Trust::numbers;
    auto text =
        quick ? window_.at(offset, number_bytes, probe_bytes + number_bytes) : window_.line(offset);
    if (!text) return std::move(text).error();
    auto number = quick ? line_number(*text, key_) : checked_number(*text, key_);
    if (number && (*number < low_.number || *number >= high_.number)) number.reset();
    return number;
  }

  /// Looks at every line between the bounds.
  Result<std::optional<std::uint64_t>> scan(std::uint64_t target) {
    std::optional<std::uint64_t> place;
    if (low_.offset < high_.offset) place = low_.offset;
    while (place) {
      auto number = look(*place);
      if (!number) return std::move(number).error();
      if (*number == target) return place;
      if (*number && !narrow(**number, *place, target)) break;
      auto next = window_.next_line(*place, high_.offset);
      if (!next) return std::move(next).error();
      place = *next;
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
    auto line = window.line(offset, chunk);
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
Result<std::uint64_t> line_start(const File& file, std::uint64_t end, Buffer& bytes,
                                 std::uint64_t& start, std::uint64_t chunk) {
  for (;;) {
    if (end <= start + bytes.size() && end > start) {
      const std::string_view before = bytes.text().substr(0, end - start - 1);
      const std::size_t newline = before.rfind('\n');
      if (newline != std::string_view::npos) return start + newline + 1;
      if (start == 0) return std::uint64_t{0};
      chunk = std::max<std::uint64_t>(chunk, (end - start) * 2);
    }
    const std::uint64_t from = end > chunk ? end - chunk : 0;
    bytes.clear();
    auto got = file.read_into(from, bytes.room(end - from));
    if (!got) return std::move(got).error();
    bytes.add(*got);
    start = from;
    if (bytes.size() < end - from)
      return end;  // the file is shorter than it must be: no line ends here
  }
}

Result<std::optional<LineDamage>> visit_backward(const File& file, Window& window,
                                                 const Extent& extent, const LineRange& range,
                                                 std::uint64_t end, const LineVisitor& visitor) {
  const std::uint64_t chunk = chunk_bytes(extent, range.expected_lines);
  Buffer bytes;
  std::uint64_t start = 0;
  for (std::uint64_t number = range.start; number >= extent.first; --number) {
    // Where the file begins before the first number is reached, lines are missing.
    auto begin = end > 0 ? line_start(file, end, bytes, start, chunk) : Result<std::uint64_t>(end);
    if (!begin) return std::move(begin).error();
    const std::string_view line =
        *begin < end ? bytes.text().substr(*begin - start, end - *begin) : std::string_view();
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
  const bool up = range.direction == Direction::oldest_first;
  if (range.start == (up ? extent.first : extent.last)) {
    // No search is needed, unless the line is not where it must be but elsewhere: a page that is
    // told to begin with it has to show it.
    auto damage = up ? visit_forward(window, extent, range, 0, visitor)
                     : visit_backward(file, window, extent, range, extent.bytes, visitor);
    if (!damage || !*damage || (*damage)->next_readable != range.start) return damage;
  }
  std::optional<LineDamage> damage;
  auto place = locate(window, extent, range.key, range.start, range.direction, damage);
  if (!place) return std::move(place).error();
  if (damage) return damage;
  if (up) return visit_forward(window, extent, range, *place, visitor);
  auto line = window.line(*place);
  if (!line) return std::move(line).error();
  return visit_backward(file, window, extent, range, *place + line->size(), visitor);
}

Result<std::optional<LinePlace>> find_line(const File& file, const Extent& extent,
                                           std::string_view key, std::uint64_t number) {
  if (number < extent.first || number > extent.last) return std::optional<LinePlace>();
  Window window(file, extent.bytes);
  std::optional<LineDamage> damage;  // its offset is answered too
  auto place = locate(window, extent, key, number, Direction::oldest_first, damage);
  if (!place) return std::move(place).error();
  auto line = window.line(*place);
  if (!line) return std::move(line).error();
  const bool is_it = !line->empty() && line->back() == '\n' && line_number(*line, key) == number;
  return is_it ? std::optional(LinePlace{*place, line->size()}) : std::nullopt;
}

}  // namespace worker_runtime::fs_store
