// Lines of the logs through a Reader: whole, checked, in order, wherever they stand.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "checked_line.h"
#include "store_fixture.h"
#include "worker_runtime/fs_store/lines.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class ReaderLines : public testing::StoreFixture {
 protected:
  ReaderLines() { options_.log_part_bytes = 2000; }
  [[nodiscard]] Reader reader() const { return Reader::open(options_.root).value(); }
  static std::vector<TranscriptEntry> entries_of(const Reader& reader, std::string_view id,
                                                 std::optional<std::uint64_t> start = {}) {
    std::vector<TranscriptEntry> entries;
    LineDecoder decoder;
    const auto visited =
        reader.visit_transcript(ref(id), start, [&](std::uint64_t number, std::string_view line) {
          EXPECT_TRUE(check_line(line));
          auto entry = decoder.entry(line);
          EXPECT_TRUE(is_ok(entry));
          if (entry) {
            EXPECT_EQ(entry->sequence.value, number);
            entries.push_back(*std::move(entry));
          }
          return true;
        });
    EXPECT_TRUE(is_ok(visited));
    return entries;
  }
};

TEST_F(ReaderLines, AreThoseOfPartsFileAndJournal) {
  open();
  create("a");
  send("a", 30);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  send("a", 5, 31);  // in the journal alone
  const Reader beside = reader();
  EXPECT_EQ(entries_of(beside, "a"), all_entries(runtime(), "a"));
  std::uint64_t count = 0;
  LineDecoder decoder;
  ASSERT_TRUE(is_ok(beside.visit_events({}, [&](std::uint64_t number, std::string_view line) {
    const auto event = decoder.event(line);
    EXPECT_TRUE(is_ok(event));
    EXPECT_EQ(number, ++count);
    EXPECT_EQ(event->id.value, number);
    return true;
  })));
  EXPECT_EQ(count, all_events(runtime()).size());
}

TEST_F(ReaderLines, BeginWhereTheyAreAskedToAndEndWhenThereIsEnough) {
  open();
  create("a");
  send("a", 30);
  const Reader beside = reader();
  EXPECT_EQ(entries_of(beside, "a", 29).size(), 1U);
  EXPECT_EQ(entries_of(beside, "a", 30).size(), 0U);
  const auto nothing = [](std::uint64_t, std::string_view) { return true; };
  EXPECT_TRUE(fails_with(beside.visit_transcript(ref("a"), 31, nothing), ErrorCode::cursor_ahead));
  EXPECT_TRUE(
      fails_with(beside.visit_transcript(ref("b"), {}, nothing), ErrorCode::worker_not_found));
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(is_ok(beside.visit_events(EventId{7}, [&](std::uint64_t number, std::string_view) {
    seen.push_back(number);
    return seen.size() < 3;
  })));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{7, 8, 9}));
}

TEST_F(ReaderLines, BeginWithTheFirstThatIsKept) {
  open();
  create("a");
  send("a", 30);
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{21}})));
  const Reader beside = reader();
  EXPECT_EQ(entries_of(beside, "a").size(), 10U);
  const auto nothing = [](std::uint64_t, std::string_view) { return true; };
  EXPECT_TRUE(
      fails_with(beside.visit_transcript(ref("a"), 19, nothing), ErrorCode::cursor_expired));
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{31}})));
  EXPECT_EQ(entries_of(reader(), "a").size(), 0U);
}

TEST_F(ReaderLines, EndBeforeDamageAndSayWhereTheyGoOn) {
  open();
  create("a");
  send("a", 3);
  close();
  const std::string file = "workers/a/transcript.jsonl";
  flip(file, read(file).find("a 2"));
  const Reader alone = reader();
  std::vector<std::uint64_t> seen;
  const auto see = [&](std::uint64_t number, std::string_view) {
    seen.push_back(number);
    return true;
  };
  const auto visited = alone.visit_transcript(ref("a"), {}, see);
  ASSERT_TRUE(fails_with(visited, ErrorCode::store_corrupt));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1}));
  const auto* const fields = visited.error().get<FileFields>();
  ASSERT_NE(fields, nullptr);
  ASSERT_EQ(fields->next_readable, 2U);  // an index
  EXPECT_TRUE(is_ok(alone.visit_transcript(ref("a"), fields->next_readable, see)));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 3}));
}

TEST_F(ReaderLines, AreDenseBesideAWriterThatMovesFiles) {
  open();
  create("a");
  send("a", 1);
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    for (std::uint64_t number = 2; !enough; ++number) {
      send("a", 1, number);
      if (number % 10 == 0) {
        ASSERT_TRUE(is_ok(runtime().checkpoint()));
      }
    }
  });
  const Reader beside = reader();
  for (int round = 0; round < 100; ++round) {
    std::uint64_t last = 0;
    ASSERT_TRUE(
        is_ok(beside.visit_transcript(ref("a"), {}, [&](std::uint64_t number, std::string_view) {
          EXPECT_EQ(number, last + 1);
          last = number;
          return true;
        })));
    EXPECT_GT(last, 0U);
  }
  enough = true;
  writer.join();
}

}  // namespace
}  // namespace worker_runtime::fs_store
