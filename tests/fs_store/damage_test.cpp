// Damage to a Worker's files stays with that Worker: the store opens, the others work, and what is
// good of the damaged one can be read.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "checked_line.h"
#include "store_fixture.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::input;
using testing::is_ok;

constexpr std::string_view transcript_path = "workers/w/transcript.jsonl";

class Damage : public testing::StoreFixture {
 public:
  using StoreFixture::path;
  using StoreFixture::read;
  using StoreFixture::write;

  /// The transcript of Worker w, line by line, and back.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    const std::string text = read(transcript_path);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      lines.push_back(text.substr(at, text.find('\n', at) + 1 - at));
    return lines;
  }
  void put(const std::vector<std::string>& lines) const {
    std::string text;
    for (const std::string& line : lines) text += line;
    write(transcript_path, text);
  }
  void flip_line(std::size_t number) const {
    auto changed = lines();
    changed.at(number - 1).at(40) ^= 0x01;
    put(changed);
  }

 protected:
  /// Two Workers with five entries each, in a store that was closed; 23 events.
  void make_store() {
    open();
    // So that all their event ids have two digits, and both transcripts the same length.
    for (int round = 0; round < 5; ++round) {
      ASSERT_TRUE(is_ok(runtime().stop_runtime()));
      ASSERT_TRUE(is_ok(runtime().start_runtime()));
    }
    for (const char* const id : {"w", "v"}) {
      create(id);
      send(id, 5);
    }
    close();
  }
  void expect_worker_v_works(std::uint64_t entries) {
    send("v", 1, entries + 1);
    EXPECT_EQ(all_entries(runtime(), "v").size(), entries + 1);
  }
  [[nodiscard]] std::vector<WorkerSummary> damaged_workers() {
    ListQuery query;
    query.status = StatusFilter::damaged;
    return runtime().list_workers(query)->workers;
  }
  Result<TranscriptPage> page_from(std::uint64_t start) {
    TranscriptQuery query;
    query.start = start;
    return runtime().read_transcript(ref("w"), query);
  }
};

struct Harm {
  std::string name;
  std::function<void(const Damage& store)> inflict;
  std::uint64_t readable = 0;                        ///< Entries before the damage.
  std::optional<std::uint64_t> next = std::nullopt;  ///< The index where reading can go on.
  bool shows_at_the_end = true;                      ///< So that an input finds it.
};
void PrintTo(const Harm& harm, std::ostream* out) { *out << harm.name; }

class WorkerHarm : public Damage, public ::testing::WithParamInterface<Harm> {};

TEST_P(WorkerHarm, LeavesTheWorkerListedReadableUpToItAndWithoutInput) {
  make_store();
  const Harm& harm = GetParam();
  harm.inflict(*this);
  open();
  EXPECT_EQ(runtime().list_workers()->workers.size(), 2U);
  if (harm.shows_at_the_end) {
    EXPECT_TRUE(
        fails_with(runtime().send_input(input(ref("w"), "more")), ErrorCode::worker_damaged));
  }
  if (harm.readable > 0) {
    const auto good = page_from(0);
    ASSERT_TRUE(is_ok(good));
    ASSERT_EQ(good->items.size(), harm.readable);
    EXPECT_EQ(good->items.back().content, "w " + std::to_string(harm.readable));
    EXPECT_EQ(good->next, harm.readable);
    EXPECT_EQ(good->total, 5U);
  }
  const auto bad = page_from(harm.readable);
  ASSERT_TRUE(fails_with(bad, ErrorCode::store_corrupt));
  const auto* const fields = bad.error().get<FileFields>();
  ASSERT_NE(fields, nullptr);
  EXPECT_NE(fields->path.find("workers/w/transcript"), std::string::npos) << fields->path;
  EXPECT_EQ(fields->next_readable, harm.next);
  if (harm.next) {
    const auto behind = page_from(*harm.next);
    ASSERT_TRUE(is_ok(behind));
    EXPECT_EQ(behind->items.at(0).sequence, Sequence{*harm.next + 1});
  }

  EXPECT_TRUE(fails_with(runtime().send_input(input(ref("w"), "more")), ErrorCode::worker_damaged));
  const auto damaged = damaged_workers();
  ASSERT_EQ(damaged.size(), 1U);
  EXPECT_EQ(damaged[0].worker_ref, ref("w"));
  EXPECT_EQ(damaged[0].status, WorkerStatus::running);
  EXPECT_TRUE(damaged[0].damaged);
  EXPECT_EQ(runtime().summary()->damaged_worker_count, 1U);
  const auto told = diagnostics_of("worker.damaged");
  ASSERT_EQ(told.size(), 1U) << "one condition, one diagnostic";
  EXPECT_EQ(told[0].worker_ref, ref("w"));
  expect_worker_v_works(5);
}

