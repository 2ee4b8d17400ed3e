// Where the journal ends, and what is damage: the decision table of journal_reader.h.
//
// Each row builds the files of a journal and says what a scan makes of them. The labels name the
// accident that leads to such files.
#include "journal_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "journal_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::damaged;
using testing::filler;
using testing::JournalLines;
using testing::lines;
using testing::record_object;
using testing::records;
using testing::segment;
using testing::Segments;
using testing::torn;

enum class Ending : std::uint8_t { clean, torn, corrupt, newer };

struct Row {
  std::string label;
  std::function<Segments()> build;
  Ending ending = Ending::clean;
  /// Clean or torn: the last good LSN. Corrupt: the line that is named, 0 for none.
  std::uint64_t last_or_line = 0;
  /// Clean or torn: everything up to here was durable for sure.
  std::uint64_t proven = 0;
  std::optional<std::uint64_t> proof = std::nullopt;  ///< From elsewhere.
  std::uint64_t checkpoint = 0;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.label; }

/// A writer that stopped between two groups.
std::vector<Row> clean_rows() {
  return {
      {"nothing_committed",
       [] {
         return Segments{{1, lines().header() + filler()}};
       },
       Ending::clean, 0, 0},
      {"stopped_between_groups",
       [] {
         auto journal = lines();
         return Segments{{1, segment(journal, 3) + filler()}};
       },
       Ending::clean, 3, 2},
      {"filler_cut_at_close",
       [] {
         auto journal = lines();
         return Segments{{1, segment(journal, 3)}};
       },
       Ending::clean, 3, 2},
      {"last_group_has_three_records",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 1);
         text += journal.record(1);
         text += journal.record(1);
         text += journal.record(1);
         return Segments{{1, text + filler()}};
       },
       Ending::clean, 4, 1},
      {"a_new_segment_without_a_record",
       [] {
         auto journal = lines();
         Segments segments{{1, segment(journal, 3) + filler()}};
         segments[4] = journal.header() + filler();
         return segments;
       },
       Ending::clean, 3, 3},
      {"two_segments",
       [] {
         auto journal = lines();
         Segments segments{{1, segment(journal, 3)}};
         segments[4] = segment(journal, 2) + filler();
         return segments;
       },
       Ending::clean, 5, 4},
      {"the_checkpoint_is_the_end",
       [] {
         auto journal = lines();
         return Segments{{1, segment(journal, 3) + filler()}};
       },
       Ending::clean, 3, 3, std::nullopt, 3},
      {"the_durable_file_names_the_last_record",
       [] {
         auto journal = lines();
         return Segments{{1, segment(journal, 3) + filler()}};
       },
       Ending::clean, 3, 3, 3},
      {"a_record_cannot_prove_itself",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         text += journal.record(9);
         return Segments{{1, text + filler()}};
       },
       Ending::clean, 3, 3},
      {"a_later_open_copied_what_was_in_doubt_and_went_on_differently",
       [] {
         auto journal = lines();
         std::string first = segment(journal, 2);
         auto recovered = journal;
         first += records(journal, 3);
         recovered.set_epoch(2);
         Segments segments{{1, first + filler()}};
         segments[3] = segment(recovered, 1) + filler();
         return segments;
       },
       Ending::clean, 3, 2},
      {"a_later_open_began_behind_a_torn_record",
       [] {
         auto journal = lines();
         std::string first = segment(journal, 2);
         auto recovered = journal;
         first += torn(journal.record());
         recovered.set_epoch(2);
         Segments segments{{1, first + filler()}};
         segments[3] = segment(recovered, 2) + filler();
         return segments;
       },
       Ending::clean, 4, 3},
      {"segments_below_the_checkpoint_are_not_looked_at",
       [] {
         auto journal = lines();
         segment(journal, 3);
         Segments segments{{1, "not a segment"}};
         segments[4] = segment(journal, 2) + filler();
         return segments;
       },
       Ending::clean, 5, 4, std::nullopt, 3},
  };
}

