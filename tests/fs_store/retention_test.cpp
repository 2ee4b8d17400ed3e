// What a retention policy lets go, what it would free, and what stops it.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "store_fixture.h"
#include "worker_runtime/fs_store/retention.h"

namespace worker_runtime::fs_store {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::fails_with;
using testing::input;
using testing::is_ok;

constexpr std::int64_t hour = 3'600'000'000;

class Retention : public testing::StoreFixture {
 protected:
  Retention() { options_.log_part_bytes = 1000; }

  /// Workers a and b, an input each every hour for 20 hours, and c, which ended at the start.
  void make_history() {
    RuntimeOptions options;
    options.clock = clock_.clock();
    open(options);
    for (const char* const id : {"a", "b", "c"}) create(id);
    send("c", 1);
    ASSERT_TRUE(is_ok(runtime().stop_worker({ref("c"), std::nullopt})));
    for (std::uint64_t round = 1; round <= 20; ++round) {
      clock_.advance(hour);
      send("a", 1, round);
      send("b", 1, round);
      ASSERT_TRUE(is_ok(runtime().checkpoint()));
    }
  }
  [[nodiscard]] Result<RetentionPlan> plan(const RetentionPolicy& policy,
                                           bool trust_clock = false) const {
    RetentionOptions options;
    options.root = options_.root;
    options.policy = policy;
    options.now = clock_.now();
    options.trust_clock = trust_clock;
    return plan_retention(options);
  }
  void apply(const RetentionPlan& plan) {
    for (const RetentionItem& item : plan.items)
      EXPECT_TRUE(is_ok(runtime().batch({item.operation})));
    EXPECT_TRUE(is_ok(runtime().checkpoint()));
  }
  /// Bytes of all files of logs.
  [[nodiscard]] std::uint64_t log_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(""))) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("events.") || name.starts_with("transcript."))
        bytes += entry.file_size();
    }
    return bytes;
  }

  testing::ManualClock clock_;
};

TEST_F(Retention, WithoutBoundsNothingGoes) {
  make_history();
  const auto planned = plan({});
  ASSERT_TRUE(is_ok(planned));
  EXPECT_TRUE(planned->items.empty());
  EXPECT_EQ(planned->bytes(), 0U);
}

TEST_F(Retention, ByAgeWhatIsOlderGoesAndNothingElse) {
  make_history();
  RetentionPolicy policy;
  policy.max_age = hours(5);  // the last six rounds are no older
  const auto planned = plan(policy);
  ASSERT_TRUE(is_ok(planned));
  ASSERT_EQ(planned->items.size(), 4U);
  EXPECT_EQ(std::get<TrimEvents>(planned->items[0].operation).before, EventId{6 + 2 * 14 + 1});
  EXPECT_EQ(planned->items[0].items, 6U + 2 * 14);
  const auto& of_a = std::get<TrimTranscript>(planned->items[1].operation);
  EXPECT_EQ(of_a.worker_ref, ref("a"));
  EXPECT_EQ(of_a.before, Sequence{15});
  EXPECT_EQ(planned->items[1].items, 14U);
  EXPECT_EQ(std::get<TrimTranscript>(planned->items[3].operation).before, Sequence{2});  // all of c
  apply(*planned);
  EXPECT_EQ(all_entries(runtime(), "a").size(), 6U);
  EXPECT_EQ(all_events(runtime()).size(), 12U);
  EXPECT_TRUE(all_entries(runtime(), "c").empty());
  EXPECT_TRUE(plan(policy)->items.empty());
}

TEST_F(Retention, BytesAreThoseThatTheFilesGiveBack) {
  make_history();
  RetentionPolicy policy;
  policy.max_events = 10;
  policy.max_entries = 3;
  const auto planned = plan(policy);
  ASSERT_TRUE(is_ok(planned));
  EXPECT_EQ(std::get<TrimEvents>(planned->items.at(0).operation).before, EventId{46 - 9});
  EXPECT_EQ(std::get<TrimTranscript>(planned->items.at(1).operation).before, Sequence{18});
  const std::uint64_t before = log_bytes();
  EXPECT_GT(planned->bytes(), before / 2);
  apply(*planned);
  EXPECT_EQ(log_bytes(), before - planned->bytes());
  EXPECT_EQ(all_events(runtime()).size(), 10U);
  EXPECT_EQ(all_entries(runtime(), "b").size(), 3U);
}

