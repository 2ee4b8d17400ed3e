// A Runtime whose disk fails: at a sync, for want of space, at a read.
#include <gtest/gtest.h>

#include <cerrno>
#include <ostream>
#include <string>
#include <vector>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::input;
using testing::is_ok;
using testing::output;

class StoreFaults : public testing::StoreFixture {
 protected:
  void fail(CallKind kind, const std::string& path_part, int system_error = EIO,
            std::uint64_t times = 1, std::size_t bytes_written = 0) {
    Fault fault;
    fault.kind = kind;
    fault.path_part = path_part;
    fault.system_error = system_error;
    fault.times = times;
    fault.bytes_written = bytes_written;
    faults_.plan(fault);
  }
  /// Every mutation and the checkpoint.
  void expect_all_refused() {
    constexpr ErrorCode code = ErrorCode::store_failed;
    EXPECT_TRUE(fails_with(runtime().create_worker(testing::task("work")), code));
    EXPECT_TRUE(fails_with(runtime().send_input(input(ref("w"), "more")), code));
    EXPECT_TRUE(fails_with(runtime().append_output(output(ref("w"), "more")), code));
    EXPECT_TRUE(fails_with(runtime().stop_worker({ref("w"), std::nullopt}), code));
    EXPECT_TRUE(fails_with(runtime().delete_worker({ref("w")}), code));
    EXPECT_TRUE(fails_with(runtime().stop_runtime(), code));
    EXPECT_TRUE(fails_with(runtime().checkpoint(), code));
  }
  /// Everything is refused, nothing is written, and what was durable can be read.
  void expect_failed_for_good(const std::vector<Event>& events) {
    faults_.reset_counts();
    expect_all_refused();
    EXPECT_TRUE(faults_.changes().empty());
    EXPECT_EQ(all_events(runtime()), events);
    EXPECT_EQ(all_entries(runtime(), "w").size(), 3U);
  }
};

// ---- a failed sync is final

TEST_F(StoreFaults, AfterAFailedSyncOfTheJournalNothingIsWrittenAndReadsGoOn) {
  open_faulty();
  create("w");
  send("w", 3);
  const auto events = all_events(runtime());
  fail(CallKind::sync, "journal/");
  const auto failed = runtime().send_input(input(ref("w"), "in doubt"));
  ASSERT_TRUE(fails_with(failed, ErrorCode::store_failed));
  EXPECT_NE(failed.error().message().find("unknown until it is reopened"), std::string::npos);
  expect_failed_for_good(events);
  EXPECT_EQ(health().state, StoreHealth::Condition::failed);
  EXPECT_TRUE(health().detail.has_value());
  EXPECT_EQ(diagnostics_of("store.failed").size(), 1U);
  EXPECT_TRUE(fails_with(runtime().close(), ErrorCode::store_failed));
  EXPECT_EQ(faults_.changes(), std::vector<std::string>{"write runtimes/main/journal/durable"})
      << "but for the word that it failed";

  open();
  const auto entries = all_entries(runtime(), "w");
  ASSERT_GE(entries.size(), 3U);  // what was in doubt is there as a whole, or not at all
  ASSERT_LE(entries.size(), 4U);
  EXPECT_EQ(entries[2].content, "w 3");
  send("w", 1, 5);
  close();
  expect_clean();
}

TEST_F(StoreFaults, AfterAFailedSyncTheStoreCanBeDroppedAndReopened) {
  open_faulty();
  create("w");
  send("w", 3);
  fail(CallKind::sync, "journal/");
  ASSERT_TRUE(fails_with(runtime().stop_runtime(), ErrorCode::store_failed));
  drop();
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 3U);
  close();
  expect_clean();
}

struct SyncPlace {
  std::string name;
  CallKind kind = CallKind::sync;
  std::string path_part;
};
void PrintTo(const SyncPlace& place, std::ostream* out) { *out << place.name; }

/// A sync that fails while a checkpoint runs.
class FailedSync : public StoreFaults, public ::testing::WithParamInterface<SyncPlace> {};

TEST_P(FailedSync, OfACheckpointIsFinalToo) {
  open_faulty();
  create("w");
  send("w", 3);
  const auto events = all_events(runtime());
  fail(GetParam().kind, GetParam().path_part);
  ASSERT_TRUE(fails_with(runtime().checkpoint(), ErrorCode::store_failed));
  EXPECT_EQ(faults_.failures(), 1U);
  expect_failed_for_good(events);
  EXPECT_TRUE(fails_with(runtime().close(), ErrorCode::store_failed));
  open();
  EXPECT_EQ(all_events(runtime()), events);
  EXPECT_EQ(all_entries(runtime(), "w").size(), 3U);
  close();
  expect_clean();
}