/// What lies past every proof and does not check.
std::vector<Row> torn_rows() {
  return {
      {"last_record_torn",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         return Segments{{1, text + torn(journal.record())}};
       },
       Ending::torn, 2, 1},
      {"last_record_torn_before_filler",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         return Segments{{1, text + torn(journal.record()) + filler()}};
       },
       Ending::torn, 2, 1},
      {"last_record_flipped",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         return Segments{{1, text + damaged(journal.record()) + filler()}};
       },
       Ending::torn, 2, 1},
      {"first_record_torn",
       [] {
         auto journal = lines();
         std::string text = journal.header();
         return Segments{{1, text + torn(journal.record()) + filler()}};
       },
       Ending::torn, 0, 0},
      {"nul_tail",
       [] {
         auto journal = lines();
         return Segments{{1, segment(journal, 2) + std::string(4096, '\0')}};
       },
       Ending::torn, 2, 1},
      {"first_record_of_a_group_lost",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         text += damaged(journal.record(2));
         text += journal.record(2);
         return Segments{{1, text + filler()}};
       },
       Ending::torn, 2, 2},
      {"first_sectors_of_a_group_never_written",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         text += std::string(journal.record(2).size(), '\n');
         text += journal.record(2);
         return Segments{{1, text + filler()}};
       },
       Ending::torn, 2, 2},
      {"record_of_another_history",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         auto other = lines();
         other.record(0, "another history");
         other.record(0);
         return Segments{{1, text + other.record(2) + filler()}};
       },
       Ending::torn, 2, 2},
      {"last_record_doubled",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 1);
         const std::string last = journal.record();
         return Segments{{1, text + last + last + filler()}};
       },
       Ending::torn, 2, 1},
      {"what_cannot_be_read_behind_the_end_proves_nothing",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         text += damaged(journal.record());
         text += journal.record_object(
             testing::with_member(record_object(journal, 3), R"(,"newer":1)"));
         return Segments{{1, text + filler()}};
       },
       Ending::torn, 2, 1},
      {"torn_behind_the_checkpoint",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         return Segments{{1, text + torn(journal.record())}};
       },
       Ending::torn, 2, 2, std::nullopt, 2},
  };
}

/// What lies below a proof and does not check: acknowledged data is damaged.
std::vector<Row> damage_below_a_proof() {
  return {
      {"a_later_record_proves_the_flipped_one",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         text += damaged(journal.record());
         return Segments{{1, text + journal.record() + filler()}};
       },
       Ending::corrupt, 4},
      {"a_later_record_proves_the_one_that_is_filler",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         text += std::string(journal.record().size(), '\n');
         return Segments{{1, text + journal.record() + filler()}};
       },
       Ending::corrupt, 4},
      {"the_next_segment_proves_the_flipped_one",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         Segments segments{{1, text + damaged(journal.record())}};
         segments[4] = journal.header() + filler();
         return segments;
       },
       Ending::corrupt, 4},
      {"the_next_segment_proves_one_that_is_not_there",
       [] {
         auto journal = lines();
         Segments segments{{1, segment(journal, 2) + filler()}};
         journal.record();
         segments[4] = segment(journal, 1) + filler();
         return segments;
       },
       Ending::corrupt, 4},
      {"the_durable_file_proves_the_flipped_one",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         return Segments{{1, text + damaged(journal.record()) + filler()}};
       },
       Ending::corrupt, 4, 0, 3},
      {"the_durable_file_proves_one_that_is_not_there",
       [] {
         auto journal = lines();
         return Segments{{1, segment(journal, 2)}};
       },
       Ending::corrupt, 0, 0, 3},
      {"record_missing",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 1);
         journal.record();
         return Segments{{1, text + journal.record() + filler()}};
       },
       Ending::corrupt, 3},
      {"records_swapped",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 1);
         const std::string second = journal.record();
         return Segments{{1, text + journal.record() + second + filler()}};
       },
       Ending::corrupt, 3},
      {"record_doubled_in_the_middle",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 1);
         const std::string second = journal.record();
         text += second + second;
         return Segments{{1, text + records(journal, 2) + filler()}};
       },
       Ending::corrupt, 4},
      {"the_end_is_before_the_checkpoint",
       [] {
         auto journal = lines();
         return Segments{{1, segment(journal, 3) + filler()}};
       },
       Ending::corrupt, 5, 0, std::nullopt, 5},
  };
}

