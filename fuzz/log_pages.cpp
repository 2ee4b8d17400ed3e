// Pages of a log by bisection, over lines of any length, whole or damaged anyhow, or over any
// bytes.
//   - what is visited are lines that check, with the numbers that were asked for, dense;
//   - a log that is whole gives all of them, from every start, in both directions;
//   - where bytes were changed, every line that they leave alone is found;
//   - whoever is told of a readable number beyond changed bytes can read there;
//   - the bytes that are read are bounded by the length of the file.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "checked_line.h"
#include "log_file.h"
#include "support/fs_store/line_log.h"
#include "support/fs_store/memory_file.h"
#include "support/target.h"

namespace worker_runtime::fuzz::log_pages {
namespace {

using fs_store::Extent;
using fs_store::LineDamage;

class CountingFile final : public fs_store::File {
 public:
  explicit CountingFile(std::string bytes) : file_(std::move(bytes)) {}
  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    auto got = file_.read_into(offset, to);
    bytes_read_ += *got;
    ++reads_;
    return got;
  }
  Result<void> write(std::uint64_t, std::string_view) override { return {}; }
  Result<void> sync() override { return {}; }
  void begin_writeback(std::uint64_t, std::uint64_t) override {}
  void keep_in_place() override {}
  Result<void> truncate(std::uint64_t) override { return {}; }
  [[nodiscard]] Result<std::uint64_t> size() const override { return file_.size(); }
  fs_store::FileIdentity identity() const override { return {}; }

  void reset() { bytes_read_ = reads_ = 0; }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  fs_store::MemoryFile file_;
  mutable std::uint64_t bytes_read_ = 0;
  mutable std::uint64_t reads_ = 0;
};

struct Visited {
  std::uint64_t count = 0;
  std::optional<LineDamage> damage;
};

Visited visit(CountingFile& file, const Extent& extent, std::uint64_t start, Direction direction) {
  file.reset();
  Visited visited;
  const bool up = direction == Direction::oldest_first;
  const auto done = visit_lines(
      file, extent, {"id", start, direction, 256},
      [&](std::uint64_t number, std::string_view line) {
        require(number == (up ? start + visited.count : start - visited.count),
                "numbers are visited one after the other");
        require(fs_store::check_line(line) && fs_store::line_number(line, "id") == number,
                "a line that is visited checks and has its number");
        ++visited.count;
        return true;
      });
  require(done.has_value(), "reading alone can't fail");
  visited.damage = *done;
  const std::uint64_t all = up ? extent.last - start + 1 : start - extent.first + 1;
  require(visited.damage || visited.count == all, "without damage all lines are visited");
  if (visited.damage) {
    const std::uint64_t number = visited.damage->number;
    require(number == (up ? start + visited.count : start - visited.count),
            "damage is told of the line that would have come next");
    require(!visited.damage->next_readable || *visited.damage->next_readable == number ||
                (*visited.damage->next_readable > number) == up,
            "what can be read next lies in the direction of reading");
  }
  // A bisection by numbers, one by lines, the page, and the look for what comes behind the damage.
  const std::uint64_t bound = 8 * extent.bytes + (std::uint64_t{1} << 20U);
  require(file.bytes_read() <= bound && file.reads() <= 2000 + extent.bytes,
          "reads are bounded by the file", std::to_string(file.bytes_read()));
  return visited;
}

std::string describe(const Visited& visited, std::uint64_t start, Direction direction) {
  return (direction == Direction::oldest_first ? "oldest first from " : "newest first from ") +
         std::to_string(start) + ": " + std::to_string(visited.count) + " lines, damage at " +
         std::to_string(visited.damage->number) + ", next readable " +
         std::to_string(visited.damage->next_readable.value_or(0));
}

/// Lines as given, and which of them are left alone.
struct Log {
  Extent extent;
  std::string bytes;
  std::vector<bool> is_whole;
  bool only_flipped = true;
  bool changed = false;
};

Log make_log(Bytes& in) {
  fs_store::LineLog lines(1 + in.below(3) * 1000);
  const std::size_t count = 1 + in.below(30);
  for (std::size_t line = 0; line < count; ++line) {
    const std::size_t bytes = in.byte();
    lines.add(bytes < 240 ? bytes : (bytes - 239) * 1024);
  }
  return {lines.extent(), lines.bytes(), std::vector<bool>(count, true), true, false};
}

void change(Bytes& in, Log& log) {
  const std::size_t at = in.below(65536) % std::max<std::size_t>(log.bytes.size(), 1);
  const std::size_t kind = in.byte() % 8;
  log.changed = true;
  if (kind < 4) {
    if (log.bytes.empty()) return;
    log.bytes[at] = kind == 3 ? '\n' : static_cast<char>(log.bytes[at] ^ (1 + in.byte() % 255));
    return;
  }
  log.only_flipped = false;
  if (kind == 4) log.bytes.erase(at, in.below(4096));
  if (kind == 5) log.bytes.insert(at, in.take(in.byte()));
  if (kind == 6) log.bytes.insert(at, log.bytes.substr(in.below(65536) % (at + 1), in.below(4096)));
  if (kind == 7) log.extent.bytes = in.below(65536);
}

/// Of lines that were made so long, those whose bytes are as they were.
void find_whole(const std::string& before, Log& log) {
  std::size_t begin = 0;
  for (std::size_t line = 0; line < log.is_whole.size(); ++line) {
    const std::size_t end = before.find('\n', begin) + 1;
    // With the newline in front of it: else it is part of another line.
    const std::size_t from = begin == 0 ? 0 : begin - 1;
    log.is_whole[line] = log.bytes.compare(from, end - from, before, from, end - from) == 0;
    begin = end;
  }
}

void check_log(Bytes& in) {
  Log log = make_log(in);
  const std::string before = log.bytes;
  for (std::size_t changes = in.below(4); changes > 0; --changes) change(in, log);
  if (log.only_flipped) find_whole(before, log);
  CountingFile file(log.bytes);
  const Extent& extent = log.extent;
  const std::uint64_t step = 1 + log.is_whole.size() / 8;
  for (const Direction direction : {Direction::oldest_first, Direction::newest_first}) {
    for (std::uint64_t start = extent.first + in.byte() % step; start <= extent.last;
         start += step) {
      const Visited visited = visit(file, extent, start, direction);
      require(log.changed || !visited.damage, "a log that is whole has no damage");
      if (log.only_flipped && log.is_whole[start - extent.first])
        require(visited.count > 0, "a line that is whole is found");
      if (visited.damage && visited.damage->next_readable) {
        const std::uint64_t next = *visited.damage->next_readable;
        if (next == visited.damage->number && visited.count == 0) continue;
        // Lines that were doubled or moved lead a search astray: it goes on, but may pass some
        // over.
        require(visit(file, extent, next, direction).count > 0 || !log.only_flipped,
                "what is told to be readable is", describe(visited, start, direction));
      }
    }
  }
}

void check(std::string_view input) {
  Bytes in(input);
  if (in.byte() % 4 != 0) return check_log(in);
  const std::uint64_t first = in.byte();
  Extent extent{first, first + in.byte(), in.below(65536)};
  CountingFile file{std::string(in.rest())};
  for (const Direction direction : {Direction::oldest_first, Direction::newest_first}) {
    for (std::uint64_t start = extent.first; start <= extent.last; start += 7)
      static_cast<void>(visit(file, extent, start, direction).count);
  }
}

const Target target("log_pages", check);

}  // namespace
}  // namespace worker_runtime::fuzz::log_pages
