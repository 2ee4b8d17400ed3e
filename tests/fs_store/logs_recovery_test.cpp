// Logs as recovery finds them: torn tails, undone rolls, and what the journal has lost.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "logs.h"
#include "support/fs_store/logs_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class LogsRecovery : public LogsTest {
 protected:
  /// Logs as of a checkpoint at event `last`, with what the journal gives again up to `pending`.
  void found(std::uint64_t last, std::uint64_t pending, const std::string& file) {
    put("events.jsonl", file);
    logs_.set_events({1, events(1, last).size(), last});
    push_events(logs_, last + 1, pending);
  }
  [[nodiscard]] std::vector<std::string> quarantined() const {
    std::vector<std::string> contents;
    if (!exists("quarantine")) return contents;
    for (const std::string& name : names("quarantine"))
      contents.push_back(content("quarantine/" + name));
    return contents;
  }

  /// Of the transcript of `w_`, whatever its last line says.
  [[nodiscard]] Result<std::optional<std::string>> check_end() const {
    return logs_.check_end(w_, [](std::string_view) { return std::optional<std::string>(); });
  }

  Logs logs_{files(), one_part};
};

TEST_F(LogsRecovery, LogThatEndsAtItsWatermarkIsLeftAlone) {
  found(5, 5, events(1, 5));
  faults().reset_counts();
  const auto settled = logs_.settle_events(Logs::Loss::impossible);
  ASSERT_TRUE(is_ok(settled));
  EXPECT_EQ(settled->torn_bytes, 0U);
  EXPECT_TRUE(faults().changes().empty());
}

TEST_F(LogsRecovery, LinesThatTheJournalHasAreCutAndAppendedAnew) {
  found(5, 8, events(1, 7));
  const auto settled = logs_.settle_events(Logs::Loss::impossible);
  ASSERT_TRUE(is_ok(settled));
  EXPECT_EQ(settled->torn_bytes, 0U);
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
  EXPECT_TRUE(quarantined().empty());
  ASSERT_TRUE(is_ok(logs_.extend()));
  EXPECT_EQ(content("events.jsonl"), events(1, 8));
}

TEST_F(LogsRecovery, TornTailGoesToQuarantine) {
  const std::string torn = event(6).substr(0, 40);
  found(5, 8, events(1, 5) + torn);
  const auto settled = logs_.settle_events(Logs::Loss::impossible);
  ASSERT_TRUE(is_ok(settled));
  EXPECT_EQ(settled->torn_bytes, torn.size());
  EXPECT_EQ(settled->path, "events.jsonl");
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
  EXPECT_EQ(quarantined(), std::vector<std::string>{torn});
}

TEST_F(LogsRecovery, OnlyWhatIsBehindTheLastGoodLineIsTorn) {
  const std::string torn = std::string(500, '\0') + "\nrubbish\n";
  found(5, 8, events(1, 7) + torn);
  EXPECT_EQ(logs_.settle_events(Logs::Loss::impossible).value().torn_bytes, torn.size());
  EXPECT_EQ(quarantined(), std::vector<std::string>{torn});
}

TEST_F(LogsRecovery, CutIsSyncedWithTheNextSync) {
  found(5, 5, events(1, 5) + "torn");
  ASSERT_TRUE(is_ok(logs_.settle_events(Logs::Loss::impossible)));
  faults().reset_counts();
  ASSERT_TRUE(is_ok(logs_.sync()));
  EXPECT_EQ(faults().changes(), std::vector<std::string>{"sync events.jsonl"});
}

TEST_F(LogsRecovery, GoodLineBeyondTheJournalIsAcknowledgedDataThatItLost) {
  const std::string file = events(1, 9);
  found(5, 8, file);
  const auto settled = logs_.settle_events(Logs::Loss::impossible);
  ASSERT_TRUE(fails_with(settled, ErrorCode::store_corrupt));
  EXPECT_EQ(settled.error().get<FileFields>()->offset, events(1, 8).size());
  EXPECT_EQ(content("events.jsonl"), file) << "nothing is cut";
  EXPECT_TRUE(quarantined().empty());
}

