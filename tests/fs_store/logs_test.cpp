// The readable files: what waits, what is appended, parts, pages over both, sync and removal.
#include "logs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "support/fs_store/logs_fixture.h"
#include "support/random.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;
using testing::worker_id;

class LogsFiles : public LogsTest {};

// ---- what waits, and what is appended

TEST_F(LogsFiles, CommittedLinesAreReadBeforeAndAfterTheyAreInTheFile) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 10);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(read(logs, nullptr, range(1, 10)).text, events(1, 10));
    EXPECT_EQ(read(logs, nullptr, range(3, 8, down)).numbers, numbers(8, 3));
    ASSERT_TRUE(is_ok(logs.extend()));
  }
  EXPECT_EQ(content("events.jsonl"), events(1, 10));
  EXPECT_EQ(logs.events(), (LogWatermark{1, events(1, 10).size(), 10}));
}

TEST_F(LogsFiles, TranscriptAndItsDirectoryAreMadeWithTheFirstEntry) {
  Logs logs(files(), one_part);
  logs.set_transcript(w_, {});
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_FALSE(exists("workers"));
  push_entries(logs, w_, 1, 2);
  EXPECT_FALSE(exists("workers"));
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(content("workers/w/transcript.jsonl"), entries(1, 2));
  EXPECT_EQ(logs.transcript(w_), (LogWatermark{1, entries(1, 2).size(), 2}));
}

TEST_F(LogsFiles, WaitingBytesAndWorkersAreCounted) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 3);
  push_entries(logs, w_, 1, 1);
  EXPECT_EQ(logs.pending_bytes(), events(1, 3).size() + entry(1).size());
  EXPECT_EQ(logs.pending_workers(), std::vector<WorkerId>{w_});
  EXPECT_EQ(*logs.pending_line(nullptr, 3), event(3));
  EXPECT_EQ(*logs.pending_line(&w_, 1), entry(1));
  EXPECT_EQ(logs.pending_line(nullptr, 4), nullptr);
  EXPECT_EQ(logs.pending_line(nullptr, 0), nullptr);
  const WorkerId other = worker_id("other");
  EXPECT_EQ(logs.pending_line(&other, 1), nullptr);
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(logs.pending_bytes(), 0U);
  EXPECT_TRUE(logs.pending_workers().empty());
  EXPECT_EQ(logs.pending_line(nullptr, 3), nullptr);
}

TEST_F(LogsFiles, GenerationEndsWhatACheckpointExtends) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 3);
  push_entries(logs, w_, 1, 2);
  const std::uint64_t generation = logs.begin_generation();
  push_events(logs, 4, 5);
  push_entries(logs, w_, 3, 3);
  ASSERT_TRUE(is_ok(logs.extend(generation)));
  EXPECT_EQ(content("events.jsonl"), events(1, 3));
  EXPECT_EQ(content("workers/w/transcript.jsonl"), entries(1, 2));
  EXPECT_EQ(logs.pending_workers(), std::vector<WorkerId>{w_});
  EXPECT_EQ(*logs.pending_line(nullptr, 4), event(4));
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(content("events.jsonl"), events(1, 5));
  EXPECT_EQ(content("workers/w/transcript.jsonl"), entries(1, 3));
}

TEST_F(LogsFiles, MuchThatWaitsIsAppendedInSeveralWrites) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 12, std::size_t{1} << 20U);
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_TRUE(content("events.jsonl") == events(1, 12, std::size_t{1} << 20U));
  EXPECT_EQ(faults().count(CallKind::write), 3U);
}

TEST_F(LogsFiles, FullDiskUndoesTheShortWriteAndTheRestWaits) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 3);
  ASSERT_TRUE(is_ok(logs.extend()));
  push_events(logs, 4, 6);
  faults().plan({CallKind::write, 1, 1, ENOSPC, "", 150});
  const auto extended = logs.extend();
  ASSERT_FALSE(extended);
  EXPECT_TRUE(is_full(extended.error()));
  EXPECT_EQ(content("events.jsonl"), events(1, 3));
  EXPECT_EQ(read(logs, nullptr, range(1, 6)).text, events(1, 6));
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(content("events.jsonl"), events(1, 6));
}

