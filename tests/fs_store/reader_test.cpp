// Reading a store without its lock: beside a writer, after one, and where there is none.
#include "worker_runtime/fs_store/reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class ReaderTest : public testing::StoreFixture {
 protected:
  /// A reader may be 100 ms behind; tests wait longer before they call it stuck.
  static constexpr std::chrono::seconds patience{30};

  void open_reader() {
    auto opened = Reader::open(options_.root);
    ASSERT_TRUE(is_ok(opened));
    reader_.emplace(*std::move(opened));
  }
  /// Waits until the reader shows the event.
  void follow_to(EventId last) {
    for (std::uint64_t seen = reader().summary()->event_count; seen < last.value;) {
      const auto page = reader().wait_events(EventId{seen + 1}, patience);
      ASSERT_TRUE(is_ok(page));
      ASSERT_FALSE(page->events.empty());
      seen = page->events.back().id.value;
    }
  }
  [[nodiscard]] Reader& reader() { return *reader_; }

  void expect_agreement(const std::vector<std::string>& ids) {
    EXPECT_EQ(all_events(reader()), all_events(runtime()));
    EXPECT_EQ(*reader().list_workers(), *runtime().list_workers());
    for (const std::string& id : ids) {
      EXPECT_EQ(all_entries(reader(), id), all_entries(runtime(), id));
      const auto mine = runtime().worker_detail(ref(id));
      const auto theirs = reader().worker_detail(ref(id));
      ASSERT_TRUE(is_ok(mine));
      ASSERT_TRUE(is_ok(theirs));
      EXPECT_EQ(*theirs, *mine);
    }
    auto mine = *runtime().summary();
    auto theirs = *reader().summary();
    // What the writer raised since its checkpoint is in no file yet.
    mine.diagnostic_count = theirs.diagnostic_count = 0;
    EXPECT_EQ(theirs.store->durable_lsn, mine.store->durable_lsn);
    EXPECT_EQ(theirs.store->checkpoint_lsn, mine.store->checkpoint_lsn);
    mine.store = theirs.store;
    EXPECT_EQ(theirs, mine);
  }

  std::optional<Reader> reader_;
};

// ---- between two writers

TEST_F(ReaderTest, DoesNotGoBackToTheMarkOfADeadWriterWhileTheNextOneOpens) {
  open();
  create("w");
  send("w", 3);
  const Lsn last = health().durable_lsn;
  drop();
  // It died behind a commit that it had no time to mark.
  const auto mark = durable_mark_text({Lsn{last.value - 1}, Epoch{1}});
  std::ofstream(path(std::string(layout::durable)), std::ios::binary) << mark;
  open_reader();
  EXPECT_EQ(reader().summary()->store->durable_lsn, last);

  RuntimeId found;
  const auto directory = open_runtime_directory(options_, found);
  ASSERT_TRUE(is_ok(directory));
  auto lock = take_store_lock(**directory, found, std::chrono::milliseconds(0));
  ASSERT_TRUE(is_ok(lock));
  EXPECT_EQ(reader().summary()->store->durable_lsn, last);
  open_reader();
  EXPECT_EQ(reader().summary()->store->durable_lsn, last) << "a reader that comes meanwhile";

  lock->reset();
  open();
  EXPECT_EQ(reader().summary()->store->durable_lsn, last);
  send("w", 1);
  follow_to(EventId{runtime().summary()->event_count});
}

// ---- beside a writer

TEST_F(ReaderTest, SeesWhatIsAcknowledged) {
  open();
  create("w");
  open_reader();
  for (std::uint64_t round = 1; round <= 5; ++round) {
    const auto sent = runtime().send_input(testing::input(ref("w"), "hello"));
    ASSERT_TRUE(is_ok(sent));
    follow_to(sent->event_id);
    EXPECT_EQ(reader().read_transcript(ref("w"))->total, round);
  }
}

TEST_F(ReaderTest, AgreesWithTheWriter) {
  open();
  open_reader();
  create("a");
  CreateRequest role;
  role.intent = RoleIntent{"reviewer", "find bugs"};
  role.worker_id = testing::worker_id("b");
  role.display_name = "B";
  ASSERT_TRUE(is_ok(runtime().create_worker(role)));
  send("a", 5);
  send("b", 3);
  AppendOutput output = testing::output(ref("b"), "done");
  output.name = "tool";
  output.data = R"({"x":1})";
  output.usage = {{"tokens", 12}};
  ASSERT_TRUE(is_ok(runtime().append_output(output)));
  const auto ended = runtime().stop_worker({ref("b"), "enough"});
  ASSERT_TRUE(is_ok(ended));
  follow_to(ended->event_id);
  expect_agreement({"a", "b"});
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  send("a", 1, 6);
  follow_to(EventId{14});
  expect_agreement({"a", "b"});
  const auto stopped = runtime().stop_runtime();
  ASSERT_TRUE(is_ok(stopped));
  follow_to(stopped->event_id);
  expect_agreement({"a", "b"});
}

