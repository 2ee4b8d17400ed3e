// A reader that goes on with the writer: without loading the store again, across checkpoints, parts
// and writers, and woken where it waits.
#include <gtest/gtest.h>
#include <sys/inotify.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "open.h"
#include "posix_descriptor.h"
#include "reader_view.h"
#include "store_fixture.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

constexpr std::chrono::hours forever{10};
constexpr std::chrono::milliseconds at_once{0};

class ReaderFollow : public testing::StoreFixture {
 protected:
  void open_reader() {
    auto opened = Reader::open(options_.root);
    ASSERT_TRUE(is_ok(opened));
    reader_.emplace(*std::move(opened));
  }
  [[nodiscard]] Reader& reader() { return *reader_; }

  // ---- views

  std::shared_ptr<View> load_view() {
    StoreOptions options = options_;
    options.create = false;
    RuntimeId found;
    auto directory = open_runtime_directory(options, found);
    EXPECT_TRUE(is_ok(directory));
    if (!directory) return nullptr;
    auto view = View::load(*file_systems_.emplace_back(std::move(*directory)), found);
    EXPECT_TRUE(is_ok(view));
    return view ? *view : nullptr;
  }
  static std::uint64_t last_event(const View& view) {
    return view.with_loaded(
        [](const Loaded& loaded) { return loaded.state.runtime().last_event_id.value; });
  }
  static bool goes_on(View& view) {
    auto standing = view.advance();
    EXPECT_TRUE(is_ok(standing));
    return standing && *standing == View::Standing::current;
  }

  std::vector<std::unique_ptr<FileSystem>> file_systems_;  // of the views
  std::optional<Reader> reader_;
};

// ---- going on

TEST_F(ReaderFollow, GoesOnWithoutReadingTheRecordsAgain) {
  open();
  create("w");
  const auto view = load_view();
  ASSERT_TRUE(view);
  std::filesystem::rename(path("runtime.json"), path("elsewhere"));
  send("w", 3);
  create("v");
  EXPECT_TRUE(goes_on(*view));
  EXPECT_EQ(last_event(*view), 6U);
  EXPECT_TRUE(goes_on(*view)) << "nothing new";
  std::filesystem::rename(path("elsewhere"), path("runtime.json"));
  close();
}

TEST_F(ReaderFollow, GoesOnIntoTheNextSegment) {
  open();
  create("w");
  const auto view = load_view();
  ASSERT_TRUE(view);
  const std::string text(600'000, 'x');
  for (int round = 0; round < 4; ++round)
    ASSERT_TRUE(is_ok(runtime().send_input(testing::input(ref("w"), text))));
  ASSERT_GT(names("journal").size(), 2U) << "more than one segment, and the mark";
  EXPECT_TRUE(goes_on(*view));
  EXPECT_EQ(last_event(*view), 6U);
  EXPECT_EQ(view->with_loaded([](const Loaded& loaded) { return loaded.journal.bytes; }),
            load_view()->with_loaded([](const Loaded& loaded) { return loaded.journal.bytes; }));
}

TEST_F(ReaderFollow, IsLostOnceACheckpointDroppedWhereItStood) {
  open();
  create("w");
  const auto view = load_view();
  ASSERT_TRUE(view);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_FALSE(goes_on(*view));
}

TEST_F(ReaderFollow, IsLostWithAnotherWriter) {
  open();
  create("w");
  const auto view = load_view();
  ASSERT_TRUE(view);
  drop();
  EXPECT_FALSE(goes_on(*view)) << "what lies behind the mark may be shown now";
  const auto without_writer = load_view();
  ASSERT_TRUE(without_writer);
  EXPECT_TRUE(goes_on(*without_writer));
  open();
  EXPECT_FALSE(goes_on(*view));
  EXPECT_FALSE(goes_on(*without_writer));
}

TEST_F(ReaderFollow, IdleBesideAWriterThatOpenedAndDidNothingItStaysWhereItIs) {
  open();
  create("w");
  drop();
  open();
  const auto view = load_view();
  ASSERT_TRUE(view);
  EXPECT_TRUE(goes_on(*view));
  EXPECT_EQ(view->epoch(), runtime().summary()->epoch);
  send("w", 1);
  EXPECT_TRUE(goes_on(*view));
  EXPECT_EQ(last_event(*view), 3U);
}

TEST_F(ReaderFollow, WhatAReaderShowedStaysShownWhileTheNextWriterOpens) {
  open();
  create("w");
  const std::string mark = read("journal/durable");
  send("w", 2);
  drop();
  // As after a crash between the last sync and its mark.
  write("journal/durable", mark);
  open_reader();
  ASSERT_EQ(reader().summary()->event_count, 4U);
  RuntimeId found;
  auto directory = open_runtime_directory(options_, found);
  ASSERT_TRUE(is_ok(directory));
  const auto lock = take_store_lock(**directory, found, at_once);
  ASSERT_TRUE(is_ok(lock));
  ASSERT_TRUE(is_ok(reader().wait_events(EventId{5}, at_once)));
  EXPECT_EQ(reader().summary()->event_count, 4U);
}

TEST_F(ReaderFollow, WithoutTheWritersMarkOnlyWhatTheJournalProvesIsShown) {
  open_faulty();
  create("w");
  send("w", 2);
  std::filesystem::remove(path("journal/durable"));
  Fault fault;
  fault.kind = CallKind::sync;
  fault.path_part = "journal/";
  faults_.plan(fault);
  // It is in the page cache, whole, and may never reach the disk.
  ASSERT_TRUE(fails_with(runtime().send_input(testing::input(ref("w"), "in doubt")),
                         ErrorCode::store_failed));
  open_reader();
  EXPECT_EQ(reader().read_transcript(ref("w"))->total, 2U);
  EXPECT_EQ(reader().summary()->event_count, 4U);
}

TEST_F(ReaderFollow, WithoutTheWritersMarkItFollowsAllTheSame) {
  open();
  create("w");
  std::filesystem::remove(path("journal/durable"));
  open_reader();
  send("w", 3);
  // The last one is proven by the one behind it.
  const auto page = reader().wait_events(EventId{4}, forever);
  ASSERT_TRUE(is_ok(page));
  EXPECT_EQ(page->events.size(), 1U);
}

TEST_F(ReaderFollow, AForeignLastEntryIsDamageForReadersToo) {
  open();
  create("a");
  create("b");
  send("a", 2);
  send("b", 2);
  close();
  std::filesystem::copy_file(path("workers/b/transcript.jsonl"), path("workers/a/transcript.jsonl"),
                             std::filesystem::copy_options::overwrite_existing);
  open_reader();
  const auto detail = reader().worker_detail(ref("a"));
  ASSERT_TRUE(is_ok(detail));
  EXPECT_EQ(detail->summary.damaged, "sequence 2 of worker a belongs to worker b");
  const auto page = reader().list_workers();
  ASSERT_TRUE(is_ok(page));
  EXPECT_EQ(page->workers.front().damaged, detail->summary.damaged);
  EXPECT_FALSE(page->workers.back().damaged);
}

// ---- waiting

TEST_F(ReaderFollow, AWaitForEntriesShowsWhatIsThere) {
  open();
  create("w");
  send("w", 3);
  open_reader();
  const auto page = reader().wait_transcript(ref("w"), 1, forever, {}, 1);
  ASSERT_TRUE(is_ok(page));
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items.front().content, "w 2");
  EXPECT_EQ(page->next, 2U);
}

