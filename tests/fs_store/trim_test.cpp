// What a trim leaves in the files: closed parts go once the records say so, and not before; what is
// left of one that was cut off is no damage; what is missing above is.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "store_fixture.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class Trimming : public testing::StoreFixture {
 protected:
  Trimming() { options_.log_part_bytes = 1000; }

  /// Worker w with 40 entries, in several parts; so is the event log.
  void make_parts() {
    open();
    create("w");
    grow(40);
  }
  /// A checkpoint each, so that a part ends about every fifth.
  void grow(std::uint64_t count) {
    const std::uint64_t first = entries_ + 1;
    for (std::uint64_t number = first; number < first + count; ++number) {
      send("w", 1, number);
      ASSERT_TRUE(is_ok(runtime().checkpoint()));
    }
    entries_ += count;
  }
  [[nodiscard]] std::vector<std::string> parts(const std::string& directory,
                                               const std::string& stem) const {
    std::vector<std::string> found;
    for (const std::string& name : names(directory)) {
      if (layout::parse_log_part(name, stem)) found.push_back(name);
    }
    return found;
  }
  [[nodiscard]] std::vector<std::string> transcript_parts() const {
    return parts("workers/w", "transcript");
  }
  [[nodiscard]] std::vector<std::string> event_parts() const { return parts("", "events"); }
  [[nodiscard]] static std::uint64_t first_of(const std::string& part) {
    return *layout::parse_log_part(part, part.substr(0, part.find('.')));
  }
  void trim(std::uint64_t before) {
    ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("w"), Sequence{before}})));
  }
  void trim_events(std::uint64_t before) {
    ASSERT_TRUE(is_ok(runtime().trim_events({EventId{before}})));
  }
  void expect_kept_from(std::uint64_t first) {
    const auto entries = all_entries(runtime(), "w");
    ASSERT_EQ(entries.size(), entries_ + 1 - first);
    if (!entries.empty()) {
      EXPECT_EQ(entries.front().sequence, Sequence{first});
    }
  }
  [[nodiscard]] std::vector<std::string> codes() const {
    std::vector<std::string> found;
    for (const Finding& finding : findings()) found.push_back(finding.code + " " + finding.path);
    return found;
  }

  std::uint64_t entries_ = 0;
};

TEST_F(Trimming, WholeClosedPartsGoWithTheCheckpointThatItSchedules) {
  options_.extend_interval = std::chrono::milliseconds(0);
  make_parts();
  const auto transcripts = transcript_parts();
  const auto events = event_parts();
  ASSERT_GE(transcripts.size(), 3U);
  ASSERT_GE(events.size(), 2U);
  const std::uint64_t before = first_of(transcripts[2]) + 1;
  trim(before);
  trim_events(first_of(events[1]));
  EXPECT_TRUE(eventually([&] {
    return transcript_parts().front() == transcripts[2] && event_parts().front() == events[1];
  }));
  expect_kept_from(before);
  close();
  EXPECT_EQ(codes(), std::vector<std::string>());
  open();
  expect_kept_from(before);
  EXPECT_EQ(all_events(runtime()).front().id, EventId{first_of(events[1])});
  grow(3);
  expect_kept_from(before);
  expect_clean();
}

TEST_F(Trimming, APartGoesOnlyWhenNothingOfItIsKept) {
  make_parts();
  const auto before = transcript_parts();
  trim(first_of(before[1]) - 1);  // the last entry of the first part stays
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(transcript_parts(), before);
  trim(first_of(before[1]));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(transcript_parts(), std::vector<std::string>(before.begin() + 1, before.end()));
}

TEST_F(Trimming, EverythingMayGoAndTheWorkerGoesOn) {
  make_parts();
  trim(entries_ + 1);
  trim_events(entries_ + 3);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(transcript_parts(), std::vector<std::string>());
  for (int round = 0; round < 3; ++round) {
    close();
    EXPECT_EQ(codes(), std::vector<std::string>());
    open();
    grow(1);
    expect_kept_from(41);
    EXPECT_EQ(runtime().summary()->damaged_worker_count, 0U);
  }
}

/// The file that is appended to has just become a part, and is empty.
TEST_F(Trimming, AllPartsMayGoWhileTheFileIsEmpty) {
  make_parts();
  std::uint64_t last = entries_;
  while (read("workers/w/transcript.jsonl").size() < options_.log_part_bytes) {
    grow(1);
    ++last;
  }
  // The next line begins another part: whether it is there is told by the one before.
  trim(last + 1);
  grow(1);
  close();
  EXPECT_EQ(transcript_parts(), std::vector<std::string>());
  EXPECT_EQ(codes(), std::vector<std::string>());
  open();
  expect_kept_from(last + 1);
  grow(1);
  EXPECT_EQ(runtime().summary()->damaged_worker_count, 0U);
}

