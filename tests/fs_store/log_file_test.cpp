// Pages of a log by bisection: what they hold, and how little of the file they read.
#include "log_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <string>
#include <vector>

#include "support/domain.h"
#include "support/fs_store/faulty_file_system.h"
#include "support/fs_store/line_log.h"
#include "support/fs_store/memory_file.h"
#include "support/random.h"

namespace worker_runtime::fs_store {
namespace {

using Numbers = std::vector<std::uint64_t>;
struct Page {
  std::vector<std::uint64_t> numbers;
  std::vector<std::string> lines;
  std::optional<LineDamage> damage;
  std::uint64_t reads = 0;
  std::uint64_t bytes_read = 0;
};

Page read_page(const std::string& bytes, const Extent& extent, std::uint64_t start,
               Direction direction, std::uint64_t count) {
  FileFaults counts;
  const auto file = make_faulty_file(std::make_unique<MemoryFile>(bytes), "log", counts);
  Page page;
  auto damage = visit_lines(*file, extent, {"id", start, direction, count},
                            [&](std::uint64_t number, std::string_view line) {
                              page.numbers.push_back(number);
                              page.lines.emplace_back(line);
                              return page.numbers.size() < count;
                            });
  EXPECT_TRUE(testing::is_ok(damage));
  if (damage) page.damage = *damage;
  page.reads = counts.count(CallKind::read);
  page.bytes_read = counts.bytes_read();
  return page;
}

Page read_page(const LineLog& log, std::uint64_t start, Direction direction, std::uint64_t count) {
  return read_page(log.bytes(), log.extent(), start, direction, count);
}

/// The page is what the model says: dense numbers, exactly the lines, no damage.
::testing::AssertionResult is_page_of(const Page& page, const LineLog& log, std::uint64_t start,
                                      Direction direction, std::uint64_t count) {
  const std::uint64_t there = direction == up ? log.last() - start + 1 : start - log.first + 1;
  if (page.damage) return ::testing::AssertionFailure() << "damage at " << page.damage->number;
  if (page.numbers.size() != std::min(count, there))
    return ::testing::AssertionFailure() << page.numbers.size() << " lines";
  for (std::uint64_t at = 0; at < page.numbers.size(); ++at) {
    const std::uint64_t number = direction == up ? start + at : start - at;
    if (page.numbers[at] != number)
      return ::testing::AssertionFailure() << page.numbers[at] << " instead of " << number;
    if (page.lines[at] + "\n" != log.line(number))
      return ::testing::AssertionFailure() << "other text at " << number;
  }
  return ::testing::AssertionSuccess();
}

enum class Sizes : std::uint8_t { small, growing, mixed, one_giant };

LineLog random_log(testing::Random& random, Sizes sizes, std::uint64_t count) {
  LineLog log(random.one_in(2) ? 1 : 1 + random.below(1'000'000'000));
  const std::uint64_t giant = random.below(count);
  for (std::uint64_t at = 0; at < count; ++at) {
    std::uint64_t bytes = 50 + random.below(300);
    if (sizes == Sizes::growing) bytes = 50 + at * 3;
    if (sizes == Sizes::mixed && random.one_in(15)) bytes = random.below(100'000);
    if (sizes == Sizes::one_giant && at == giant) bytes = 3'000'000 + random.below(1'000'000);
    log.add(bytes);
  }
  return log;
}

// ---- what a page holds

TEST(LogFile, PageBeginsAtAnyNumberAndGoesEitherWay) {
  const LineLog log = log_of(300, 120, 1000);
  for (std::uint64_t start = log.first; start <= log.last(); ++start) {
    for (const Direction direction : {up, down}) {
      for (const std::uint64_t count : Numbers{1, 7, 1000}) {
        ASSERT_TRUE(
            is_page_of(read_page(log, start, direction, count), log, start, direction, count))
            << start << " " << count;
      }
    }
  }
}

TEST(LogFile, StartOutsideTheExtentIsAnEmptyPageWithoutARead) {
  const LineLog log = log_of(5, 60, 10);
  for (const std::uint64_t start : Numbers{0, 9, 15, 1000}) {
    for (const Direction direction : {up, down}) {
      const Page page = read_page(log, start, direction, 3);
      EXPECT_TRUE(page.numbers.empty());
      EXPECT_FALSE(page.damage);
      EXPECT_EQ(page.reads, 0U);
    }
  }
  EXPECT_TRUE(read_page("", {1, 0, 0}, 1, up, 3).numbers.empty());
}

TEST(LogFile, WhatLiesBehindTheExtentIsNotShown) {
  const LineLog log = log_of(20, 80);
  const Extent shorter{1, 12, log.offset(13)};
  EXPECT_EQ(read_page(log.bytes(), shorter, 10, up, 100).numbers, (Numbers{10, 11, 12}));
  EXPECT_EQ(read_page(log.bytes(), shorter, 12, down, 2).numbers, (Numbers{12, 11}));
  EXPECT_TRUE(read_page(log.bytes(), shorter, 13, down, 2).numbers.empty());
}

class LogFileRandom : public ::testing::TestWithParam<Sizes> {};

TEST_P(LogFileRandom, PagesAreThoseOfTheModel) {
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 44);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  for (int round = 0; round < 12; ++round) {
    const LineLog log = random_log(random, GetParam(), 1 + random.below(600));
    const std::string bytes = log.bytes();
    const Extent extent = log.extent();
    for (int page = 0; page < 12; ++page) {
      const std::uint64_t start = log.first + random.below(log.lines.size());
      const Direction direction = random.one_in(2) ? up : down;
      const std::uint64_t count = 1 + random.below(random.one_in(2) ? 5 : 300);
      ASSERT_TRUE(is_page_of(read_page(bytes, extent, start, direction, count), log, start,
                             direction, count))
          << "round " << round << ", from " << start << ", " << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, LogFileRandom,
                         ::testing::Values(Sizes::small, Sizes::growing, Sizes::mixed,
                                           Sizes::one_giant));

// ---- what a page costs

/// Reads that a search may take: two for each halving down to a probe, and a few for the page.
std::uint64_t reads_max(const Extent& extent) {
  return 2 * std::bit_width(extent.bytes / 8192) + 6;
}

TEST(LogFileCost, ReadsGrowWithTheLogarithmOfTheFile) {
  for (const std::uint64_t count : Numbers{1'000, 10'000, 100'000}) {
    const LineLog log = log_of(count, 150);
    const std::string bytes = log.bytes();
    const Extent extent = log.extent();
    testing::Random random(count);
    for (int page = 0; page < 25; ++page) {
      const std::uint64_t start = 1 + random.below(count);
      for (const Direction direction : {up, down}) {
        const Page seen = read_page(bytes, extent, start, direction, 1);
        ASSERT_LE(seen.reads, reads_max(extent)) << count << " lines, from " << start;
      }
    }
  }
}

TEST(LogFileCost, LinesOfEvenSizeAreFoundInAFewReads) {
  const LineLog log = log_of(100'000, 150);
  const std::string bytes = log.bytes();
  const Extent extent = log.extent();
  for (const std::uint64_t start : Numbers{2, 777, 31'337, 50'000, 99'999}) {
    const Page page = read_page(bytes, extent, start, up, 1);
    EXPECT_LE(page.reads, 6U) << start;
    EXPECT_LE(page.bytes_read, 6U * 16'384) << start;
  }
}

TEST(LogFileCost, PageReadsItsOwnBytesOnceAndLittleMore) {
  const LineLog log = log_of(20'000, 150);
  const std::string bytes = log.bytes();
  const Extent extent = log.extent();
  const std::uint64_t own = std::uint64_t{256} * 150;
  for (const std::uint64_t start : Numbers{1, 5'000, 19'744}) {
    const Page page = read_page(bytes, extent, start, up, 256);
    ASSERT_EQ(page.numbers.size(), 256U);
    EXPECT_LE(page.bytes_read, 2 * own + reads_max(extent) * 16'384 / 2) << start;
    EXPECT_LE(page.reads, reads_max(extent)) << start;
  }
  for (const std::uint64_t start : Numbers{20'000, 10'000, 256}) {
    const Page page = read_page(bytes, extent, start, down, 256);
    ASSERT_EQ(page.numbers.size(), 256U);
    EXPECT_LE(page.bytes_read, 2 * own + reads_max(extent) * 16'384 / 2) << start;
    EXPECT_LE(page.reads, reads_max(extent)) << start;
  }
  EXPECT_LE(read_page(bytes, extent, 20'000, down, 256).reads, 2U) << "no search at the end";
  EXPECT_LE(read_page(bytes, extent, 1, up, 256).reads, 2U) << "no search at the start";
}

TEST(LogFileCost, LongPageReadsItsBytesAboutOnce) {
  const LineLog log = log_of(20'000, 150);
  for (const Direction direction : {up, down}) {
    const Page page = read_page(log, direction == up ? 1 : 20'000, direction, 20'000);
    ASSERT_EQ(page.numbers.size(), 20'000U);
    EXPECT_LE(page.bytes_read, log.extent().bytes * 5 / 4);
  }
}

TEST(LogFileCost, UnevenSizesStayWithinTheLogarithm) {
  // Interpolation alone would creep here: nearly all bytes lie in the last lines.
  LineLog log = log_of(20'000, 60);
  for (int line = 0; line < 40; ++line) log.add(100'000);
  const std::string bytes = log.bytes();
  const Extent extent = log.extent();
  for (const std::uint64_t start : Numbers{2, 3'000, 10'000, 19'990, 20'001, 20'020, 20'039}) {
    const Page page = read_page(bytes, extent, start, up, 1);
    ASSERT_TRUE(is_page_of(page, log, start, up, 1));
    EXPECT_LE(page.reads, 3 * reads_max(extent)) << start;
  }
}

TEST(LogFileCost, GiantLineIsReadAFewTimesAtMostByASearchBesideIt) {
  LineLog log = log_of(2'000, 100);
  constexpr std::uint64_t giant = 16'000'000;
  log.add(giant);
  for (int line = 0; line < 2'000; ++line) log.add(100);
  const std::string bytes = log.bytes();
  const Extent extent = log.extent();
  for (const std::uint64_t start : Numbers{2, 1'000, 1'999, 2'000, 2'002, 2'003, 3'000, 4'000}) {
    for (const Direction direction : {up, down}) {
      const Page page = read_page(bytes, extent, start, direction, 1);
      ASSERT_TRUE(is_page_of(page, log, start, direction, 1));
      EXPECT_LE(page.bytes_read, 3 * giant) << start;
      EXPECT_LE(page.reads, 2 * reads_max(extent) + 3 * giant / (256 << 10U)) << start;
    }
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