TEST_F(LogsFiles, StubThatCouldNotBeCutIsOverwrittenLater) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 3);
  faults().plan({CallKind::write, 1, 1, ENOSPC, "", 150});
  faults().plan({CallKind::truncate});
  EXPECT_FALSE(logs.extend());
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(content("events.jsonl"), events(1, 3));
}

TEST_F(LogsFiles, FileThatCannotBeMadeLosesNothing) {
  for (const CallKind kind : {CallKind::make_directory, CallKind::open, CallKind::kind}) {
    SCOPED_TRACE(to_string(kind));
    Logs logs(files(), one_part);
    const WorkerId each = worker_id("w-" + std::string(to_string(kind)));
    push_entries(logs, each, 1, 2);
    faults().plan({kind, 1, 2, ENOSPC});
    EXPECT_FALSE(logs.extend());
    faults().clear_plan();
    EXPECT_EQ(read(logs, &each, range(1, 2)).numbers, numbers(1, 2));
    ASSERT_TRUE(is_ok(logs.extend()));
    EXPECT_EQ(content(layout::log_file(layout::transcript(each))), entries(1, 2));
  }
}

TEST_F(LogsFiles, BytesThatSomebodyElseAppendedAreMovedAside) {
  Logs logs(files(), one_part);
  put_events(logs, 1, 3);
  put("events.jsonl", events(1, 3) + "a note by hand\n");
  push_events(logs, 4, 4);
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(content("events.jsonl"), events(1, 4));
  ASSERT_EQ(names("quarantine").size(), 1U);
  EXPECT_EQ(content("quarantine/" + names("quarantine")[0]), "a note by hand\n");
}

TEST_F(LogsFiles, RemovedTranscriptLosesItsEntriesButNoneThatComeLater) {
  Logs logs(files(), one_part);
  put_entries(logs, w_, 5);
  ASSERT_TRUE(is_ok(files().remove_file("workers/w/transcript.jsonl")));
  push_entries(logs, w_, 6, 7);
  ASSERT_TRUE(is_ok(logs.extend()));
  const auto troubles = logs.take_troubles();
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].worker_id, w_);
  EXPECT_TRUE(logs.take_troubles().empty());
  EXPECT_EQ(read(logs, &w_, range(6, 7)).text, entries(6, 7));
  const Page lost = read(logs, &w_, range(2, 7));
  ASSERT_TRUE(fails_with(lost.done, ErrorCode::store_corrupt));
  EXPECT_EQ(lost.done.error().get<FileFields>()->next_readable, 6U);
}

/// Somebody has made the second line longer, and the last one does not end where it did.
TEST_F(LogsFiles, ChangedTranscriptKeepsItsOtherEntriesAndThoseThatComeLater) {
  Logs logs(files(), one_part);
  put_entries(logs, w_, 5);
  std::string text = content("workers/w/transcript.jsonl");
  text.insert(text.find('\n') + 20, "abc");
  auto file = files().open("workers/w/transcript.jsonl", OpenMode::write);
  ASSERT_TRUE(is_ok(file));
  ASSERT_TRUE(is_ok((*file)->write(0, text)));
  push_entries(logs, w_, 6, 7);
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(logs.take_troubles().size(), 1U);
  EXPECT_EQ(content("workers/w/transcript.0000000000000001.jsonl"), text);
  EXPECT_EQ(read(logs, &w_, range(3, 7)).text, entries(3, 7));
}

// ---- parts

TEST_F(LogsFiles, LogBeginsANewPartAtItsSize) {
  Logs logs(files(), 1000);
  for (std::uint64_t number = 1; number <= 35; ++number) {
    push_events(logs, number, number);
    ASSERT_TRUE(is_ok(logs.extend()));
  }
  EXPECT_EQ(names(""), (std::vector<std::string>{"events.0000000000000001.jsonl",
                                                 "events.000000000000000b.jsonl",
                                                 "events.0000000000000015.jsonl", "events.jsonl"}));
  EXPECT_EQ(content("events.000000000000000b.jsonl"), events(11, 20));
  EXPECT_EQ(content("events.jsonl"), events(31, 35));
  EXPECT_EQ(logs.events(), (LogWatermark{31, events(31, 35).size(), 35}));
}