TEST_P(WorkerHarm, IsFoundByVerifyAndGoneWithTheWorker) {
  make_store();
  GetParam().inflict(*this);
  bool found = false;
  for (const Finding& finding : findings()) {
    found = found || (finding.severity == Severity::error &&
                      finding.path.find("workers/w") != std::string::npos);
  }
  EXPECT_TRUE(found);
  open();
  EXPECT_TRUE(is_ok(runtime().cancel_worker({ref("w"), "damaged"})));
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("w"), std::nullopt}))) << "it has ended already";
  EXPECT_TRUE(is_ok(runtime().delete_worker({ref("w")})));
  EXPECT_TRUE(damaged_workers().empty());
  EXPECT_EQ(runtime().summary()->damaged_worker_count, 0U);
  EXPECT_EQ(all_events(runtime()).size(), 25U) << "the event log keeps its history";
  close();
  expect_clean();
}

TEST_P(WorkerHarm, DoesNotKeepTheStoreFromBeingClosedAndOpenedAgain) {
  make_store();
  GetParam().inflict(*this);
  for (std::uint64_t round = 5; round < 8; ++round) {
    open();
    expect_worker_v_works(round);
    EXPECT_TRUE(is_ok(runtime().checkpoint()));
    EXPECT_TRUE(fails_with(page_from(GetParam().readable), ErrorCode::store_corrupt));
    close();
  }
}

std::vector<Harm> harms() {
  return {
      {"directory_removed",
       [](const Damage& store) { std::filesystem::remove_all(store.path("workers/w")); }},
      {"all_directories_removed",
       [](const Damage& store) {
         std::filesystem::rename(store.path("workers/v"), store.path("v"));
         std::filesystem::remove_all(store.path("workers"));
         std::filesystem::create_directory(store.path("workers"));
         std::filesystem::rename(store.path("v"), store.path("workers/v"));
       }},
      {"transcript_removed",
       [](const Damage& store) { std::filesystem::remove(store.path(transcript_path)); }},
      {"transcript_emptied", [](const Damage& store) { store.write(transcript_path, ""); }},
      {"transcript_cut_within_a_line",
       [](const Damage& store) {
         auto lines = store.lines();
         lines.resize(4);
         lines[3].resize(50);
         store.put(lines);
       },
       3},
      {"transcript_cut_behind_a_line",
       [](const Damage& store) {
         auto lines = store.lines();
         lines.resize(3);
         store.put(lines);
       },
       3},
      {"last_line_flipped", [](const Damage& store) { store.flip_line(5); }, 4},
      {"first_line_flipped", [](const Damage& store) { store.flip_line(1); }, 0, 1, false},
      {"line_in_the_middle_flipped", [](const Damage& store) { store.flip_line(3); }, 2, 3, false},
      {"line_removed",
       [](const Damage& store) {
         auto lines = store.lines();
         lines.erase(lines.begin() + 2);
         store.put(lines);
       },
       2, 3},
      {"lines_swapped",
       [](const Damage& store) {
         auto lines = store.lines();
         std::swap(lines[3], lines[4]);
         store.put(lines);
       },
       3, 4, false},
      {"transcript_of_another_worker",
       [](const Damage& store) {
         store.write(transcript_path, store.read("workers/v/transcript.jsonl"));
       }},
      {"zeroed",
       [](const Damage& store) {
         store.write(transcript_path, std::string(store.read(transcript_path).size(), '\0'));
       }},
  };
}

INSTANTIATE_TEST_SUITE_P(Kinds, WorkerHarm, ::testing::ValuesIn(harms()),
                         [](const auto& harm) { return harm.param.name; });

// ---- with entries that are still in the journal

