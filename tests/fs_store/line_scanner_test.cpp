// Lines from end to end: split on the newline byte alone, whatever the chunks, in bounded memory.
#include "line_scanner.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/domain.h"
#include "support/fs_store/faulty_file_system.h"
#include "support/fs_store/memory_file.h"
#include "support/random.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::uint64_t block_bytes = std::uint64_t{256} << 10U;

struct Line {
  std::string text;
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool has_newline = false;
  bool too_long = false;
  bool operator==(const Line&) const = default;
};
void PrintTo(const Line& line, std::ostream* out) {
  *out << "line " << line.number << " at " << line.offset << "+" << line.length << ": "
       << line.text.substr(0, 60);
}

std::vector<Line> scan(const File& file, std::uint64_t from = 0, std::uint64_t to = UINT64_MAX,
                       std::uint64_t first_number = 1) {
  LineScanner scanner(file, from, to, first_number);
  std::vector<Line> lines;
  for (;;) {
    auto next = scanner.next();
    EXPECT_TRUE(testing::is_ok(next));
    if (!next || !*next) return lines;
    const ScannedLine& line = **next;
    lines.push_back({std::string(line.text), line.number, line.offset, line.length,
                     line.has_newline, line.too_long});
  }
}

/// What the lines of `bytes` are, found the plain way.
std::vector<Line> model(std::string_view bytes, std::uint64_t from, std::uint64_t to) {
  std::vector<Line> lines;
  to = std::min<std::uint64_t>(to, bytes.size());
  while (from < to) {
    const std::size_t newline = bytes.substr(0, to).find('\n', from);
    const bool has_newline = newline != std::string_view::npos;
    const std::uint64_t end = has_newline ? newline + 1 : to;
    lines.push_back({std::string(bytes.substr(from, end - from - (has_newline ? 1 : 0))),
                     lines.size() + 1, from, end - from, has_newline, false});
    from = end;
  }
  return lines;
}

TEST(LineScanner, EmptyFileHasNoLines) { EXPECT_TRUE(scan(MemoryFile()).empty()); }

TEST(LineScanner, LinesComeWithNumberPlaceAndLength) {
  const MemoryFile file("ab\n\ncde\n");
  EXPECT_EQ(scan(file), (std::vector<Line>{
                            {"ab", 1, 0, 3, true}, {"", 2, 3, 1, true}, {"cde", 3, 4, 4, true}}));
}

TEST(LineScanner, LastLineWithoutNewlineIsToldApart) {
  const MemoryFile file("ab\ncde");
  EXPECT_EQ(scan(file), (std::vector<Line>{{"ab", 1, 0, 3, true}, {"cde", 2, 3, 3, false}}));
}

TEST(LineScanner, OnlyTheNewlineByteSplits) {
  std::string text("a\0b", 3);
  text += "\r\v\f\x1c\x1d\x1e\xC2\x85\xE2\x80\xA8\xE2\x80\xA9\xff";
  const MemoryFile file(text + "\n" + text);
  const auto lines = scan(file);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, text);
  EXPECT_EQ(lines[1].text, text);
}

TEST(LineScanner, FileOfNulsIsOneLine) {
  const MemoryFile file(std::string(3 * block_bytes, '\0'));
  const auto lines = scan(file);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].length, 3 * block_bytes);
  EXPECT_FALSE(lines[0].has_newline);
}

TEST(LineScanner, RangeBoundsTheScanAndNumbersBeginWhereTold) {
  const MemoryFile file("ab\ncd\nef\ngh\n");
  EXPECT_EQ(scan(file, 3, 9, 17),
            (std::vector<Line>{{"cd", 17, 3, 3, true}, {"ef", 18, 6, 3, true}}));
  EXPECT_EQ(scan(file, 3, 8), (std::vector<Line>{{"cd", 1, 3, 3, true}, {"ef", 2, 6, 2, false}}));
  EXPECT_TRUE(scan(file, 3, 3).empty());
  EXPECT_TRUE(scan(file, 3, 2).empty());
  EXPECT_TRUE(scan(file, 100).empty());
}

TEST(LineScanner, LineThatEndsAtAChunksBorderIsOneLine) {
  for (const std::uint64_t length : {block_bytes - 2, block_bytes - 1, block_bytes, block_bytes + 1,
                                     2 * block_bytes - 1, 2 * block_bytes, 3 * block_bytes + 7}) {
    SCOPED_TRACE(length);
    const std::string bytes = std::string(length, 'x') + "\nnext\n" + std::string(length, 'y');
    EXPECT_EQ(scan(MemoryFile(bytes)), model(bytes, 0, UINT64_MAX));
  }
}

TEST(LineScanner, RandomFilesScanAsThePlainWay) {
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 43);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  for (int round = 0; round < 60; ++round) {
    std::string bytes;
    const std::uint64_t count = random.below(60);
    for (std::uint64_t line = 0; line < count; ++line) {
      const std::uint64_t length =
          random.one_in(12) ? random.below(2 * block_bytes) : random.below(80);
      for (std::uint64_t at = 0; at < length; ++at) {
        const char byte = static_cast<char>(random.below(256));
        bytes += byte == '\n' ? '.' : byte;
      }
      if (line + 1 < count || random.one_in(2)) bytes += '\n';
    }
    const auto all = model(bytes, 0, UINT64_MAX);
    ASSERT_EQ(scan(MemoryFile(bytes)), all);
    if (all.empty()) continue;
    const std::uint64_t from = random.pick(all).offset;
    const std::uint64_t to = from + random.below(bytes.size() - from + 2);
    ASSERT_EQ(scan(MemoryFile(bytes), from, to), model(bytes, from, to));
  }
}