TEST_F(LogsFiles, RollThatFailsLeavesTheLogAsItWas) {
  Logs logs(files(), 300);
  push_events(logs, 1, 3);
  ASSERT_TRUE(is_ok(logs.extend()));
  push_events(logs, 4, 4);
  faults().plan({CallKind::rename, 1, 1, EIO});
  EXPECT_FALSE(logs.extend());
  EXPECT_EQ(read(logs, nullptr, range(1, 4)).text, events(1, 4));
  ASSERT_TRUE(is_ok(logs.extend()));
  EXPECT_EQ(content("events.0000000000000001.jsonl"), events(1, 3));
  EXPECT_EQ(content("events.jsonl"), event(4));
}

TEST_F(LogsFiles, PagesCrossPartsAndWhatWaitsAsTheModelSays) {
  const std::uint64_t seed = testing::number_from_environment("WORKER_RUNTIME_SEED", 49);
  SCOPED_TRACE("WORKER_RUNTIME_SEED=" + std::to_string(seed));
  testing::Random random(seed);
  Logs logs(files(), 1500);
  std::vector<std::string> model;  // the transcript's; the event log has the same sizes
  for (int step = 0; step < 400; ++step) {
    const std::size_t bytes = random.one_in(20) ? 5000 : 60 + random.below(200);
    model.push_back(entry(model.size() + 1, bytes));
    logs.push_entry(w_, model.back());
    logs.push_event(event(model.size(), bytes));
    if (random.one_in(3)) {
      ASSERT_TRUE(is_ok(logs.extend()));
    }
    if (random.one_in(50)) logs.give_up_handles();
    const std::uint64_t first = 1 + random.below(model.size());
    const std::uint64_t last = first + random.below(model.size() - first + 1);
    PageRange asked = range(first, last, random.one_in(2) ? up : down);
    const std::uint64_t items = 1 + random.below(random.one_in(2) ? 10 : 500);
    asked.items = items;
    std::string expected;
    for (std::uint64_t at = 0; at < std::min(items, last - first + 1); ++at)
      expected += model[(asked.direction == up ? first + at : last - at) - 1];
    const Page page = read(logs, &w_, asked, items);
    ASSERT_TRUE(is_ok(page.done));
    ASSERT_TRUE(page.text == expected) << "step " << step << ": " << first << ".." << last;
    ASSERT_EQ(read(logs, nullptr, asked, items).numbers, page.numbers);
  }
  EXPECT_GT(names("").size(), 20U);
}

TEST_F(LogsFiles, PartRolledBetweenLookAndOpenIsStillReadRight) {
  Logs logs(files(), 300);
  push_events(logs, 1, 3);
  ASSERT_TRUE(is_ok(logs.extend()));
  for (const Direction direction : {up, down}) {
    // The reader has looked at the state; before it opens the file, the writer begins a new part.
    const std::uint64_t first = logs.events().first;
    bool is_armed = true;
    faults().set_hook([&](CallKind kind, const std::string& name) {
      if (!is_armed || kind != CallKind::open || name != "events.jsonl") return;
      is_armed = false;
      push_events(logs, first + 3, first + 5);
      ASSERT_TRUE(is_ok(logs.extend()));
    });
    EXPECT_EQ(read(logs, nullptr, range(first, first + 2, direction)).numbers,
              direction == up ? numbers(first, first + 2) : numbers(first + 2, first));
    EXPECT_FALSE(is_armed);
    EXPECT_EQ(logs.events().first, first + 3);
    faults().set_hook({});
  }
}

TEST_F(LogsFiles, MissingPartIsCorruptAndTellsWhereReadingGoesOn) {
  Logs logs(files(), 1000);
  for (std::uint64_t number = 1; number <= 35; ++number) {
    push_events(logs, number, number);
    ASSERT_TRUE(is_ok(logs.extend()));
  }
  ASSERT_TRUE(is_ok(files().remove_file("events.0000000000000001.jsonl")));
  const Page lost = read(logs, nullptr, range(5, 35));
  ASSERT_TRUE(fails_with(lost.done, ErrorCode::store_corrupt));
  EXPECT_EQ(lost.done.error().get<FileFields>()->next_readable, 11U);
  EXPECT_EQ(read(logs, nullptr, range(5, 35, down)).numbers, numbers(35, 11));
}

