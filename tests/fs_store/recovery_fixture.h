// Stores as crashes leave them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "store_fixture.h"

namespace worker_runtime::testing {

class RecoveryFixture : public StoreFixture {
 protected:
  /// Where the filler of a segment begins.
  [[nodiscard]] static std::size_t records_end(const std::string& segment) {
    return segment.find_last_not_of('\n') + 2;
  }
  /// Puts bytes behind the last record, over the filler.
  void put_behind_records(std::string_view bytes) {
    std::string segment = read(last_segment());
    const std::size_t end = records_end(segment);
    ASSERT_LT(end + bytes.size(), segment.size());
    segment.replace(end, bytes.size(), bytes);
    write(last_segment(), segment);
  }
  /// Makes filler of the last record.
  void lose_last_record() {
    std::string segment = read(last_segment());
    const std::size_t end = records_end(segment) - 1;
    const std::size_t begin = segment.rfind('\n', end - 1) + 1;
    segment.replace(begin, end - begin, end - begin, '\n');
    write(last_segment(), segment);
  }
  /// A Worker with three inputs whose lines are in the readable files, behind the last checkpoint.
  void crash_with_extended_logs() {
    options_.extend_interval = std::chrono::milliseconds(0);
    open();
    create("w");
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    send("w", 3);
    const auto has_lines = [this](std::string_view log, std::ptrdiff_t count) {
      const std::string file = exists(log) ? read(log) : std::string();
      return std::count(file.begin(), file.end(), '\n') == count;
    };
    ASSERT_TRUE(eventually([&] {
      return has_lines("workers/w/transcript.jsonl", 3) && has_lines("events.jsonl", 5);
    }));
    drop();
    options_.extend_interval = std::chrono::hours(1);
  }
  void expect_three_inputs() {
    const auto entries = all_entries(runtime(), "w");
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[2].content, "w 3");
    EXPECT_EQ(all_events(runtime()).size(), 5U);
  }
  [[nodiscard]] std::string recovered() { return health().recovered.value_or(""); }
};

}  // namespace worker_runtime::testing