INSTANTIATE_TEST_SUITE_P(
    Places, FailedSync,
    ::testing::Values(SyncPlace{"laying_out_a_segment", CallKind::sync, "journal/next."},
                      SyncPlace{"name_of_a_segment", CallKind::sync_directory, "journal"},
                      SyncPlace{"event_log", CallKind::sync, "events.jsonl"},
                      SyncPlace{"transcript", CallKind::sync, "workers/w/transcript.jsonl"},
                      SyncPlace{"name_of_a_transcript", CallKind::sync_directory, "workers/w"},
                      SyncPlace{"name_of_a_worker", CallKind::sync_directory, "workers"},
                      SyncPlace{"catalog", CallKind::sync, "catalog."},
                      SyncPlace{"runtime_json", CallKind::sync, "runtime.json"},
                      SyncPlace{"name_of_runtime_json", CallKind::sync_directory,
                                "runtimes/main/"}),
    [](const auto& place) { return place.param.name; });

// ---- a full disk is not

TEST_F(StoreFaults, WithoutJournalSpaceGrowthIsRefusedAndWhatMakesRoomGoesThrough) {
  options_.extend_interval = std::chrono::milliseconds(0);
  open_faulty();
  for (const char* const id : {"a", "b", "c"}) create(id);
  fail(CallKind::open, "journal/next.", ENOSPC, Fault::for_ever);
  Result<EntryAccepted> sent = Error(ErrorCode::closed, "");
  std::uint64_t accepted = 0;
  do {
    sent = runtime().append_output(output(ref("a"), std::string(50'000, 'x')));
    if (sent) ++accepted;
  } while (sent);
  ASSERT_TRUE(fails_with(sent, ErrorCode::store_full));
  EXPECT_TRUE(fails_with(runtime().append_output(output(ref("a"), std::string(50'000, 'x'))),
                         ErrorCode::store_full));
  EXPECT_EQ(all_entries(runtime(), "a").size(), accepted) << "a refusal changes nothing";
  EXPECT_EQ(health().state, StoreHealth::Condition::full);
  EXPECT_TRUE(health().detail.has_value());
  EXPECT_EQ(diagnostics_of("store.full").size(), 1U);
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("a"), std::nullopt})));
  EXPECT_TRUE(is_ok(runtime().cancel_worker({ref("b"), std::nullopt})));
  EXPECT_TRUE(is_ok(runtime().delete_worker({ref("a")})));

  faults_.clear_plan();  // there is space again
  EXPECT_TRUE(eventually([&] { return health().state == StoreHealth::Condition::ok; }));
  EXPECT_TRUE(is_ok(runtime().append_output(output(ref("c"), std::string(50'000, 'x')))));
  EXPECT_EQ(diagnostics_of("store.full").size(), 1U);
  close();
  expect_clean();
}

struct FullPlace {
  std::string name;
  CallKind kind = CallKind::write;
  std::string path_part;
  std::size_t bytes_written = 0;
};
void PrintTo(const FullPlace& place, std::ostream* out) { *out << place.name; }

/// A readable file that can't grow behind a commit.
class FullLog : public StoreFaults, public ::testing::WithParamInterface<FullPlace> {};

TEST_P(FullLog, RefusesGrowthUntilThereIsSpace) {
  options_.extend_interval = std::chrono::milliseconds(0);
  open_faulty();
  for (const char* const id : {"a", "b"}) create(id);
  ASSERT_TRUE(
      eventually([&] { return read("events.jsonl").find("\"id\":3,") != std::string::npos; }));
  const FullPlace& place = GetParam();
  fail(place.kind, place.path_part, ENOSPC, Fault::for_ever, place.bytes_written);
  ASSERT_TRUE(is_ok(runtime().send_input(input(ref("a"), "the first")))) << "it is durable";
  ASSERT_TRUE(eventually([&] { return health().state == StoreHealth::Condition::full; }));
  EXPECT_TRUE(fails_with(runtime().send_input(input(ref("b"), "x")), ErrorCode::store_full));
  EXPECT_TRUE(fails_with(runtime().create_worker(testing::task("x")), ErrorCode::store_full));
  EXPECT_EQ(all_entries(runtime(), "a").size(), 1U);
  EXPECT_EQ(all_events(runtime()).size(), 4U);
  EXPECT_EQ(diagnostics_of("store.full").size(), 1U);
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("b"), std::nullopt})));
  EXPECT_TRUE(is_ok(runtime().delete_worker({ref("b")})));

  faults_.clear_plan();
  EXPECT_TRUE(eventually([&] { return health().state == StoreHealth::Condition::ok; }));
  EXPECT_TRUE(is_ok(runtime().send_input(input(ref("a"), "the second"))));
  EXPECT_EQ(diagnostics_of("store.full").size(), 1U);
  EXPECT_EQ(all_entries(runtime(), "a").size(), 2U);
  EXPECT_EQ(all_events(runtime()).size(), 7U);
  close();
  expect_clean();
  open();
  EXPECT_EQ(all_entries(runtime(), "a").size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Places, FullLog,
    ::testing::Values(
        FullPlace{"event_log", CallKind::write, "events.jsonl"},
        FullPlace{"event_log_in_the_middle_of_a_line", CallKind::write, "events.jsonl", 30},
        FullPlace{"transcript", CallKind::write, "workers/a/transcript.jsonl"},
        FullPlace{"transcript_in_the_middle_of_a_line", CallKind::write,
                  "workers/a/transcript.jsonl", 30},
        FullPlace{"name_of_a_transcript", CallKind::open, "workers/a/transcript.jsonl"},
        FullPlace{"directory_of_a_worker", CallKind::make_directory, "workers/a"}),
    [](const auto& place) { return place.param.name; });

/// A file of a checkpoint that can't be written.
class FullCheckpoint : public StoreFaults, public ::testing::WithParamInterface<FullPlace> {
 protected:
  void fill_the_disk_with_work_to_do() {
    open_faulty();
    create("a");
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    send("a", 2);
    const FullPlace& place = GetParam();
    fail(place.kind, place.path_part, ENOSPC, Fault::for_ever, place.bytes_written);
  }
};

TEST_P(FullCheckpoint, FailsAndIsMadeUpForOnceThereIsSpace) {
  ASSERT_NO_FATAL_FAILURE(fill_the_disk_with_work_to_do());
  EXPECT_TRUE(fails_with(runtime().checkpoint(), ErrorCode::store_full));
  EXPECT_EQ(health().state, StoreHealth::Condition::full);
  EXPECT_EQ(diagnostics_of("store.full").size(), 1U);
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("a"), std::nullopt})));
  EXPECT_EQ(all_entries(runtime(), "a").size(), 2U);

  faults_.clear_plan();
  EXPECT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(health().state, StoreHealth::Condition::ok);
  EXPECT_EQ(health().checkpoint_lsn, health().durable_lsn);
  close();
  expect_clean();
}