TEST_F(LogsFiles, PageEndsBeforeDamageAndOneThatStartsOnItIsCorrupt) {
  Logs logs(files(), one_part);
  put_events(logs, 1, 9);
  push_events(logs, 10, 12);
  std::string text = events(1, 9);
  text[4 * event(1).size() + 60] ^= 1;
  put("events.jsonl", text);
  const Page before = read(logs, nullptr, range(2, 12));
  EXPECT_TRUE(is_ok(before.done));
  EXPECT_EQ(before.numbers, numbers(2, 4));
  const Page on = read(logs, nullptr, range(5, 12));
  ASSERT_TRUE(fails_with(on.done, ErrorCode::store_corrupt));
  EXPECT_EQ(on.done.error().get<FileFields>()->path, "events.jsonl");
  EXPECT_EQ(on.done.error().get<FileFields>()->line, 5U);
  EXPECT_EQ(on.done.error().get<FileFields>()->offset, 4 * event(1).size());
  EXPECT_EQ(on.done.error().get<FileFields>()->next_readable, 6U);
  EXPECT_EQ(read(logs, nullptr, range(6, 12)).numbers, numbers(6, 12));
  EXPECT_EQ(read(logs, nullptr, range(1, 12, down)).numbers, numbers(12, 6));
  EXPECT_EQ(read(logs, nullptr, range(1, 5, down)).done.error().get<FileFields>()->next_readable,
            4U);
}

TEST_F(LogsFiles, FailedReadIsAnInputErrorEvenBehindGoodLines) {
  Logs logs(files(), one_part);
  put_events(logs, 1, 9);
  push_events(logs, 10, 12);
  faults().plan({CallKind::read, 1, Fault::for_ever});
  EXPECT_TRUE(fails_with(read(logs, nullptr, range(1, 12)).done, ErrorCode::store_io));
  EXPECT_TRUE(fails_with(read(logs, nullptr, range(1, 12, down)).done, ErrorCode::store_io));
}

// ---- handles and syncs

TEST_F(LogsFiles, OpenHandlesAreBoundedHoweverManyWorkers) {
  Logs logs(files(), one_part);
  for (int round = 1; round <= 2; ++round) {
    for (int number = 0; number < 200; ++number) {
      const auto n = static_cast<std::uint64_t>(round);
      push_entries(logs, worker_id("w" + std::to_string(number)), n, n);
    }
    ASSERT_TRUE(is_ok(logs.extend()));
  }
  EXPECT_LE(faults().open_files_peak(), append_handles_max + 1);
  EXPECT_EQ(faults().open_files(), append_handles_max);
  EXPECT_EQ(content("workers/w7/transcript.jsonl"), entries(1, 2));
  logs.give_up_handles();
  EXPECT_EQ(faults().open_files(), 0U);
}

TEST_F(LogsFiles, SyncMakesFilesAndNewNamesDurableAndOnlyOnce) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 1);
  push_entries(logs, w_, 1, 1);
  ASSERT_TRUE(is_ok(logs.extend()));
  faults().reset_counts();
  ASSERT_TRUE(is_ok(logs.sync()));
  auto synced = faults().changes();
  std::sort(synced.begin(), synced.end());
  EXPECT_EQ(synced, (std::vector<std::string>{
                        "sync events.jsonl", "sync workers/w/transcript.jsonl", "sync_directory ",
                        "sync_directory workers", "sync_directory workers/w"}));
  ASSERT_TRUE(is_ok(logs.sync()));
  EXPECT_EQ(faults().changes().size(), synced.size());
}

