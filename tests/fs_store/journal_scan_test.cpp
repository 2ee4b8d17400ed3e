// What a scan of the journal tells beside its end, and the writer's mark in journal/durable.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "journal_fixture.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {
namespace {

using testing::damaged;
using testing::fails_with;
using testing::filler;
using testing::is_ok;
using testing::JournalLines;
using testing::lines;
using testing::records;
using testing::segment;
using testing::Segments;

class JournalScanTest : public testing::JournalFixture {};

TEST_F(JournalScanTest, AnswersTheHighestEpochOfHeadersAndRecords) {
  auto journal = lines();
  journal.set_epoch(3);
  Segments segments{{1, segment(journal, 2)}};
  journal.set_epoch(7);
  segments[3] = journal.header() + filler();
  put(segments);
  const auto scanned = scan();
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(scanned->epoch, Epoch{7});
}

TEST_F(JournalScanTest, AnswersTheDurabilityOfTheLastSegment) {
  auto journal = lines();
  Segments segments{{1, segment(journal, 2)}};
  segments[3] = journal.header(Durability::none) + filler();
  put(segments);
  const auto scanned = scan();
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(scanned->durability, Durability::none);
}

TEST_F(JournalScanTest, CountsTheBytesOfRecordsAndHeadersWithoutFiller) {
  auto journal = lines();
  const std::string first = segment(journal, 2);
  const std::string second = segment(journal, 1);
  put({{1, first + filler()}, {3, second + filler()}});
  const auto scanned = scan();
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(scanned->bytes, first.size() + second.size());
  ASSERT_EQ(scanned->segments.size(), 2U);
  EXPECT_EQ(scanned->segments.back().first_lsn, Lsn{3});
  EXPECT_EQ(scanned->segments.back().bytes, second.size());
}

TEST_F(JournalScanTest, NamesTheSegmentsBelowTheCheckpoint) {
  auto journal = lines();
  Segments segments;
  for (const std::uint64_t first : {1U, 3U, 5U}) segments[first] = segment(journal, 2);
  put(segments);
  ScanLimits limits;
  limits.checkpoint = Lsn{4};
  const auto scanned = scan(limits);
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(scanned->obsolete, (std::vector{layout::segment(Lsn{1}), layout::segment(Lsn{3})}));
  EXPECT_EQ(visited_, (std::vector<std::uint64_t>{5, 6}));
}

TEST_F(JournalScanTest, TellsWhereTheTornTailStandsUpToTheLastByteThatIsNoFiller) {
  auto journal = lines();
  const std::string good = segment(journal, 2);
  const std::string torn = damaged(journal.record(2));
  const std::string behind = journal.record(2);
  put({{1, good + torn + "\n\n" + behind + filler()}});
  const auto scanned = scan();
  ASSERT_TRUE(is_ok(scanned));
  ASSERT_TRUE(scanned->torn);
  EXPECT_EQ(scanned->torn->path, layout::segment(Lsn{1}));
  EXPECT_EQ(scanned->torn->line, 4U);
  EXPECT_EQ(scanned->torn->offset, good.size());
  EXPECT_EQ(scanned->torn->bytes, torn.size() + 2 + behind.size());
}

TEST_F(JournalScanTest, KeepsTheLinesAboveTheProofAsTheyStand) {
  auto journal = lines();
  std::string text = segment(journal, 2);
  const std::string third = journal.record(2);
  const std::string fourth = journal.record(2);
  put({{1, text + third + fourth + filler()}});
  const auto scanned = scan();
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(scanned->above_proven, third + fourth);
}

TEST_F(JournalScanTest, AReaderStopsBehindTheLsnItIsGiven) {
  auto journal = lines();
  std::string text = segment(journal, 2);
  text += damaged(journal.record());
  put({{1, text + journal.record() + filler()}});
  ScanLimits limits;
  limits.last_lsn = Lsn{2};
  const auto scanned = scan(limits);
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(scanned->end.last_lsn, Lsn{2});
  EXPECT_EQ(visited_, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(JournalScanTest, IgnoresOtherNamesInItsDirectory) {
  auto journal = lines();
  put({{1, segment(journal, 2) + filler()}});
  for (const char* const name : {"journal/next.0011223344556677.tmp", "journal/notes.txt",
                                 "journal/3.jsonl", "journal/00000000000000000003.jsonl"}) {
    put_file(name, "something else");
  }
  const auto scanned = scan();
  ASSERT_TRUE(is_ok(scanned));
  EXPECT_EQ(scanned->end.last_lsn, Lsn{2});
}

TEST_F(JournalScanTest, PutsThePlaceIntoAnErrorOfTheVisitor) {
  auto journal = lines();
  const std::string header = journal.header();
  put({{1, header + records(journal, 2)}});
  visitor_error_ = Error(ErrorCode::store_corrupt, "it does not fit");
  const auto scanned = scan();
  ASSERT_TRUE(fails_with(scanned, ErrorCode::store_corrupt));
  const auto* const fields = scanned.error().get<FileFields>();
  ASSERT_NE(fields, nullptr);
  EXPECT_EQ(fields->path, layout::segment(Lsn{1}));
  EXPECT_EQ(fields->line, 2U);
  EXPECT_EQ(fields->offset, header.size());
}

TEST_F(JournalScanTest, RefusesANewerSchemaWithBothVersions) {
  std::string header = lines().header();
  std::string object = "{" + header.substr(line_head_bytes);
  object.pop_back();
  const std::string now = "\"schema_version\":" + std::to_string(schema_version);
  const std::string newer = "\"schema_version\":" + std::to_string(schema_version + 1);
  object.replace(object.find(now), now.size(), newer);
  std::string line;
  append_checked_line(line, object);
  put({{1, line + filler()}});
  const auto scanned = scan();
  ASSERT_TRUE(fails_with(scanned, ErrorCode::store_version));
  const auto* const fields = scanned.error().get<VersionFields>();
  ASSERT_NE(fields, nullptr);
  EXPECT_EQ(*fields, (VersionFields{schema_version + 1, schema_version}));
}

TEST_F(JournalScanTest, AMissingDirectoryIsDamage) {
  ASSERT_TRUE(is_ok(file_system_->remove_directory(std::string(layout::journal))));
  EXPECT_TRUE(fails_with(scan(), ErrorCode::store_corrupt));
}

// ---- journal/durable

class DurableMarkTest : public testing::JournalFixture {
 protected:
  std::optional<DurableMark> read(std::string_view text) {
    put_file(std::string(layout::durable), text);
    return read_durable_mark(*file_system_);
  }
};

TEST_F(DurableMarkTest, ComesBackAsItWasWritten) {
  for (const auto writer :
       {DurableMark::Writer::open, DurableMark::Writer::closed, DurableMark::Writer::failed}) {
    for (const auto durability : {Durability::sync, Durability::interval, Durability::none}) {
      const DurableMark mark{Lsn{UINT64_MAX - 1}, Epoch{17}, writer, durability};
      const auto back = read(durable_mark_text(mark));
      ASSERT_TRUE(back);
      EXPECT_EQ(back->lsn, mark.lsn);
      EXPECT_EQ(back->epoch, mark.epoch);
      EXPECT_EQ(back->writer, writer);
      EXPECT_EQ(back->durability, durability);
    }
  }
}

TEST_F(DurableMarkTest, IsOfOneLengthWhateverItSays) {
  const auto length = durable_mark_text({}).size();
  EXPECT_EQ(durable_mark_text({Lsn{UINT64_MAX}, Epoch{UINT64_MAX}, DurableMark::Writer::closed,
                               Durability::interval})
                .size(),
            length);
}

TEST_F(DurableMarkTest, ProvesNothingWhenMissingTornOrFlipped) {
  EXPECT_FALSE(read_durable_mark(*file_system_));
  const std::string good = durable_mark_text({Lsn{3}, Epoch{1}});
  EXPECT_FALSE(read(""));
  EXPECT_FALSE(read(good + "\n"));
  EXPECT_FALSE(read(std::string(good.size(), '\0')));
  for (std::size_t at = 0; at < good.size(); ++at) {
    EXPECT_FALSE(read(good.substr(0, at))) << "cut to " << at << " bytes";
    std::string flipped = good;
    flipped[at] ^= 0x04;
    EXPECT_FALSE(read(flipped)) << "byte " << at << " flipped";
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