/// Headers, and segments that are not there.
std::vector<Row> damaged_segments() {
  const auto foreign = [](const SegmentHeader& header) {
    return [header] { return Segments{{1, JournalLines::line(header) + filler()}}; };
  };
  const SegmentHeader good{Lsn{1}, testing::runtime_id("main"), Epoch{1}, Durability::sync, 0};
  SegmentHeader other_runtime = good;
  other_runtime.runtime_id = testing::runtime_id("other");
  SegmentHeader other_lsn = good;
  other_lsn.first_lsn = Lsn{2};
  return {
      {"segment_empty",
       [] {
         return Segments{{1, ""}};
       },
       Ending::corrupt, 1},
      {"header_torn",
       [] {
         return Segments{{1, torn(lines().header())}};
       },
       Ending::corrupt, 1},
      {"header_flipped",
       [] {
         return Segments{{1, damaged(lines().header())}};
       },
       Ending::corrupt, 1},
      {"header_is_a_record",
       [] {
         auto journal = lines();
         return Segments{{1, records(journal, 2)}};
       },
       Ending::corrupt, 1},
      {"segment_of_another_runtime", foreign(other_runtime), Ending::corrupt, 1},
      {"segment_under_another_name", foreign(other_lsn), Ending::corrupt, 1},
      {"segment_continues_another_history",
       [] {
         auto journal = lines();
         Segments segments{{1, segment(journal, 2) + filler()}};
         auto other = lines();
         other.record(0, "another history");
         other.record(0);
         segments[3] = segment(other, 1) + filler();
         return segments;
       },
       Ending::corrupt, 1},
      {"no_segment", [] { return Segments{}; }, Ending::corrupt, 0},
      {"segment_behind_the_checkpoint_missing",
       [] {
         auto journal = lines();
         records(journal, 5);
         return Segments{{6, segment(journal, 1) + filler()}};
       },
       Ending::corrupt, 0, 0, std::nullopt, 3},
      {"unknown_member_in_a_record",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         text += journal.record_object(
             testing::with_member(record_object(journal, 2), R"(,"newer":1)"));
         return Segments{{1, text + filler()}};
       },
       Ending::newer, 4},
      {"unknown_event_kind_in_a_record",
       [] {
         auto journal = lines();
         std::string text = segment(journal, 2);
         std::string changes(testing::plain_changes);
         changes.replace(changes.find("runtime_started"), 15, "worker_renamed_");
         text += journal.record_object(record_object(journal, 2, changes));
         return Segments{{1, text + filler()}};
       },
       Ending::newer, 4},
  };
}

// ---- the machinery

class JournalEnding : public testing::JournalFixture, public ::testing::WithParamInterface<Row> {};

TEST_P(JournalEnding, IsDecidedAsTheTableSays) {
  const Row& row = GetParam();
  put(row.build());
  ScanLimits limits;
  limits.checkpoint = Lsn{row.checkpoint};
  if (row.proof) limits.proof = Lsn{*row.proof};
  const auto scanned = scan(limits);

  if (row.ending == Ending::corrupt || row.ending == Ending::newer) {
    ASSERT_TRUE(testing::fails_with(scanned, row.ending == Ending::corrupt
                                                 ? ErrorCode::store_corrupt
                                                 : ErrorCode::store_version));
    const auto* const fields = scanned.error().get<FileFields>();
    if (row.ending == Ending::newer && fields == nullptr) return;  // it has the versions instead
    ASSERT_NE(fields, nullptr);
    EXPECT_EQ(fields->path.substr(0, 7), "journal");
    EXPECT_EQ(fields->line.value_or(0), row.last_or_line);
    return;
  }
  ASSERT_TRUE(testing::is_ok(scanned));
  EXPECT_EQ(scanned->end.last_lsn, Lsn{row.last_or_line});
  EXPECT_EQ(scanned->proven, Lsn{row.proven});
  EXPECT_EQ(scanned->torn.has_value(), row.ending == Ending::torn);
  std::vector<std::uint64_t> expected;
  for (std::uint64_t lsn = row.checkpoint + 1; lsn <= row.last_or_line; ++lsn)
    expected.push_back(lsn);
  EXPECT_EQ(visited_, expected);
  EXPECT_EQ(scanned->records, expected.size());
  // A new segment begins behind the proof, with copies of the records above it.
  EXPECT_EQ(scanned->proven_end.last_lsn, scanned->proven);
  const auto copies = std::count(scanned->above_proven.begin(), scanned->above_proven.end(), '\n');
  EXPECT_EQ(static_cast<std::uint64_t>(copies), row.last_or_line - row.proven);
}

std::string label_of(const ::testing::TestParamInfo<Row>& row) { return row.param.label; }
INSTANTIATE_TEST_SUITE_P(Clean, JournalEnding, ::testing::ValuesIn(clean_rows()), label_of);
INSTANTIATE_TEST_SUITE_P(Torn, JournalEnding, ::testing::ValuesIn(torn_rows()), label_of);
INSTANTIATE_TEST_SUITE_P(BelowAProof, JournalEnding, ::testing::ValuesIn(damage_below_a_proof()),
                         label_of);
INSTANTIATE_TEST_SUITE_P(Segments, JournalEnding, ::testing::ValuesIn(damaged_segments()),
                         label_of);

}  // namespace
}  // namespace worker_runtime::fs_store
