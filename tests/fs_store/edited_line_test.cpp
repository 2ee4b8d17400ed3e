// An editor that makes one line of a log longer or shorter moves all lines behind it: that is no
// damage to them, and what is appended later does not suffer either.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "store_fixture.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::input;
using testing::is_ok;

/// How many bytes line 3 gets; negative: loses.
class EditedLine : public testing::StoreFixture, public ::testing::WithParamInterface<int> {
 protected:
  /// Two Workers with five entries each, in a store that was closed; 13 events.
  void make_store() {
    open();
    for (const char* const id : {"w", "v"}) {
      create(id);
      send(id, 5);
    }
    close();
  }
  void edit(const std::string& path, const std::string& number) const {
    std::string text = read(path);
    const std::size_t at = text.find("\"at\"", text.find(number));
    if (GetParam() < 0) text.erase(at, static_cast<std::size_t>(-GetParam()));
    if (GetParam() > 0) text.insert(at, static_cast<std::size_t>(GetParam()), ' ');
    write(path, text);
  }
  /// All events that can be read, from page to page and from one damage to the next.
  [[nodiscard]] std::vector<std::uint64_t> readable_events(Direction direction) {
    const bool up = direction == Direction::oldest_first;
    const std::uint64_t last = runtime().summary()->event_count;
    std::vector<std::uint64_t> ids;
    EventQuery query;
    query.direction = direction;
    query.from = EventId{up ? 1 : last};
    while (query.from->value >= 1 && query.from->value <= last) {
      const auto page = runtime().read_events(query);
      if (page) {
        for (const Event& event : page->events) ids.push_back(event.id.value);
        query.from = EventId{up ? ids.back() + 1 : ids.back() - 1};
        continue;
      }
      EXPECT_TRUE(fails_with(page, ErrorCode::store_corrupt));
      const FileFields* const fields = page.error().get<FileFields>();
      if (fields == nullptr || !fields->next_readable) break;
      query.from = EventId{*fields->next_readable};
    }
    return ids;
  }
  void expect_all_events_but_the_third(std::uint64_t last) {
    std::vector<std::uint64_t> expected;
    for (std::uint64_t id = 1; id <= last; ++id) {
      if (id != 3) expected.push_back(id);
    }
    EXPECT_EQ(readable_events(Direction::oldest_first), expected);
    std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(readable_events(Direction::newest_first), expected);
  }
  Result<TranscriptPage> page_from(std::uint64_t start) {
    TranscriptQuery query;
    query.start = start;
    return runtime().read_transcript(ref("w"), query);
  }
  void repair_all() {
    ASSERT_TRUE(is_ok(repair({options_.root, options_.runtime_id, RepairMode::apply})));
    expect_clean();
  }
};

TEST_P(EditedLine, OfTheEventLogCostsNoOtherAndNoneThatComes) {
  make_store();
  edit("events.jsonl", "\"id\":3,");
  open();
  expect_all_events_but_the_third(13);
  send("v", 1, 6);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  expect_all_events_but_the_third(14);
  send("v", 1, 7);
  drop();
  open();
  expect_all_events_but_the_third(15);
  close();
  EXPECT_TRUE(quarantined().empty());
  repair_all();
}

/// Lines behind the checkpoint, which the journal has too, stand behind the edited ones.
TEST_P(EditedLine, OfTheEventLogCostsNoOtherAfterACrash) {
  make_store();
  open();
  send("v", 1, 6);
  drop();
  edit("events.jsonl", "\"id\":3,");
  open();
  expect_all_events_but_the_third(14);
  send("v", 1, 7);
  close();
  open();
  expect_all_events_but_the_third(15);
  close();
  repair_all();
}

TEST_P(EditedLine, OfATranscriptHidesNoOther) {
  make_store();
  edit("workers/w/transcript.jsonl", "\"sequence\":3,");
  open();
  EXPECT_EQ(page_from(0)->items.size(), 2U);
  EXPECT_EQ(page_from(3)->items.size(), 2U);
  EXPECT_TRUE(fails_with(page_from(2), ErrorCode::store_corrupt));
  EXPECT_TRUE(is_ok(runtime().send_input(input(ref("v"), "6"))));
  close();
  repair_all();
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 5U);
}

/// It was edited when the journal still had its last entries.
TEST_P(EditedLine, OfATranscriptHidesNoOtherAfterACrash) {
  make_store();
  open();
  send("w", 1, 6);
  drop();
  edit("workers/w/transcript.jsonl", "\"sequence\":3,");
  open();
  EXPECT_EQ(page_from(0)->items.size(), 2U);
  EXPECT_EQ(page_from(3)->items.size(), 3U);
  close();
  open();
  EXPECT_EQ(page_from(3)->items.size(), 3U);
  close();
  repair_all();
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 6U);
}

INSTANTIATE_TEST_SUITE_P(Lengths, EditedLine, ::testing::Values(-3, -1, 1, 3, 200, 5000));

}  // namespace
}  // namespace worker_runtime::fs_store