TEST(LineScanner, EmptyLinesCanBePassedOverAndCount) {
  const std::string filler(2 * block_bytes + 5, '\n');
  const MemoryFile file("ab\n" + filler + "cd\n\nef");
  LineScanner scanner(file, 0, UINT64_MAX);
  EXPECT_EQ(scanner.skip_empty_lines().value(), 0U);
  EXPECT_EQ(scanner.next().value()->text, "ab");
  EXPECT_EQ(scanner.skip_empty_lines().value(), filler.size());
  const auto behind = scanner.next().value();
  EXPECT_EQ(behind->text, "cd");
  EXPECT_EQ(behind->number, filler.size() + 2);
  EXPECT_EQ(behind->offset, filler.size() + 3);
  EXPECT_EQ(scanner.next().value()->text, "");  // who does not pass over them gets them
  EXPECT_EQ(scanner.skip_empty_lines().value(), 0U);
  EXPECT_EQ(scanner.next().value()->text, "ef");
  EXPECT_EQ(scanner.skip_empty_lines().value(), 0U);
  EXPECT_FALSE(scanner.next().value().has_value());
}

TEST(LineScanner, EveryByteIsReadOnce) {
  FileFaults faults;
  std::string bytes;
  for (int line = 0; line < 40; ++line) bytes += std::string(30'000, 'x') + "\n";
  const auto file = make_faulty_file(std::make_unique<MemoryFile>(bytes), "file", faults);
  EXPECT_EQ(scan(*file).size(), 40U);
  EXPECT_EQ(faults.bytes_read(), bytes.size());
  EXPECT_LE(faults.count(CallKind::read), bytes.size() / block_bytes + 2);
}

TEST(LineScanner, ReadThatFailsIsTheAnswer) {
  FileFaults faults;
  const auto file = make_faulty_file(
      std::make_unique<MemoryFile>(std::string(2 * block_bytes, 'x')), "file", faults);
  faults.plan({CallKind::read, 2});
  LineScanner scanner(*file, 0, UINT64_MAX);
  EXPECT_TRUE(testing::fails_with(scanner.next(), ErrorCode::store_io));
}

// ---- lines over the maximum

/// A file that makes its bytes as they are read: one line of 'x' after another.
class EndlessLines final : public File {
 public:
  /// Lengths with their newlines.
  explicit EndlessLines(const std::vector<std::uint64_t>& lengths) {
    std::uint64_t end = 0;
    for (const std::uint64_t length : lengths) ends_.push_back(end += length);
  }
  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    largest_read_ = std::max(largest_read_, to.size());
    const auto memory = ::mallinfo2();
    memory_peak_ = std::max(memory_peak_, memory.uordblks + memory.hblkhd);
    const std::uint64_t end = std::min<std::uint64_t>(offset + to.size(), ends_.back());
    const std::size_t count = end > offset ? end - offset : 0;
    std::fill_n(to.begin(), count, 'x');
    for (const std::uint64_t line_end : ends_) {
      if (line_end > offset && line_end <= end) to[line_end - 1 - offset] = '\n';
    }
    return count;
  }
  Result<void> write(std::uint64_t, std::string_view) override { return {}; }
  Result<void> sync() override { return {}; }
  void begin_writeback(std::uint64_t, std::uint64_t) override {}
  void keep_in_place() override {}
  Result<void> truncate(std::uint64_t) override { return {}; }
  Result<std::uint64_t> size() const override { return ends_.back(); }
  FileIdentity identity() const override { return {}; }
  [[nodiscard]] std::size_t largest_read() const { return largest_read_; }
  /// The most memory that was in use at any read.
  [[nodiscard]] std::size_t memory_peak() const { return memory_peak_; }

 private:
  std::vector<std::uint64_t> ends_;
  mutable std::size_t largest_read_ = 0;
  mutable std::size_t memory_peak_ = 0;
};

TEST(LineScanner, LineOverTheMaximumIsPassedOverAndTheNextOneIsWhole) {
  const std::uint64_t longer = line_bytes_max + 3 * block_bytes;
  const EndlessLines file({5, longer, 7});
  const auto lines = scan(file);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], (Line{"xxxx", 1, 0, 5, true}));
  EXPECT_EQ(lines[1], (Line{"", 2, 5, longer, true, true}));
  EXPECT_EQ(lines[2], (Line{"xxxxxx", 3, 5 + longer, 7, true}));
}

TEST(LineScanner, EndlessLineCostsMemoryForTheMaximumNotForItself) {
  // Method: the file makes its bytes, and looks at the heap at every read (a sanitizer's heap says
  // nothing). A buffer that grows by doubling may be twice as large as what it holds.
  const EndlessLines file({5 * line_bytes_max, 3});
  const auto lines = scan(file);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].too_long);
  EXPECT_EQ(lines[1].text, "xx");
  EXPECT_LE(file.largest_read(), block_bytes);
  EXPECT_LT(file.memory_peak(), 7 * line_bytes_max / 2);
}

TEST(LineScanner, LineOfExactlyTheMaximumIsKept) {
  const EndlessLines file({line_bytes_max + 1, 3});
  const auto lines = scan(file);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_FALSE(lines[0].too_long);
  EXPECT_EQ(lines[0].text.size(), line_bytes_max);
}

}  // namespace
}  // namespace worker_runtime::fs_store
