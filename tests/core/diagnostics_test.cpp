// The bounded log of diagnostics.
#include <gtest/gtest.h>

#include "core_fixture.h"
#include "worker_runtime/store.h"

namespace worker_runtime {
namespace {

using testing::ref;

TEST(DiagnosticLogTest, NewestOfEachSeverityAreKeptAndAllCounted) {
  DiagnosticLog log(3);
  log.raise({1}, Severity::error, "bad", "first");
  for (int count = 0; count < 10; ++count) log.raise({2}, Severity::info, "note", "more");
  EXPECT_EQ(log.total(), 11U);
  const auto kept = log.read(0, 100);
  ASSERT_EQ(kept.size(), 4U);
  EXPECT_EQ(kept[0].code, "bad");
  EXPECT_EQ(kept[0].id, 1U);
  EXPECT_EQ(kept[1].id, 9U);
  EXPECT_EQ(kept[3].id, 11U);
  EXPECT_EQ(log.read(9, 1).front().id, 10U);
  EXPECT_TRUE(log.read(11, 10).empty());
}

TEST(DiagnosticLogTest, ALastingConditionIsRaisedOnceUntilItIsCleared) {
  DiagnosticLog log;
  log.raise_once({1}, Severity::error, "worker.damaged", "a", ref("a"));
  log.raise_once({2}, Severity::error, "worker.damaged", "a again", ref("a"));
  log.raise_once({3}, Severity::error, "worker.damaged", "b", ref("b"));
  log.raise_once({3}, Severity::error, "store.full", "full");
  EXPECT_EQ(log.total(), 3U);
  log.clear("worker.damaged", ref("b"));
  log.raise_once({4}, Severity::error, "worker.damaged", "a", ref("a"));
  EXPECT_EQ(log.total(), 3U);
  log.raise_once({4}, Severity::error, "worker.damaged", "b", ref("b"));
  EXPECT_EQ(log.total(), 4U);
}

TEST(DiagnosticLogTest, SnapshotIsPutBackAsItWas) {
  DiagnosticLog log;
  log.raise({1}, Severity::info, "a", "a");
  log.raise({2}, Severity::warning, "b", "b", ref("w"));
  DiagnosticLog other;
  other.restore(log.snapshot(), 7);
  EXPECT_EQ(other.snapshot(), log.snapshot());
  EXPECT_EQ(other.total(), 7U);
  other.raise({3}, Severity::info, "c", "c");
  EXPECT_EQ(other.read(2, 10).front().id, 8U);
}

TEST(DiagnosticLogTest, AnyBoundIsSafe) {
  for (const std::uint64_t bound : {std::uint64_t{1}, std::uint64_t{1} << 63U, UINT64_MAX}) {
    DiagnosticLog log(bound);
    for (int count = 0; count < 5; ++count) log.raise({1}, Severity::info, "a", "a");
    EXPECT_EQ(log.read(0, 10).size(), bound == 1 ? 1U : 5U);
  }
}

TEST(DiagnosticLogTest, TheLogIsToldWhatIsRaisedAndWhatIsOver) {
  std::vector<std::string> lines;
  DiagnosticLog log;
  log.raise({1}, Severity::info, "note", "nobody is told");
  log.set_log([&](LogLevel level, std::string_view line) {
    lines.push_back(std::string(to_string(level)) + " " + std::string(line));
    // The diagnostics may be read meanwhile.
    EXPECT_GT(log.total(), 0U);
  });
  log.raise({1}, Severity::info, "note", "a");
  log.raise({1}, Severity::warning, "worker.view_renewed", "b", ref("w"));
  log.raise_once({1}, Severity::error, "store.full", "c");
  log.raise_once({1}, Severity::error, "store.full", "c again");
  log.clear("store.full");
  log.clear("store.full");
  log.tell(LogLevel::debug, "d");
  const std::vector<std::string> expected{
      "info note: a", "warning worker.view_renewed of worker w: b", "error store.full: c",
      "info store.full: over", "debug d"};
  EXPECT_EQ(lines, expected);
  EXPECT_EQ(log.total(), 4U);
}

}  // namespace
}  // namespace worker_runtime