TEST_F(LogsRecovery, WhereLossIsAllowedLinesBeyondTheJournalGoToQuarantine) {
  found(5, 8, events(1, 9));
  const auto settled = logs_.settle_events(Logs::Loss::allowed);
  ASSERT_TRUE(is_ok(settled));
  EXPECT_EQ(settled->torn_bytes, event(9).size());
  EXPECT_EQ(quarantined(), std::vector<std::string>{event(9)});
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
}

TEST_F(LogsRecovery, ShortLogIsCorruptAtItsEnd) {
  found(5, 8, events(1, 5).substr(0, 450));
  const auto settled = logs_.settle_events(Logs::Loss::impossible);
  ASSERT_TRUE(fails_with(settled, ErrorCode::store_corrupt));
  EXPECT_EQ(settled.error().get<FileFields>()->offset, 450U);
  EXPECT_EQ(content("events.jsonl").size(), 450U);
}

TEST_F(LogsRecovery, MissingLogIsCorruptUnlessItNeverWas) {
  logs_.set_transcript(w_, {1, 0, 0});
  EXPECT_TRUE(is_ok(logs_.settle_transcript(w_, Logs::Loss::impossible)));
  logs_.set_transcript(w_, {1, 200, 2});
  EXPECT_TRUE(
      fails_with(logs_.settle_transcript(w_, Logs::Loss::impossible), ErrorCode::store_corrupt));
  EXPECT_TRUE(is_ok(logs_.settle_transcript(testing::worker_id("nobody"), Logs::Loss::impossible)));
}

TEST_F(LogsRecovery, FailedReadIsAnInputErrorNotATornTail) {
  found(5, 8, events(1, 5) + "torn");
  for (const CallKind kind : {CallKind::open, CallKind::read, CallKind::size, CallKind::kind}) {
    faults().plan({kind});
    EXPECT_TRUE(fails_with(logs_.settle_events(Logs::Loss::impossible), ErrorCode::store_io));
    faults().clear_plan();
  }
  EXPECT_EQ(content("events.jsonl"), events(1, 5) + "torn");
}

// ---- rolls since the checkpoint

class LogsRolled : public LogsRecovery {
 protected:
  /// The checkpoint knew events 1..5 in events.jsonl; since then two parts were begun.
  LogsRolled() {
    found(5, 15, events(11, 13));
    put("events.0000000000000001.jsonl", events(1, 7));
    put("events.0000000000000008.jsonl", events(8, 10));
  }
};

TEST_F(LogsRolled, PartsBegunSinceAreUndone) {
  ASSERT_TRUE(is_ok(logs_.settle_events(Logs::Loss::impossible)));
  EXPECT_EQ(names(""), std::vector<std::string>{"events.jsonl"});
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
  ASSERT_TRUE(is_ok(logs_.extend()));
  EXPECT_EQ(content("events.jsonl"), events(1, 15));
}

TEST_F(LogsRolled, OlderPartsStay) {
  put("events.0000000000000001.jsonl", events(1, 4));
  put("events.0000000000000005.jsonl", events(5, 7));
  logs_.set_events({5, event(5).size(), 5});
  ASSERT_TRUE(is_ok(logs_.settle_events(Logs::Loss::impossible)));
  EXPECT_EQ(names(""), (std::vector<std::string>{"events.0000000000000001.jsonl", "events.jsonl"}));
  EXPECT_EQ(content("events.jsonl"), event(5));
}

TEST_F(LogsRolled, CrashBetweenRollAndNewFileIsUndoneToo) {
  ASSERT_TRUE(is_ok(files().remove_file("events.jsonl")));
  ASSERT_TRUE(is_ok(files().remove_file("events.0000000000000008.jsonl")));
  ASSERT_TRUE(is_ok(logs_.settle_events(Logs::Loss::impossible)));
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
}

TEST_F(LogsRolled, InterruptedUndoGoesOnWhereItWas) {
  for (const CallKind kind : {CallKind::remove, CallKind::rename}) {
    for (std::uint64_t nth = 1; nth <= 2; ++nth) {
      faults().plan({kind, nth});
      static_cast<void>(logs_.settle_events(Logs::Loss::impossible).has_value());
      faults().clear_plan();
    }
  }
  ASSERT_TRUE(is_ok(logs_.settle_events(Logs::Loss::impossible)));
  EXPECT_EQ(names(""), std::vector<std::string>{"events.jsonl"});
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
}