TEST_P(FullCheckpoint, DoesNotKeepAStoreFromBeingClosed) {
  ASSERT_NO_FATAL_FAILURE(fill_the_disk_with_work_to_do());
  EXPECT_TRUE(is_ok(runtime().close()));
  // The lock is released, and what was acknowledged is there.
  faults_.clear_plan();
  open();
  EXPECT_EQ(all_entries(runtime(), "a").size(), 2U);
  close();
  expect_clean();
}

INSTANTIATE_TEST_SUITE_P(
    Places, FullCheckpoint,
    ::testing::Values(FullPlace{"event_log", CallKind::write, "events.jsonl"},
                      FullPlace{"transcript", CallKind::write, "workers/a/transcript.jsonl", 30},
                      FullPlace{"catalog", CallKind::write, "catalog.", 30},
                      FullPlace{"view", CallKind::write, "workers/a/worker.json"},
                      FullPlace{"name_of_runtime_json", CallKind::open, "runtime.json"},
                      FullPlace{"runtime_json", CallKind::write, "runtime.json", 30},
                      FullPlace{"segment", CallKind::open, "journal/next."}),
    [](const auto& place) { return place.param.name; });

TEST_F(StoreFaults, ASegmentHeaderWithoutSpaceKeepsNoStoreFromBeingClosed) {
  open_faulty();
  create("w");
  fail(CallKind::write, "journal/next.", ENOSPC, 1, 30);
  close();
  EXPECT_EQ(faults_.failures(), 1U);
  expect_clean();
  open();
  EXPECT_EQ(all_events(runtime()).size(), 2U);
}

TEST_F(StoreFaults, AnOpenThatFindsTheDiskFullLivesOnTheReserve) {
  open();
  for (const char* const id : {"a", "b"}) create(id);
  send("a", 2);
  close();
  // Nothing new finds space, and nothing grows.
  for (const char* const path_part : {".tmp", "events.jsonl", "catalog."}) {
    fail(CallKind::write, path_part, ENOSPC, Fault::for_ever);
  }
  open_faulty();
  EXPECT_EQ(health().state, StoreHealth::Condition::full);
  EXPECT_TRUE(fails_with(runtime().send_input(input(ref("a"), "x")), ErrorCode::store_full));
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("a"), std::string(1024, '\x01')})));
  EXPECT_TRUE(is_ok(runtime().cancel_worker({ref("b"), std::nullopt})));
  close();
  EXPECT_LT(read(last_segment()).size(), reserve_piece_bytes) << "what is not used is given back";
  EXPECT_TRUE(exists("journal/reserve.0")) << "and a new piece is laid by";
  open_faulty();
  EXPECT_TRUE(is_ok(runtime().delete_worker({ref("a")})));
  EXPECT_TRUE(is_ok(runtime().stop_runtime()));
  close();
  EXPECT_FALSE(exists("workers/a"));

  faults_.clear_plan();
  open();
  EXPECT_EQ(all_events(runtime()).size(), 9U);
  EXPECT_TRUE(is_ok(runtime().start_runtime()));
  close();
  expect_clean();
}