TEST_F(Trimming, APartThatCannotBeRemovedIsTriedAgainAndIsNoDamage) {
  make_parts();
  const auto before = transcript_parts();
  close();
  open_faulty();
  Fault fault;
  fault.kind = CallKind::remove;
  fault.times = Fault::for_ever;
  fault.system_error = EPERM;
  fault.path_part = "transcript.";
  faults_.plan(fault);
  trim(first_of(before[2]));
  EXPECT_FALSE(runtime().checkpoint());
  expect_kept_from(first_of(before[2]));
  EXPECT_EQ(transcript_parts(), before);
  drop();
  // As after a crash between the records and the removal.
  EXPECT_EQ(codes(),
            (std::vector<std::string>{"trimmed_part runtimes/main/workers/w/" + before[0],
                                      "trimmed_part runtimes/main/workers/w/" + before[1]}));
  EXPECT_TRUE(verify({options_.root, options_.runtime_id})->clean());
  const auto plan = repair({options_.root, options_.runtime_id, RepairMode::plan});
  ASSERT_TRUE(is_ok(plan));
  EXPECT_TRUE(plan->items.empty());
  open();
  expect_kept_from(first_of(before[2]));
  grow(1);
  EXPECT_EQ(transcript_parts().front(), before[2]);
}

TEST_F(Trimming, APartThatIsMissingAboveIsDamageStill) {
  make_parts();
  const auto before = transcript_parts();
  trim(first_of(before[1]));
  close();
  std::filesystem::remove(path("workers/w/" + before[1]));
  EXPECT_FALSE(verify({options_.root, options_.runtime_id})->clean());
  open();
  TranscriptQuery query;
  EXPECT_TRUE(fails_with(runtime().read_transcript(ref("w"), query), ErrorCode::store_corrupt));
  close();
  const auto repaired = repair({options_.root, options_.runtime_id, RepairMode::apply});
  ASSERT_TRUE(is_ok(repaired));
  ASSERT_EQ(repaired->items.size(), 1U);
  EXPECT_EQ(repaired->items[0].lost, first_of(before[2]) - first_of(before[1]));
  expect_clean();
  open();
  expect_kept_from(first_of(before[1]));
}

TEST_F(Trimming, ARepairThatFindsNoRecordsKeepsWhatIsThere) {
  make_parts();
  const auto transcripts = transcript_parts();
  const auto events = event_parts();
  trim(first_of(transcripts[1]));
  trim_events(first_of(events[1]));
  close();
  std::filesystem::remove(path("runtime.json"));
  for (const std::string& name : names("")) {
    if (layout::parse_catalog(name)) std::filesystem::remove(path(name));
  }
  std::filesystem::remove(path("workers/w/worker.json"));
  const auto repaired = repair({options_.root, options_.runtime_id, RepairMode::apply});
  ASSERT_TRUE(is_ok(repaired));
  expect_clean();
  open();
  expect_kept_from(first_of(transcripts[1]));
  EXPECT_EQ(all_events(runtime()).front().id, EventId{first_of(events[1])});
  EXPECT_EQ(all_events(runtime()).back().id, EventId{entries_ + 2});
}

TEST_F(Trimming, ARepairOfDamageBehindATrimKeepsTheTrim) {
  make_parts();
  const auto before = transcript_parts();
  trim(first_of(before[1]) + 1);
  close();
  const std::string part = "workers/w/" + before[2];
  flip(part, read(part).find("\"content\"") + 12);
  ASSERT_TRUE(is_ok(repair({options_.root, options_.runtime_id, RepairMode::apply})));
  expect_clean();
  open();
  expect_kept_from(first_of(before[1]) + 1);
}

TEST_F(Trimming, AReaderBesideTheWriterIsToldAndTakesNothingForDamage) {
  make_parts();
  auto reader = Reader::open(options_.root);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_EQ(all_entries(*reader, "w").size(), 40U);
  const auto before = transcript_parts();
  trim(first_of(before[2]));
  trim_events(first_of(event_parts()[1]));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_EQ(transcript_parts().front(), before[2]);
  // It may show what it knew; then it looks again, and knows.
  TranscriptQuery query;
  query.start = 0;
  EXPECT_TRUE(eventually([&] {
    const auto page = reader->read_transcript(ref("w"), query);
    return !page && page.error().code() == ErrorCode::cursor_expired &&
           page.error().get<CursorFields>()->first_available == first_of(before[2]) - 1;
  }));
  EXPECT_EQ(all_entries(*reader, "w").size(), 41 - first_of(before[2]));
  const auto listed = reader->list_workers();
  ASSERT_TRUE(is_ok(listed));
  EXPECT_EQ(listed->workers.at(0).damaged, std::nullopt);
  EXPECT_EQ(listed->workers.at(0).first_sequence, Sequence{first_of(before[2])});
  expect_clean();
}

TEST_F(Trimming, RecordsHaveItAndStoresWithoutItLookAsBefore) {
  make_parts();
  EXPECT_EQ(read("runtime.json").find("first_event_id"), std::string::npos);
  EXPECT_EQ(read("workers/w/worker.json").find("first_sequence"), std::string::npos);
  trim(3);
  trim_events(4);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_NE(read("runtime.json").find("\"first_event_id\":4,"), std::string::npos);
  EXPECT_NE(read("workers/w/worker.json").find("\"first_sequence\":3,"), std::string::npos);
}

}  // namespace
}  // namespace worker_runtime::fs_store
