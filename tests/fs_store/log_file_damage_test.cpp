// Damaged logs: a page ends before the damage, names it, and tells where reading goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "log_file.h"
#include "support/domain.h"
#include "support/fs_store/faulty_file_system.h"
#include "support/fs_store/line_log.h"
#include "support/fs_store/memory_file.h"
#include "support/random.h"

namespace worker_runtime::fs_store {
namespace {

struct GoodPage {
  std::vector<std::uint64_t> numbers;
  std::vector<std::string> lines;
  std::optional<LineDamage> damage;
};

GoodPage read_good_page(const std::string& bytes, const Extent& extent, std::uint64_t start,
                        Direction direction, std::uint64_t count = UINT64_MAX) {
  const MemoryFile file(bytes);
  GoodPage page;
  auto damage = visit_lines(file, extent, {"id", start, direction, 256},
                            [&](std::uint64_t number, std::string_view line) {
                              page.numbers.push_back(number);
                              page.lines.emplace_back(line);
                              return page.numbers.size() < count;
                            });
  EXPECT_TRUE(testing::is_ok(damage));
  if (damage) page.damage = *damage;
  return page;
}

std::vector<std::uint64_t> numbers(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t at = from; from <= to && at <= to; ++at) numbers.push_back(at);
  for (std::uint64_t at = from; from > to && at >= to; --at) numbers.push_back(at);
  return numbers;
}

/// Every page of the file ends before the first bad line in its way and tells the next good one.
void expect_pages_around(const std::string& bytes, const LineLog& log, const Extent& extent,
                         const std::set<std::uint64_t>& bad) {
  for (std::uint64_t start = log.first; start <= log.last(); ++start) {
    for (const Direction direction : {up, down}) {
      SCOPED_TRACE((direction == up ? "up from " : "down from ") + std::to_string(start));
      const GoodPage page = read_good_page(bytes, extent, start, direction);
      std::uint64_t at = start;
      std::uint64_t shown = 0;
      const auto is_inside = [&] { return at >= log.first && at <= log.last(); };
      const auto step = [&] { direction == up ? ++at : --at; };
      for (; is_inside() && !bad.contains(at); step()) {
        ASSERT_LT(shown, page.numbers.size());
        ASSERT_EQ(page.numbers[shown], at);
        ASSERT_EQ(page.lines[shown++] + "\n", log.line(at));
      }
      ASSERT_EQ(page.numbers.size(), shown);
      ASSERT_EQ(page.damage.has_value(), is_inside());
      if (!page.damage) continue;
      EXPECT_EQ(page.damage->number, at);
      EXPECT_EQ(page.damage->line, at - log.first + 1);
      while (is_inside() && bad.contains(at)) step();
      EXPECT_EQ(page.damage->next_readable,
                is_inside() ? std::optional<std::uint64_t>(at) : std::nullopt);
    }
  }
}

// ---- one damage, everywhere

TEST(LogFileDamage, FlippedByteCostsItsLineAlone) {
  const LineLog log = log_of(40, 90, 500);
  for (std::uint64_t bad = log.first; bad <= log.last(); ++bad) {
    SCOPED_TRACE("damaged: " + std::to_string(bad));
    std::string bytes = log.bytes();
    bytes[log.offset(bad) + 60] ^= 0x04;
    expect_pages_around(bytes, log, log.extent(), {bad});
    EXPECT_EQ(read_good_page(bytes, log.extent(), bad, up).damage->offset, log.offset(bad));
    EXPECT_EQ(read_good_page(bytes, log.extent(), bad, down).damage->offset, log.offset(bad));
  }
}

TEST(LogFileDamage, FlippedByteAmongManyLinesCostsItsLineAlone) {
  const LineLog log = log_of(5'000, 200);
  for (const std::uint64_t bad : std::vector<std::uint64_t>{2, 1'234, 2'500, 4'999}) {
    std::string bytes = log.bytes();
    bytes[log.offset(bad) + 100] ^= 0x01;
    const GoodPage below = read_good_page(bytes, log.extent(), bad - 1, up);
    EXPECT_EQ(below.numbers, numbers(bad - 1, bad - 1));
    EXPECT_EQ(below.damage->next_readable, bad + 1);
    const GoodPage on = read_good_page(bytes, log.extent(), bad, up);
    EXPECT_TRUE(on.numbers.empty());
    EXPECT_EQ(on.damage->offset, log.offset(bad));
    EXPECT_EQ(on.damage->next_readable, bad + 1);
    EXPECT_EQ(read_good_page(bytes, log.extent(), bad, down).damage->next_readable, bad - 1);
    EXPECT_EQ(read_good_page(bytes, log.extent(), bad + 1, up).numbers, numbers(bad + 1, 5'000));
    EXPECT_EQ(read_good_page(bytes, log.extent(), bad - 1, down).numbers, numbers(bad - 1, 1));
  }
}

TEST(LogFileDamage, NumberThatLiesMisleadsNoSearchForAnother) {
  // The first digit of the number becomes another one: bisection by numbers alone goes astray.
  const LineLog log = log_of(60, 90, 100);
  for (std::uint64_t bad = log.first; bad <= log.last(); ++bad) {
    for (const char digit : {'0', '9'}) {
      SCOPED_TRACE("damaged: " + std::to_string(bad) + " with " + digit);
      std::string bytes = log.bytes();
      char& place = bytes[log.offset(bad) + line_head_bytes + std::string("\"id\":").size() + 1];
      if (place == digit) continue;
      place = digit;
      expect_pages_around(bytes, log, log.extent(), {bad});
    }
  }
}

TEST(LogFileDamage, LostNewlineCostsTheTwoLinesThatItJoins) {
  const LineLog log = log_of(40, 90);
  for (std::uint64_t bad = log.first; bad < log.last(); ++bad) {
    SCOPED_TRACE("joined: " + std::to_string(bad));
    std::string bytes = log.bytes();
    bytes[log.offset(bad + 1) - 1] = ' ';
    expect_pages_around(bytes, log, log.extent(), {bad, bad + 1});
  }
}

TEST(LogFileDamage, NewlineInsideALineCostsThatLineAlone) {
  const LineLog log = log_of(40, 90);
  for (std::uint64_t bad = log.first; bad <= log.last(); ++bad) {
    SCOPED_TRACE("split: " + std::to_string(bad));
    std::string bytes = log.bytes();
    bytes[log.offset(bad) + 50] = '\n';
    expect_pages_around(bytes, log, log.extent(), {bad});
  }
}

TEST(LogFileDamage, StretchOfNulsCostsTheLinesUnderIt) {
  const LineLog log = log_of(200, 300);
  std::string bytes = log.bytes();
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(log.offset(50) + 10),
            bytes.begin() + static_cast<std::ptrdiff_t>(log.offset(120) + 10), '\0');
  const GoodPage on = read_good_page(bytes, log.extent(), 80, up);
  EXPECT_TRUE(on.numbers.empty());
  EXPECT_EQ(on.damage->next_readable, 121U);
  EXPECT_EQ(read_good_page(bytes, log.extent(), 80, down).damage->next_readable, 49U);
  EXPECT_EQ(read_good_page(bytes, log.extent(), 1, up).numbers, numbers(1, 49));
  EXPECT_EQ(read_good_page(bytes, log.extent(), 200, down).numbers, numbers(200, 121));
  EXPECT_EQ(read_good_page(bytes, log.extent(), 130, up).numbers, numbers(130, 200));
}

TEST(LogFileDamage, MissingLineIsNamedAndTheRestIsRead) {
  const LineLog log = log_of(40, 90);
  for (std::uint64_t bad = log.first; bad <= log.last(); ++bad) {
    SCOPED_TRACE("missing: " + std::to_string(bad));
    std::string bytes = log.bytes();
    bytes.erase(log.offset(bad), log.line(bad).size());
    expect_pages_around(bytes, log, {1, 40, bytes.size()}, {bad});
  }
}

TEST(LogFileDamage, ShortFileIsDamageFromTheFirstLostLineOn) {
  const LineLog log = log_of(40, 90);
  const std::string bytes = log.bytes().substr(0, log.offset(31) + 20);
  const GoodPage page = read_good_page(bytes, log.extent(), 1, up);
  EXPECT_EQ(page.numbers, numbers(1, 30));
  EXPECT_EQ(page.damage->number, 31U);
  EXPECT_FALSE(page.damage->next_readable);
  EXPECT_EQ(read_good_page(bytes, log.extent(), 35, down).damage->next_readable, 30U);
  EXPECT_EQ(read_good_page(bytes, log.extent(), 40, down).damage->next_readable, 30U);
  EXPECT_EQ(read_good_page(bytes, log.extent(), 20, up, 5).numbers, numbers(20, 24));
  EXPECT_EQ(read_good_page("", log.extent(), 7, up).damage->number, 7U);
  EXPECT_EQ(read_good_page("", log.extent(), 40, down).damage->number, 40U);
}

TEST(LogFileDamage, DoubledLineEndsThePageBehindItsFirstCopy) {
  const LineLog log = log_of(40, 90);
  std::string bytes = log.bytes();
  bytes.insert(log.offset(20), log.line(20));
  const Extent extent{1, 40, bytes.size()};
  const GoodPage below = read_good_page(bytes, extent, 15, up);
  EXPECT_EQ(below.numbers, numbers(15, 20));
  EXPECT_EQ(below.damage->number, 21U);
  EXPECT_EQ(below.damage->next_readable, 21U);
  EXPECT_EQ(read_good_page(bytes, extent, 21, up).numbers, numbers(21, 40));
  const GoodPage above = read_good_page(bytes, extent, 40, down);
  EXPECT_EQ(above.numbers, numbers(40, 20));
  EXPECT_EQ(above.damage->number, 19U);
  EXPECT_EQ(read_good_page(bytes, extent, 19, down).numbers, numbers(19, 1));
}

TEST(LogFileDamage, LineOfAnotherLogIsNoLineOfThisOne) {
  // A whole, checked line under the right number, but of a transcript.
  const LineLog log = log_of(40, 90);
  std::string bytes = log.bytes();
  const std::string foreign = numbered_line("sequence", 20, 90);
  bytes.replace(log.offset(20), log.line(20).size(), foreign);
  expect_pages_around(bytes, log, {1, 40, bytes.size()}, {20});
}

// ---- any damage

/// Follows next_readable through the whole log. Whatever the damage: it ends, goes one way, and
/// shows nothing but genuine lines.
std::set<std::uint64_t> walk(const std::string& bytes, const LineLog& log, Direction direction) {
  const Extent extent{log.first, log.last(), bytes.size()};
  std::set<std::uint64_t> shown;
  std::uint64_t at = direction == up ? log.first : log.last();
  for (std::size_t pages = 0; pages <= 2 * log.lines.size() + 2; ++pages) {
    const GoodPage page = read_good_page(bytes, extent, at, direction);
    for (std::size_t line = 0; line < page.numbers.size(); ++line) {
      const std::uint64_t number = page.numbers[line];
      EXPECT_EQ(page.lines[line] + "\n", log.line(number));
      EXPECT_TRUE(shown.insert(number).second) << number << " was shown twice";
    }
    if (!page.damage || !page.damage->next_readable) return shown;
    const std::uint64_t next = *page.damage->next_readable;
    const bool is_onward = direction == up ? next >= at : next <= at;
    EXPECT_TRUE(is_onward) << next << " after " << at;
    at = next;
  }
  ADD_FAILURE() << "the walk did not end";
  return shown;
}

LineLog random_log(testing::Random& random) {
  LineLog log(random.one_in(2) ? 1 : 1 + random.below(1'000'000));
  const std::uint64_t count = 1 + random.below(300);
  for (std::uint64_t at = 0; at < count; ++at)
    log.add(random.one_in(20) ? random.below(40'000) : 50 + random.below(200));
  return log;
}

TEST(LogFileDamage, EveryGoodLineIsReachedAroundRandomFlips) {
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 45);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  for (int round = 0; round < 60; ++round) {
    const LineLog log = random_log(random);
    std::string bytes = log.bytes();
    std::set<std::uint64_t> good;
    for (std::uint64_t at = log.first; at <= log.last(); ++at) good.insert(at);
    for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
      const std::uint64_t bad = log.first + random.below(log.lines.size());
      if (good.erase(bad) == 0) continue;
      // Any byte but the newline, which would take the next line along.
      char& place = bytes[log.offset(bad) + random.below(log.line(bad).size() - 1)];
      const char before = place;
      do {
        place = static_cast<char>(random.below(256));
      } while (place == before);
    }
    ASSERT_EQ(walk(bytes, log, up), good) << "round " << round;
    ASSERT_EQ(walk(bytes, log, down), good) << "round " << round;
  }
}

TEST(LogFileDamage, WalkEndsAndShowsGenuineLinesOnlyWhateverTheDamage) {
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 46);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  for (int round = 0; round < 100; ++round) {
    const LineLog log = random_log(random);
    std::vector<std::string> lines = log.lines;
    for (std::uint64_t damages = 1 + random.below(3); damages > 0; --damages) {
      const std::size_t one = random.below(lines.size());
      const std::size_t other = random.below(lines.size());
      switch (random.below(5)) {
        case 0:
          std::swap(lines[one], lines[other]);
          break;
        case 1:
          lines[one] = lines[other];
          break;
        case 2:
          lines[one].insert(random.below(lines[one].size()), random.below(20'000), '\0');
          break;
        case 3:
          lines[one].clear();
          break;
        default:
          lines[one] += lines[other].substr(0, random.below(lines[other].size()));
      }
    }
    std::string bytes;
    for (const std::string& line : lines) bytes += line;
    SCOPED_TRACE("round " + std::to_string(round));
    walk(bytes, log, up);
    walk(bytes, log, down);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(LogFileDamage, ReadThatFailsIsNeverTakenForDamage) {
  const LineLog log = log_of(2'000, 120);
  for (const Direction direction : {up, down}) {
    std::uint64_t reads = 0;
    for (std::uint64_t nth = 1;; ++nth) {
      FileFaults faults;
      const auto file = make_faulty_file(std::make_unique<MemoryFile>(log.bytes()), "log", faults);
      faults.plan({CallKind::read, nth});
      const auto damage = visit_lines(
          *file, log.extent(), {"id", 1'000, direction, 256},
          [](std::uint64_t number, std::string_view) { return number != 800 && number != 1'200; });
      if (faults.failures() == 0) break;
      ++reads;
      ASSERT_TRUE(testing::fails_with(damage, ErrorCode::store_io)) << "read " << nth;
    }
    EXPECT_GE(reads, 2U);
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