TEST_F(LogsFiles, ManyFilesAreSyncedByOneSyncOfTheFileSystem) {
  Logs logs(files(), one_part);
  for (int number = 0; number < 100; ++number)
    push_entries(logs, worker_id("w" + std::to_string(number)), 1, 1);
  ASSERT_TRUE(is_ok(logs.extend()));
  faults().reset_counts();
  ASSERT_TRUE(is_ok(logs.sync()));
  EXPECT_EQ(faults().changes(), std::vector<std::string>{"sync_all "});
}

TEST_F(LogsFiles, HandleLetGoBeforeItsSyncIsMadeUpForByASyncOfTheFileSystem) {
  Logs logs(files(), 300);
  push_events(logs, 1, 3);
  ASSERT_TRUE(is_ok(logs.extend()));
  push_events(logs, 4, 4);
  ASSERT_TRUE(is_ok(logs.extend()));  // rolls, and closes what was not synced
  faults().reset_counts();
  ASSERT_TRUE(is_ok(logs.sync()));
  EXPECT_EQ(faults().count(CallKind::sync_all), 1U);

  push_events(logs, 5, 5);
  ASSERT_TRUE(is_ok(logs.extend()));
  logs.give_up_handles();
  faults().reset_counts();
  ASSERT_TRUE(is_ok(logs.sync()));
  EXPECT_EQ(faults().count(CallKind::sync_all), 1U);
}

TEST_F(LogsFiles, FailedSyncIsTold) {
  Logs logs(files(), one_part);
  push_events(logs, 1, 1);
  ASSERT_TRUE(is_ok(logs.extend()));
  faults().plan({CallKind::sync, 1, 1, ENOSPC});
  EXPECT_TRUE(fails_with(logs.sync(), ErrorCode::store_failed));
}

// ---- deleted Workers

TEST_F(LogsFiles, DeletedWorkerIsOutOfReachAtOnceAndItsDirectoryGoesLater) {
  Logs logs(files(), 300);
  for (std::uint64_t number = 1; number <= 8; ++number) {
    push_entries(logs, w_, number, number);
    ASSERT_TRUE(is_ok(logs.extend()));
  }
  put("workers/w/worker.json", "view");
  push_entries(logs, w_, 9, 9);
  logs.forget(w_);
  EXPECT_EQ(logs.pending_bytes(), 0U);
  EXPECT_TRUE(logs.pending_workers().empty());
  EXPECT_TRUE(read(logs, &w_, range(1, 9)).numbers.empty());
  EXPECT_TRUE(exists("workers/w"));
  ASSERT_TRUE(is_ok(logs.remove(logs.take_deleted())));
  EXPECT_FALSE(exists("workers/w"));
  faults().reset_counts();
  ASSERT_TRUE(is_ok(logs.sync()));
  EXPECT_NE(faults().count(CallKind::sync_all) + faults().count(CallKind::sync_directory), 0U);
}

TEST_F(LogsFiles, DeletedWorkerWithoutADirectoryIsNothingToRemove) {
  Logs logs(files(), one_part);
  logs.forget(w_);
  EXPECT_TRUE(is_ok(logs.remove(logs.take_deleted())));
}

TEST_F(LogsFiles, RemovalThatFailsIsTriedAgain) {
  Logs logs(files(), one_part);
  for (const char* name : {"a", "b", "c"}) {
    put_entries(logs, worker_id(name), 2);
    logs.forget(worker_id(name));
  }
  faults().plan({CallKind::remove, 3, 1, EIO});
  EXPECT_TRUE(fails_with(logs.remove(logs.take_deleted()), ErrorCode::store_io));
  ASSERT_TRUE(is_ok(logs.remove(logs.take_deleted())));
  EXPECT_TRUE(names("workers").empty());
}

TEST_F(LogsFiles, StrayDirectoryStaysAndKeepsNothingElseFromGoing) {
  Logs logs(files(), one_part);
  put_entries(logs, w_, 2);
  put("workers/w/notes/by hand.txt", "mine");
  logs.forget(w_);
  ASSERT_TRUE(is_ok(logs.remove(logs.take_deleted())));
  EXPECT_EQ(names("workers/w"), std::vector<std::string>{"notes"});
  EXPECT_EQ(content("workers/w/notes/by hand.txt"), "mine");
}

}  // namespace
}  // namespace worker_runtime::fs_store
