// Pages of an event log of a gigabyte: how little of it they read.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "checked_line.h"
#include "codec.h"
#include "log_file.h"
#include "support/fs_store/files_fixture.h"
#include "support/random.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::uint64_t log_bytes = 1'000'000'000;
constexpr std::uint64_t page_lines = 256;
constexpr Direction up = Direction::oldest_first;
constexpr Direction down = Direction::newest_first;

class LogFileSlow : public FilesTest {
 protected:
  /// Writes whole events until the file has `log_bytes`.
  void SetUp() override {
    auto file = files().open("events.jsonl", OpenMode::create_new).value();
    testing::Random random(47);
    Event event;
    event.kind = EventKind::worker_input_accepted;
    std::string block;
    std::string object;
    while (extent_.bytes + block.size() < log_bytes) {
      event.id = EventId{++extent_.last};
      event.at = Timestamp{testing::ManualClock::start + static_cast<std::int64_t>(extent_.last)};
      event.worker_ref = {testing::runtime_id("main"),
                          testing::worker_id("worker-" + std::to_string(random.below(1000)))};
      event.message.assign(random.below(400), 'm');
      event.sequence = Sequence{1 + random.below(100'000)};
      object.clear();
      encode(object, event, event.worker_ref->runtime_id);
      append_checked_line(block, object);
      if (block.size() >= (std::size_t{8} << 20U)) flush(*file, block);
    }
    flush(*file, block);
    ASSERT_EQ(file->size().value(), extent_.bytes);
  }
  void flush(File& file, std::string& block) {
    ASSERT_TRUE(testing::is_ok(file.write(extent_.bytes, block)));
    extent_.bytes += block.size();
    block.clear();
  }

  /// Reads a page on a handle of its own, as a store does, and checks what it holds and costs.
  void expect_cheap_page(std::uint64_t start, Direction direction, std::uint64_t count) {
    SCOPED_TRACE("from " + std::to_string(start) + (direction == up ? " up" : " down"));
    const auto file = files().open("events.jsonl", OpenMode::read).value();
    faults().reset_counts();
    std::uint64_t shown = 0;
    std::uint64_t own_bytes = 0;
    const auto damage =
        visit_lines(*file, extent_, {"id", start, direction, page_lines},
                    [&](std::uint64_t number, std::string_view line) {
                      EXPECT_EQ(number, direction == up ? start + shown : start - shown);
                      own_bytes += line.size() + 1;
                      return ++shown < page_lines;
                    });
    ASSERT_TRUE(testing::is_ok(damage));
    EXPECT_FALSE(*damage);
    EXPECT_EQ(shown, count);
    // A search halves 10^9 bytes down to 8 KiB in 17 steps; interpolation takes a few of them.
    // Each reads less than 16 KiB; and the page is read once, with at most as much beside it.
    EXPECT_LE(faults().count(CallKind::read), 2U * 17 + 4);
    EXPECT_LE(faults().bytes_read(), 2 * own_bytes + std::uint64_t{20} * 16'384);
    EXPECT_LT(faults().bytes_read(), 1U << 20U);
  }

  Extent extent_;
};

TEST_F(LogFileSlow, PageOfAGigabyteReadsLessThanAMebibyte) {
  const std::uint64_t last = extent_.last;
  ASSERT_GE(extent_.bytes, log_bytes);
  {
    SCOPED_TRACE("at the end");
    expect_cheap_page(last, down, page_lines);
    expect_cheap_page(last - page_lines + 1, up, page_lines);
    expect_cheap_page(last, up, 1);
  }
  {
    SCOPED_TRACE("in the middle");
    expect_cheap_page(last / 2, up, page_lines);
    expect_cheap_page(last / 2, down, page_lines);
  }
  {
    SCOPED_TRACE("at the start");
    expect_cheap_page(1, up, page_lines);
    expect_cheap_page(2, up, page_lines);
    expect_cheap_page(1, down, 1);
  }
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 48);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  for (int page = 0; page < 200; ++page) {
    const std::uint64_t start = page_lines + random.below(last - 2 * page_lines);
    expect_cheap_page(start, random.one_in(2) ? up : down, page_lines);
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