TEST_F(LogsRolled, GoodLineBeyondTheJournalInAYoungerPartIsCorrupt) {
  put("events.jsonl", events(11, 16));
  EXPECT_TRUE(fails_with(logs_.settle_events(Logs::Loss::impossible), ErrorCode::store_corrupt));
  EXPECT_EQ(content("events.jsonl"), events(11, 16));
  EXPECT_EQ(content("events.0000000000000001.jsonl"), events(1, 7));
  EXPECT_EQ(content("events.0000000000000008.jsonl"), events(8, 10)) << "nothing is cut";
}

TEST_F(LogsRolled, TornTailOfAYoungerPartGoesToQuarantine) {
  const std::string torn = event(14).substr(0, 30);
  put("events.jsonl", events(11, 13) + torn);
  const auto settled = logs_.settle_events(Logs::Loss::impossible);
  ASSERT_TRUE(is_ok(settled));
  EXPECT_EQ(settled->torn_bytes, torn.size());
  EXPECT_EQ(quarantined(), std::vector<std::string>{torn});
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
}

// ---- transcripts that can't be extended

TEST_F(LogsRecovery, EndOfATranscriptIsLookedAt) {
  EXPECT_EQ(check_end().value(), std::nullopt) << "one that never was";
  put_entries(logs_, w_, 5);
  const std::string path = "workers/w/transcript.jsonl";
  const std::string good = entries(1, 5);
  EXPECT_EQ(check_end().value(), std::nullopt);
  put(path, good + "more");
  EXPECT_EQ(check_end().value(), std::nullopt) << "extension moves that aside";
  put(path, good.substr(0, good.size() - 1));
  EXPECT_TRUE(check_end().value());
  std::string flipped = good;
  flipped[good.size() - 10] ^= 1;
  put(path, flipped);
  EXPECT_TRUE(check_end().value());
  put(path, entries(1, 4) + entry(6));
  EXPECT_TRUE(check_end().value());
  ASSERT_TRUE(is_ok(files().remove_file(path)));
  EXPECT_TRUE(check_end().value());
}

TEST_F(LogsRecovery, EndThatCannotBeReadIsAnInputError) {
  put_entries(logs_, w_, 5);
  for (const CallKind kind : {CallKind::open, CallKind::size, CallKind::read}) {
    faults().plan({kind});
    EXPECT_TRUE(fails_with(check_end(), ErrorCode::store_io));
    faults().clear_plan();
  }
}

TEST_F(LogsRecovery, DamagedTranscriptIsClosedAndWhatWaitsFindsAPlace) {
  put_entries(logs_, w_, 5);
  put("workers/w/transcript.jsonl", entries(1, 3));
  push_entries(logs_, w_, 6, 7);
  ASSERT_TRUE(is_ok(logs_.close_damaged(w_)));
  ASSERT_TRUE(is_ok(logs_.extend()));
  EXPECT_EQ(content("workers/w/transcript.0000000000000001.jsonl"), entries(1, 3));
  EXPECT_EQ(content("workers/w/transcript.jsonl"), entries(6, 7));
  EXPECT_EQ(read(logs_, &w_, range(1, 7)).numbers, numbers(1, 3));
  const Page lost = read(logs_, &w_, range(4, 7));
  ASSERT_TRUE(fails_with(lost.done, ErrorCode::store_corrupt));
  EXPECT_EQ(lost.done.error().get<FileFields>()->next_readable, 6U);
  EXPECT_EQ(read(logs_, &w_, range(6, 7)).numbers, numbers(6, 7));
}

TEST_F(LogsRecovery, MissingTranscriptIsClosedWithoutAFile) {
  logs_.set_transcript(w_, {1, 500, 5});
  push_entries(logs_, w_, 6, 6);
  ASSERT_TRUE(is_ok(logs_.close_damaged(w_)));
  ASSERT_TRUE(is_ok(logs_.extend()));
  EXPECT_EQ(content("workers/w/transcript.jsonl"), entry(6));
}

}  // namespace
}  // namespace worker_runtime::fs_store