TEST_F(StoreFaults, AnOpenWithoutAnySpaceIsRefusedAsAFullDiskAndChangesNothing) {
  open();
  create("a");
  close();
  for (const char* const piece : {"journal/reserve.0", "journal/reserve.1"})
    std::filesystem::remove(path(piece));
  fail(CallKind::write, ".tmp", ENOSPC, Fault::for_ever);
  EXPECT_TRUE(fails_with(try_open_faulty(), ErrorCode::store_full));
  expect_clean();
  faults_.clear_plan();
  open();
  close();
  EXPECT_TRUE(exists("journal/reserve.1"));
}

TEST_F(StoreFaults, AFullDiskUnderTheWritersMarkHoldsUpNobody) {
  open_faulty();
  create("w");
  fail(CallKind::write, "journal/durable", ENOSPC, Fault::for_ever);
  send("w", 3);
  EXPECT_GT(faults_.failures(), 0U);
  EXPECT_TRUE(is_ok(runtime().close()));
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 3U);
}

// ---- errors of reads

TEST_F(StoreFaults, AReadThatFailsIsNoDamage) {
  open_faulty();
  create("w");
  send("w", 3);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  fail(CallKind::read, "transcript.jsonl");
  const auto page = runtime().read_transcript(ref("w"));
  ASSERT_TRUE(fails_with(page, ErrorCode::store_io));
  EXPECT_EQ(page.error().get<FileFields>()->system_error, EIO);
  fail(CallKind::read, "events.jsonl");
  EXPECT_TRUE(fails_with(runtime().read_events(), ErrorCode::store_io));
  fail(CallKind::read, "catalog.");
  EXPECT_TRUE(fails_with(runtime().worker_detail(ref("w")), ErrorCode::store_io));
  EXPECT_TRUE(diagnostics_of("worker.damaged").empty());
  EXPECT_EQ(all_entries(runtime(), "w").size(), 3U);
  EXPECT_EQ(all_events(runtime()).size(), 5U);
  const auto detail = runtime().worker_detail(ref("w"));
  ASSERT_TRUE(is_ok(detail));
  EXPECT_FALSE(detail->summary.damaged);
}

TEST_F(StoreFaults, AReadThatFailsBeforeAnInputRefusesItAndIsNoDamage) {
  open();
  create("w");
  send("w", 3);
  close();
  open_faulty();
  fail(CallKind::read, "transcript.jsonl");
  EXPECT_TRUE(fails_with(runtime().send_input(input(ref("w"), "x")), ErrorCode::store_io));
  send("w", 1, 4);
  EXPECT_EQ(all_entries(runtime(), "w").size(), 4U);
}

TEST_F(StoreFaults, AReadThatFailsWhileOpeningIsNoDamage) {
  open();
  create("w");
  send("w", 3);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  send("w", 3, 4);
  drop();
  for (const char* const file : {"runtime.json", "catalog.", "journal/0"}) {
    faults_.clear_plan();
    fail(CallKind::read, file, EIO, Fault::for_ever);
    EXPECT_TRUE(fails_with(try_open_faulty(), ErrorCode::store_io)) << file;
  }
  faults_.clear_plan();
  open_faulty();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 6U);
  EXPECT_TRUE(quarantined().empty());
}

// ---- short writes

TEST_F(StoreFaults, AShortAppendToALogIsUndone) {
  options_.extend_interval = std::chrono::milliseconds(0);
  open_faulty();
  create("w");
  fail(CallKind::write, "events.jsonl", EIO, 1, 25);
  send("w", 3);
  // Met by the extension, not by the checkpoint: that one would answer it.
  ASSERT_TRUE(eventually([this] { return faults_.failures() == 1; }));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(all_events(runtime()).size(), 5U);
  close();
  expect_clean();
}

TEST_F(StoreFaults, ACheckpointThatMeetsAShortAppendIsAnsweredWithItAndMadeUpForByTheNext) {
  open_faulty();
  create("w");
  fail(CallKind::write, "events.jsonl", EIO, 1, 25);
  send("w", 3);
  EXPECT_TRUE(fails_with(runtime().checkpoint(), ErrorCode::store_io));
  EXPECT_EQ(read("events.jsonl"), "");
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(all_events(runtime()).size(), 5U);
  close();
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