TEST_F(Damage, FoundByRecoveryLeavesEntriesOfTheJournalReadable) {
  open();
  for (const char* const id : {"w", "v"}) {
    create(id);
    send(id, 3);
  }
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  send("w", 2, 4);
  drop();
  auto cut = lines();
  cut.resize(2);
  put(cut);
  open();
  ASSERT_EQ(damaged_workers().size(), 1U) << "known once the store is open";
  EXPECT_EQ(diagnostics_of("worker.damaged").size(), 1U);
  EXPECT_EQ(page_from(0)->items.size(), 2U);
  const auto bad = page_from(2);
  ASSERT_TRUE(fails_with(bad, ErrorCode::store_corrupt));
  EXPECT_EQ(bad.error().get<FileFields>()->next_readable, 3U);
  const auto behind = page_from(3);
  ASSERT_TRUE(is_ok(behind));
  ASSERT_EQ(behind->items.size(), 2U);
  EXPECT_EQ(behind->items[1].content, "w 5");
  expect_worker_v_works(3);
  close();
  open();
  EXPECT_EQ(page_from(3)->items.size(), 2U);
  EXPECT_TRUE(fails_with(page_from(2), ErrorCode::store_corrupt));
  // What was closed as a part is damaged still, whatever was appended behind it.
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_TRUE(fails_with(runtime().send_input(input(ref("w"), "x")), ErrorCode::worker_damaged));
    EXPECT_EQ(damaged_workers().size(), 1U);
    expect_worker_v_works(4 + static_cast<std::uint64_t>(opened));
    close();
    open();
  }
}

/// A link where a Worker's directory was, met by whoever extends its transcript.
class ReplacedDirectory : public Damage {
 protected:
  void make_two_workers() {
    open();
    for (const char* const id : {"w", "v"}) {
      create(id);
      send(id, 3);
    }
    close();
    open();
    send("w", 1, 4);
    std::filesystem::rename(path("workers/w"), directory_.path() / "elsewhere");
    std::filesystem::create_directory_symlink(directory_.path() / "elsewhere", path("workers/w"));
  }
  void expect_damage_of_w_alone(std::uint64_t entries_of_v) {
    EXPECT_TRUE(fails_with(runtime().send_input(input(ref("w"), "x")), ErrorCode::worker_damaged));
    EXPECT_EQ(damaged_workers().size(), 1U);
    const auto behind = page_from(3);
    ASSERT_TRUE(is_ok(behind));
    EXPECT_EQ(behind->items.at(0).content, "w 4");
    expect_worker_v_works(entries_of_v);
  }
  void expect_link_in_quarantine() const {
    ASSERT_EQ(quarantined().size(), 1U);
    EXPECT_TRUE(std::filesystem::is_symlink(path("quarantine/" + quarantined()[0])));
    EXPECT_TRUE(std::filesystem::exists(directory_.path() / "elsewhere/transcript.jsonl"));
  }
};

TEST_F(ReplacedDirectory, HoldsUpNoOtherLogAndNoCheckpoint) {
  make_two_workers();
  expect_worker_v_works(3);
  EXPECT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_NE(read("workers/v/transcript.jsonl").find("\"sequence\":4,"), std::string::npos);
  expect_link_in_quarantine();
  EXPECT_TRUE(eventually([this] { return !diagnostics_of("worker.damaged").empty(); }));
  expect_damage_of_w_alone(4);
  close();
  open();
  expect_damage_of_w_alone(5);
}

TEST_F(ReplacedDirectory, HoldsUpNoOpen) {
  make_two_workers();
  drop();
  open();
  expect_link_in_quarantine();
  expect_damage_of_w_alone(3);
  close();
  open();
  expect_damage_of_w_alone(4);
}

// ---- what is not one Worker's

TEST_F(Damage, OfTheReserveIsFoundAndMadeGoodByTheNextWriter) {
  make_store();
  flip("journal/reserve.1", 100);
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings()[0].path, "runtimes/main/journal/reserve.1");
  // A note: a crash may leave such a piece by right, and nothing of the store is in it.
  EXPECT_EQ(findings()[0].severity, Severity::info);
  open();
  close();
  EXPECT_TRUE(findings().empty());
}