TEST_F(ReaderFollow, AWaitForEntriesAnswersTheErrorsOfARead) {
  open();
  create("w");
  open_reader();
  const auto nothing = reader().wait_transcript(ref("w"), 0, at_once);
  ASSERT_TRUE(is_ok(nothing));
  EXPECT_TRUE(nothing->items.empty());
  EXPECT_TRUE(fails_with(reader().wait_transcript(ref("w"), 1, forever), ErrorCode::cursor_ahead));
  EXPECT_TRUE(
      fails_with(reader().wait_transcript(ref("x"), 0, forever), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(reader().wait_transcript(ref("w"), 0, forever, {}, 0),
                         ErrorCode::invalid_request));
  const WorkerRef foreign{testing::runtime_id("other"), testing::worker_id("w")};
  EXPECT_TRUE(fails_with(reader().wait_transcript(foreign, 0, forever), ErrorCode::wrong_runtime));
}

TEST_F(ReaderFollow, AWaitEndsWhenTheWorkerIsDeleted) {
  open();
  create("w");
  open_reader();
  std::optional<Result<TranscriptPage>> answer;
  std::thread waiting([&] { answer = reader().wait_transcript(ref("w"), 0, forever); });
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("w"), std::nullopt})));
  EXPECT_TRUE(is_ok(runtime().delete_worker({ref("w")})));
  waiting.join();
  EXPECT_TRUE(fails_with(*answer, ErrorCode::worker_not_found));
}

TEST_F(ReaderFollow, AStopEndsAWaitInProgress) {
  open();
  create("w");
  open_reader();
  std::stop_source stop;
  std::optional<Result<EventPage>> answer;
  std::thread waiting(
      [&] { answer = reader().wait_events(EventId{3}, forever, stop.get_token()); });
  stop.request_stop();
  waiting.join();
  ASSERT_TRUE(is_ok(*answer));
  EXPECT_TRUE((*answer)->events.empty());
}

/// Reads to the `last` entry of `w`, waiting for each page.
void follow_transcript(const Reader& reader, const WorkerRef& worker_ref, std::uint64_t last) {
  for (std::uint64_t seen = 0; seen < last;) {
    const auto page = reader.wait_transcript(worker_ref, seen, forever);
    ASSERT_TRUE(is_ok(page));
    for (const TranscriptEntry& entry : page->items) {
      ASSERT_EQ(entry.sequence.value, ++seen);
      ASSERT_EQ(entry.content, "w " + std::to_string(seen));
    }
  }
}

TEST_F(ReaderFollow, AWaitOutlivesCheckpointsPartsAndWriters) {
  options_.log_part_bytes = 1000;
  open();
  create("w");
  close();
  open_reader();
  std::thread entries([&] { follow_transcript(reader(), ref("w"), 60); });
  std::thread events([&] {
    for (std::uint64_t seen = 0; seen < 62;) {
      const auto page = reader().wait_events(EventId{seen + 1}, forever);
      ASSERT_TRUE(is_ok(page));
      for (const Event& event : page->events) ASSERT_EQ(event.id.value, ++seen);
    }
  });
  for (std::uint64_t round = 0; round < 6; ++round) {
    open();
    send("w", 5, 1 + 10 * round);
    EXPECT_TRUE(is_ok(runtime().checkpoint()));
    send("w", 5, 6 + 10 * round);
    if (round % 2 == 0) {
      close();
    } else {
      drop();
    }
  }
  entries.join();
  events.join();
  expect_clean();
}

TEST_F(ReaderFollow, WhereNoWatchIsToBeHadItLooksFromTimeToTime) {
  open();
  create("w");
  open_reader();
  std::vector<Descriptor> all;
  while (all.empty() || all.back().number() >= 0) all.emplace_back(::inotify_init1(IN_CLOEXEC));
  std::thread waiting([&] { follow_transcript(reader(), ref("w"), 2); });
  send("w", 2);
  waiting.join();
}

}  // namespace
}  // namespace worker_runtime::fs_store