TEST_F(ReaderTest, SeesDeletions) {
  open();
  create("w");
  send("w", 3);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  open_reader();
  ASSERT_TRUE(is_ok(reader().read_transcript(ref("w"))));
  ASSERT_TRUE(is_ok(runtime().stop_worker({ref("w"), std::nullopt})));
  const auto deleted = runtime().delete_worker({ref("w")});
  ASSERT_TRUE(is_ok(deleted));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  follow_to(deleted->event_id);
  EXPECT_TRUE(fails_with(reader().read_transcript(ref("w")), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(reader().worker_detail(ref("w")), ErrorCode::worker_not_found));
  EXPECT_TRUE(reader().list_workers()->workers.empty());
}

TEST_F(ReaderTest, AWorkerThatIsDeletedMeanwhileIsNotShownAsDamaged) {
  open();
  create("stays");
  // The reader does not look at the writer before every read: most rounds meet one that shows a
  // Worker whose files are gone.
  for (int round = 0; round < 20; ++round) {
    const std::string id = "w" + std::to_string(round);
    create(id);
    send(id, 1);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    ASSERT_TRUE(is_ok(runtime().stop_worker({ref(id), std::nullopt})));
    open_reader();
    ASSERT_TRUE(is_ok(runtime().delete_worker({ref(id)})));
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    for (const StatusFilter status : {StatusFilter::any, StatusFilter::damaged}) {
      ListQuery query;
      query.status = status;
      const auto page = reader().list_workers(query);
      ASSERT_TRUE(is_ok(page));
      for (const WorkerSummary& worker : page->workers) EXPECT_FALSE(worker.damaged) << id;
    }
    open_reader();
    EXPECT_EQ(reader().list_workers()->workers.size(), 1U);
  }
}

TEST_F(ReaderTest, PagesAcrossCheckpointsAndParts) {
  options_.log_part_bytes = 1000;
  open();
  create("w");
  open_reader();
  TranscriptQuery query;
  query.limit = 7;
  std::uint64_t seen = 0;
  for (std::uint64_t round = 0; round < 20; ++round) {
    send("w", 5, 1 + 5 * round);
    follow_to(EventId{2 + 5 * (round + 1)});
    if (round % 3 != 0) {
      ASSERT_TRUE(is_ok(runtime().checkpoint()));
    }
    query.start = seen;
    const auto page = reader().read_transcript(ref("w"), query);
    ASSERT_TRUE(is_ok(page));
    for (const TranscriptEntry& entry : page->items) {
      ++seen;
      EXPECT_EQ(entry.sequence, Sequence{seen});
      EXPECT_EQ(entry.content, "w " + std::to_string(seen));
    }
  }
  EXPECT_EQ(seen, 100U);
  EXPECT_EQ(all_entries(reader(), "w").size(), 100U);
  TranscriptQuery newest;
  newest.direction = Direction::newest_first;
  newest.limit = 100;
  const auto down = reader().read_transcript(ref("w"), newest);
  ASSERT_TRUE(is_ok(down));
  ASSERT_EQ(down->items.size(), 100U);
  EXPECT_EQ(down->items.back().sequence, Sequence{1});
}

TEST_F(ReaderTest, FollowsFromOneWriterToTheNext) {
  open();
  create("w");
  open_reader();
  const Epoch first = reader().summary()->epoch;
  send("w", 1);
  drop();
  open();
  send("w", 1, 2);
  follow_to(EventId{4});
  EXPECT_EQ(reader().read_events()->epoch.value, first.value + 1);
  close();
  open();
  send("w", 1, 3);
  follow_to(EventId{5});
  expect_agreement({"w"});
}

TEST_F(ReaderTest, AnswersTheErrorsOfARuntime) {
  open();
  create("w");
  open_reader();
  EventQuery ahead;
  ahead.from = EventId{100};
  EXPECT_TRUE(fails_with(reader().read_events(ahead), ErrorCode::cursor_ahead));
  ahead.from = EventId{0};
  EXPECT_TRUE(fails_with(reader().read_events(ahead), ErrorCode::invalid_request));
  TranscriptQuery query;
  query.limit = 0;
  EXPECT_TRUE(fails_with(reader().read_transcript(ref("w"), query), ErrorCode::invalid_request));
  query.limit = 1000;
  EXPECT_TRUE(fails_with(reader().read_transcript(ref("w"), query), ErrorCode::limit_exceeded));
  EXPECT_TRUE(fails_with(reader().read_transcript(ref("x")), ErrorCode::worker_not_found));
  const WorkerRef foreign{testing::runtime_id("other"), testing::worker_id("w")};
  EXPECT_TRUE(fails_with(reader().worker_detail(foreign), ErrorCode::wrong_runtime));
}

TEST_F(ReaderTest, AWaitEndsAtItsTimeoutAndWhenItIsAskedTo) {
  open();
  open_reader();
  const auto nothing = reader().wait_events(EventId{2}, std::chrono::milliseconds(0));
  ASSERT_TRUE(is_ok(nothing));
  EXPECT_TRUE(nothing->events.empty());
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = reader().wait_events(EventId{2}, std::chrono::hours(10), stop.get_token());
  ASSERT_TRUE(is_ok(stopped));
  EXPECT_TRUE(stopped->events.empty());
}

// ---- without a writer

TEST_F(ReaderTest, ThereIsNothingToRead) {
  EXPECT_TRUE(fails_with(Reader::open(options_.root), ErrorCode::store_missing));
  EXPECT_FALSE(std::filesystem::exists(options_.root)) << "a reader makes nothing";
  open();
  close();
  EXPECT_TRUE(fails_with(Reader::open(options_.root, testing::runtime_id("other")),
                         ErrorCode::store_missing));
}

TEST_F(ReaderTest, AClosedStoreIsShownAsItWasClosed) {
  open();
  create("w");
  send("w", 3);
  const auto events = all_events(runtime());
  const auto entries = all_entries(runtime(), "w");
  close();
  open_reader();
  EXPECT_EQ(all_events(reader()), events);
  EXPECT_EQ(all_entries(reader(), "w"), entries);
}

TEST_F(ReaderTest, AfterACrashEverythingAcknowledgedIsShownAndNothingIsWritten) {
  open();
  create("w");
  send("w", 2);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  send("w", 2, 3);
  const auto events = all_events(runtime());
  const auto entries = all_entries(runtime(), "w");
  drop();
  // A torn tail is passed over, and left for the next writer.
  std::string segment = read(last_segment());
  segment.replace(segment.find_last_not_of('\n') + 2, 4, "torn");
  write(last_segment(), segment);
  const auto before = names("journal");
  open_reader();
  EXPECT_EQ(all_events(reader()), events);
  EXPECT_EQ(all_entries(reader(), "w"), entries);
  EXPECT_EQ(names("journal"), before);
  EXPECT_EQ(read(last_segment()), segment);
  EXPECT_TRUE(quarantined().empty());
}

TEST_F(ReaderTest, OfAWriterThatFailedOnlyWhatWasAcknowledgedIsShown) {
  open_faulty();
  create("w");
  send("w", 2);
  Fault fault;
  fault.kind = CallKind::sync;
  fault.path_part = "journal/";
  faults_.plan(fault);
  // It is in the page cache, whole, and may never reach the disk.
  ASSERT_TRUE(fails_with(runtime().send_input(testing::input(ref("w"), "in doubt")),
                         ErrorCode::store_failed));
  open_reader();
  EXPECT_EQ(all_entries(reader(), "w").size(), 2U);
  EXPECT_TRUE(fails_with(runtime().close(), ErrorCode::store_failed));
  drop();
  open_reader();
  EXPECT_EQ(all_entries(reader(), "w").size(), 2U);
  EXPECT_EQ(all_events(reader()).size(), 4U);
}

// ---- damage

TEST_F(ReaderTest, ADamagedTranscriptIsReadUpToTheDamageAndBehindIt) {
  open();
  create("w");
  create("other");
  send("w", 5);
  send("other", 5);
  close();
  const std::size_t third = read("workers/w/transcript.jsonl").find("w 3");
  flip("workers/w/transcript.jsonl", third);
  open_reader();
  auto page = reader().read_transcript(ref("w"));
  ASSERT_TRUE(is_ok(page));
  EXPECT_EQ(page->items.size(), 2U);
  ASSERT_EQ(page->next, 2U);
  TranscriptQuery query;
  query.start = page->next;
  page = reader().read_transcript(ref("w"), query);
  ASSERT_TRUE(fails_with(page, ErrorCode::store_corrupt));
  const auto* const fields = page.error().get<FileFields>();
  ASSERT_NE(fields, nullptr);
  EXPECT_EQ(fields->path, "runtimes/main/workers/w/transcript.jsonl");
  EXPECT_EQ(fields->line, 3U);
  query.start = fields->next_readable;
  page = reader().read_transcript(ref("w"), query);
  ASSERT_TRUE(is_ok(page));
  EXPECT_EQ(page->items.size(), 2U);
  EXPECT_EQ(all_entries(reader(), "other").size(), 5U);
}

TEST_F(ReaderTest, DamageThatLeavesTheRecordsInDoubtFailsTheOpen) {
  open();
  close();
  flip("runtime.json", 40);
  const auto opened = Reader::open(options_.root);
  ASSERT_TRUE(fails_with(opened, ErrorCode::store_corrupt));
  EXPECT_EQ(opened.error().get<FileFields>()->path, "runtimes/main/runtime.json");
}

// ---- many readers

/// Reads all it can reach, again and again, and checks that every page is dense and fits the
/// summary that was read before it.
void read_again_and_again(const std::filesystem::path& root, const std::atomic<bool>& written,
                          std::uint64_t events_at_the_end) {
  auto opened = Reader::open(root);
  ASSERT_TRUE(is_ok(opened));
  const Reader& reader = *opened;
  std::uint64_t seen = 0;
  for (bool last = false; !last;) {
    last = written && seen == events_at_the_end;
    const auto summary = reader.summary();
    ASSERT_TRUE(is_ok(summary));
    ASSERT_GE(summary->event_count, seen) << "it went back";
    EventQuery query;
    query.from = EventId{seen + 1};
    const auto page = reader.read_events(query);
    ASSERT_TRUE(is_ok(page));
    for (const Event& event : page->events) ASSERT_EQ(event.id, EventId{++seen});
    const auto workers = reader.list_workers();
    ASSERT_TRUE(is_ok(workers));
    for (const WorkerSummary& worker : workers->workers) {
      TranscriptQuery newest;
      newest.direction = Direction::newest_first;
      newest.limit = 20;
      const auto entries = reader.read_transcript(worker.worker_ref, newest);
      if (fails_with(entries, ErrorCode::worker_not_found)) continue;  // deleted since
      ASSERT_TRUE(is_ok(entries));
      ASSERT_GE(entries->total, worker.transcript_len);
      std::uint64_t sequence = entries->total;
      for (const TranscriptEntry& entry : entries->items) {
        ASSERT_EQ(entry.sequence, Sequence{sequence--});
        ASSERT_EQ(entry.worker_ref, worker.worker_ref);
        ASSERT_EQ(entry.content,
                  worker.worker_ref.worker_id.text() + " " + std::to_string(entry.sequence.value));
      }
    }
  }
}

TEST_F(ReaderTest, ManyReadersSeeConsistentPagesWhileTheWriterWritesAndCheckpoints) {
  options_.durability = Durability::none;  // the disk is not what is tested
  options_.extend_interval = std::chrono::milliseconds(1);
  options_.checkpoint_bytes = 20'000;
  options_.log_part_bytes = 8'000;
  open();
  constexpr std::uint64_t workers = 8;
  constexpr std::uint64_t rounds = 250;
  std::atomic<bool> written = false;
  // runtime_started; created, `rounds` inputs, stopped and deleted for each Worker
  constexpr std::uint64_t events = 1 + workers * (1 + rounds + 2);
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] { read_again_and_again(options_.root, written, events); });
  }
  for (std::uint64_t worker = 0; worker < workers; ++worker) create("w" + std::to_string(worker));
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    for (std::uint64_t worker = 0; worker < workers; ++worker)
      send("w" + std::to_string(worker), 1, round);
  }
  for (std::uint64_t worker = 0; worker < workers; ++worker) {
    const auto id = "w" + std::to_string(worker);
    EXPECT_TRUE(is_ok(runtime().stop_worker({ref(id), std::nullopt})));
    EXPECT_TRUE(is_ok(runtime().delete_worker({ref(id)})));
    EXPECT_TRUE(is_ok(runtime().checkpoint()));
  }
  written = true;
  for (std::thread& reader : readers) reader.join();
  close();
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