TEST_F(Retention, BySizeWholePartsGoTheOldestFirst) {
  make_history();
  RetentionPolicy policy;
  policy.max_event_bytes = 3000;
  policy.max_transcript_bytes = 1;
  const auto planned = plan(policy);
  ASSERT_TRUE(is_ok(planned));
  ASSERT_EQ(planned->items.size(), 3U);
  apply(*planned);
  std::uint64_t events = 0;
  for (const std::string& name : names("")) {
    if (name.starts_with("events.")) events += std::filesystem::file_size(path(name));
  }
  EXPECT_LE(events, 3000U);
  EXPECT_GT(events, 1000U);
  EXPECT_EQ(names("workers/a"), (std::vector<std::string>{"transcript.jsonl", "worker.json"}));
  EXPECT_FALSE(all_entries(runtime(), "a").empty());
  EXPECT_TRUE(plan(policy)->items.empty());
  expect_clean();
}

TEST_F(Retention, WorkersThatEndedLongAgoAreDeletedWithAllTheyHave) {
  make_history();
  RetentionPolicy policy;
  policy.delete_ended_after = hours(10);
  policy.max_entries = 0;
  const auto planned = plan(policy);
  ASSERT_TRUE(is_ok(planned));
  ASSERT_EQ(planned->items.size(), 3U);
  EXPECT_EQ(std::get<DeleteWorker>(planned->items[2].operation).worker_ref, ref("c"));
  EXPECT_EQ(planned->items[2].items, 1U);
  EXPECT_EQ(planned->items[2].bytes,
            read("workers/c/transcript.jsonl").size() + read("workers/c/worker.json").size());
  apply(*planned);
  EXPECT_FALSE(exists("workers/c"));
  policy.delete_ended_after = hours(100);
  EXPECT_TRUE(plan(policy)->items.empty());
}

/// A machine that starts with a wrong clock must not lose everything.
TEST_F(Retention, AClockFarPastTheNewestEventIsNotTrusted) {
  make_history();
  clock_.advance(31 * 24 * hour);
  RetentionPolicy policy;
  policy.max_entries = 5;
  EXPECT_TRUE(is_ok(plan(policy)));
  policy.max_age = hours(24);
  EXPECT_TRUE(fails_with(plan(policy), ErrorCode::invalid_request));
  const auto forced = plan(policy, true);
  ASSERT_TRUE(is_ok(forced));
  EXPECT_EQ(forced->items[0].items, 46U);
  policy.max_age.reset();
  policy.delete_ended_after = hours(24);
  EXPECT_TRUE(fails_with(plan(policy), ErrorCode::invalid_request));
}

TEST_F(Retention, ATranscriptThatCannotBeJudgedIsSkippedAndTold) {
  make_history();
  close();
  const auto parts = names("workers/a");
  for (const std::string& name : parts) {
    if (layout::parse_log_part(name, "transcript"))
      std::filesystem::remove(path("workers/a/" + name));
  }
  RetentionPolicy policy;
  policy.max_age = hours(5);
  const auto planned = plan(policy);
  ASSERT_TRUE(is_ok(planned));
  ASSERT_EQ(planned->skipped.size(), 1U);
  EXPECT_EQ(planned->skipped[0].worker_id, ref("a").worker_id);
  EXPECT_EQ(planned->items.size(), 3U);
}

TEST_F(Retention, AgesBeyondAllTimesLetNothingGo) {
  make_history();
  RetentionPolicy policy;
  policy.max_age = seconds::max();
  const auto planned = plan(policy);
  ASSERT_TRUE(is_ok(planned));
  EXPECT_TRUE(planned->items.empty());
}

}  // namespace
}  // namespace worker_runtime::fs_store