TEST_F(Damage, AStoreWithoutItsWorkersIsNotTakenForAnEmptyOne) {
  make_store();
  std::filesystem::remove_all(path("workers"));
  bool told = false;
  for (const Finding& finding : findings()) told = told || finding.severity == Severity::error;
  EXPECT_TRUE(told);
  open();
  EXPECT_EQ(runtime().list_workers()->workers.size(), 2U);
  for (const char* const id : {"w", "v"}) {
    EXPECT_TRUE(fails_with(runtime().send_input(input(ref(id), "x")), ErrorCode::worker_damaged));
    EXPECT_TRUE(fails_with(runtime().read_transcript(ref(id)), ErrorCode::store_corrupt));
  }
  EXPECT_EQ(damaged_workers().size(), 2U);
  EXPECT_EQ(all_events(runtime()).size(), 23U);
  create("new");
  send("new", 1);
  close();
  open();
  EXPECT_EQ(all_entries(runtime(), "new").size(), 1U);
}

TEST_F(Damage, StrayFilesAreReportedAndIgnored) {
  make_store();
  std::filesystem::create_directory(path("workers/nobody"));
  for (const char* const name :
       {"notes.txt", "workers/file", "workers/nobody/transcript.jsonl", "workers/w/notes.txt"}) {
    write(name, "stray");
  }
  std::vector<std::string> told;
  for (const Finding& finding : findings()) {
    EXPECT_EQ(finding.severity, Severity::info) << finding.message;
    EXPECT_EQ(finding.code, "stray_file");
    told.push_back(finding.path);
  }
  EXPECT_EQ(told.size(), 4U) << ::testing::PrintToString(told);
  open();
  EXPECT_EQ(runtime().list_workers()->workers.size(), 2U);
  expect_worker_v_works(5);
  close();
  EXPECT_EQ(read("notes.txt"), "stray");
  EXPECT_EQ(read("workers/nobody/transcript.jsonl"), "stray");
  expect_clean();
}

TEST_F(Damage, BytesThatSomebodyAppendedGoToQuarantine) {
  make_store();
  write(transcript_path, read(transcript_path) + "appended by hand\n");
  open();
  send("w", 1, 6);
  close();
  ASSERT_EQ(quarantined().size(), 1U);
  EXPECT_EQ(read("quarantine/" + quarantined()[0]), "appended by hand\n");
  expect_clean();
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 6U);
}

TEST_F(Damage, OfTheEventLogIsNamedByTheReadsThatMeetIt) {
  make_store();
  flip("events.jsonl", read("events.jsonl").find("\"id\":7") + 20);
  open();
  const auto good = runtime().read_events();
  ASSERT_TRUE(is_ok(good));
  EXPECT_EQ(good->events.size(), 6U);
  EventQuery query;
  query.from = good->next;
  const auto bad = runtime().read_events(query);
  ASSERT_TRUE(fails_with(bad, ErrorCode::store_corrupt));
  EXPECT_EQ(bad.error().get<FileFields>()->path, "runtimes/main/events.jsonl");
  EXPECT_EQ(bad.error().get<FileFields>()->line, 7U);
  query.from = EventId{*bad.error().get<FileFields>()->next_readable};
  EXPECT_EQ(runtime().read_events(query)->events.size(), 16U);
  // It is still extended.
  expect_worker_v_works(5);
  EXPECT_EQ(runtime().read_events(query)->events.size(), 17U);
  close();
  open();
  EXPECT_EQ(runtime().read_events(query)->events.size(), 17U);
}

/// A line that the journal has lost proves that its number was given. As long as nobody repairs the
/// store, it is not given again: not by the open that meets it, nor by a later one.
TEST_F(Damage, OfANewTranscriptIsNotForgottenByTheNextOpen) {
  open();
  create("w");
  send("w", 1);
  drop();
  TranscriptEntry lost;
  lost.sequence = Sequence{2};
  lost.worker_ref = ref("w");
  lost.content = "acknowledged once";
  lost.event_id = EventId{4};
  std::string object;
  encode(object, lost);
  std::string line;
  append_checked_line(line, object);
  std::filesystem::create_directories(path("workers/w"));
  write("workers/w/transcript.jsonl", line);
  for (int round = 0; round < 3; ++round) {
    open();
    EXPECT_TRUE(fails_with(runtime().send_input(input(ref("w"), "2")), ErrorCode::worker_damaged));
    EXPECT_EQ(all_entries(runtime(), "w").size(), 1U);
    close();
  }
  EXPECT_TRUE(is_ok(repair({options_.root, options_.runtime_id, RepairMode::apply})));
  open();
  const auto entries = all_entries(runtime(), "w");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].content, "acknowledged once");
  send("w", 1, 3);
}

}  // namespace
}  // namespace worker_runtime::fs_store
