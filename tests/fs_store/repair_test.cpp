// Repair: what is damaged is mended, what is good is kept, what is lost is told, and what was
// replaced lies in quarantine.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store_fixture.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {
namespace {

using worker_runtime::testing::is_ok;

class Repair : public worker_runtime::testing::StoreFixture {
 protected:
  /// Two Workers, "a" with 5 entries and "b" with 3, and a stopped one without; closed.
  void make_store() {
    open();
    for (const char* const id : {"a", "b", "c"}) create(id);
    send("a", 5);
    send("b", 3);
    ASSERT_TRUE(is_ok(runtime().stop_worker({ref("c"), "enough"})));
    before_events_ = all_events(runtime());
    before_entries_ = all_entries(runtime(), "a");
    close();
  }

  RepairReport repaired(RepairMode mode, std::vector<std::string> accepted = {}) {
    RepairOptions options;
    options.root = options_.root;
    options.mode = mode;
    options.accepted_files = std::move(accepted);
    auto report = repair(options);
    EXPECT_TRUE(is_ok(report));
    return report ? *report : RepairReport{};
  }

  /// Plans, applies, and looks at what came of it.
  RepairReport mend(const std::vector<std::string>& accepted = {}) {
    const RepairReport plan = repaired(RepairMode::plan, accepted);
    const RepairReport report = repaired(RepairMode::apply, accepted);
    EXPECT_EQ(plan.items, report.items) << "it does what it said";
    EXPECT_TRUE(report.applied);
    expect_clean();
    EXPECT_TRUE(repaired(RepairMode::plan).items.empty()) << "nothing is left to be mended";
    open();
    return report;
  }

  void open_again_and_expect_all() {
    const RepairReport report = mend();
    EXPECT_EQ(lost(report), 0U);
    EXPECT_EQ(all_events(runtime()), before_events_);
    EXPECT_EQ(all_entries(runtime(), "a"), before_entries_);
    EXPECT_EQ(runtime().worker_detail(ref("c"))->summary.status, WorkerStatus::stopped);
    const auto detail = runtime().worker_detail(ref("b"));
    ASSERT_TRUE(detail->request.has_value());
    EXPECT_EQ(*detail->request, worker_runtime::testing::task("work", "b"));
    EXPECT_EQ(detail->summary.usage.inputs, 3U);
    EXPECT_EQ(runtime().summary()->transcript_entry_count, 8U);
    EXPECT_EQ(runtime().summary()->usage.inputs, 8U);
    send("b", 1, 4);
    close();
    expect_clean();
  }

  /// Makes Worker "fork" of "a". Answers the event.
  EventId fork_a(std::uint64_t at) {
    ForkWorker fork;
    fork.worker_ref = ref("a");
    fork.at = Sequence{at};
    fork.worker_id = ref("fork").worker_id;
    const auto made = runtime().fork_worker(fork);
    EXPECT_TRUE(is_ok(made));
    return made ? made->summary.last_event_id : EventId{};
  }

  static std::uint64_t lost(const RepairReport& report) {
    std::uint64_t sum = 0;
    for (const RepairItem& item : report.items) sum += item.lost;
    return sum;
  }

  void remove(std::string_view relative) const { std::filesystem::remove_all(path(relative)); }

  std::vector<Event> before_events_;
  std::vector<TranscriptEntry> before_entries_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end + 1 - start));
    start = end + 1;
  }
  return lines;
}
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

TEST_F(Repair, AWholeStoreNeedsNone) {
  make_store();
  EXPECT_TRUE(repaired(RepairMode::plan).items.empty());
  EXPECT_FALSE(repaired(RepairMode::apply).applied);
  EXPECT_TRUE(quarantined().empty());
}

TEST_F(Repair, WhatACrashLeavesNeedsNone) {
  make_store();
  options_.extend_interval = std::chrono::milliseconds(0);
  options_.log_part_bytes = 700;
  open();
  create("d");
  send("a", 6, 6);
  send("d", 6);
  // A log that comes to the size of a part is away for a moment.
  ASSERT_TRUE(eventually([&] {
    std::ifstream file(path("workers/d/transcript.jsonl"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return text.find("d 6") != std::string::npos;
  }));
  drop();
  write("events.jsonl", read("events.jsonl") + "{\"crc\":\"to");
  write(last_segment(),
        read(last_segment()).insert(read(last_segment()).find("\n\n") + 1, "{\"torn"));
  EXPECT_TRUE(repaired(RepairMode::plan).items.empty());
  EXPECT_FALSE(repaired(RepairMode::apply).applied);
  open();
  EXPECT_EQ(all_entries(runtime(), "d").size(), 6U);
}

TEST_F(Repair, ADamagedEntryLeavesOneThatSaysSo) {
  make_store();
  const std::string file = "workers/a/transcript.jsonl";
  const std::string damaged = [&] {
    flip(file, read(file).find("a 3"));
    return read(file);
  }();
  const RepairReport report = mend();
  EXPECT_EQ(lost(report), 1U);
  ASSERT_EQ(report.items.size(), 1U);
  EXPECT_EQ(report.items[0].action, "write_log");
  EXPECT_EQ(report.items[0].path, "runtimes/main/" + file);
  EXPECT_EQ(report.items[0].worker_id, "a");
  const std::vector<TranscriptEntry> entries = all_entries(runtime(), "a");
  ASSERT_EQ(entries.size(), 5U);
  for (std::size_t index = 0; index < 5; ++index) {
    if (index != 2) {
      EXPECT_EQ(entries[index], before_entries_[index]);
    }
  }
  EXPECT_EQ(entries[2].at, before_entries_[2].at);
  EXPECT_EQ(entries[2].event_id, before_entries_[2].event_id);
  EXPECT_EQ(entries[2].role, Role::user);
  EXPECT_EQ(entries[2].data, R"({"lost":true})");
  EXPECT_EQ(all_events(runtime()), before_events_);
  send("a", 1, 6);
  bool is_kept = false;
  for (const std::string& name : quarantined()) is_kept |= read("quarantine/" + name) == damaged;
  EXPECT_TRUE(is_kept) << "the damaged file is in quarantine, byte for byte";
  close();
  expect_clean();
}

TEST_F(Repair, LinesThatWereSwappedDoubledOrForeignFindTheirPlace) {
  make_store();
  const std::string file = "workers/a/transcript.jsonl";
  std::vector<std::string> lines = lines_of(read(file));
  const std::string foreign = lines_of(read("workers/b/transcript.jsonl"))[0];
  std::swap(lines[1], lines[3]);
  lines.insert(lines.begin() + 2, lines[0]);
  lines.push_back(foreign);
  write(file, joined(lines));
  const RepairReport report = mend();
  EXPECT_EQ(lost(report), 0U);
  EXPECT_EQ(all_entries(runtime(), "a"), before_entries_);
}

TEST_F(Repair, ATranscriptThatWasRemovedIsAllLost) {
  make_store();
  remove("workers/a");
  const RepairReport report = mend();
  EXPECT_EQ(lost(report), 5U);
  EXPECT_EQ(all_entries(runtime(), "a").size(), 5U);
  EXPECT_EQ(all_events(runtime()), before_events_);
}

TEST_F(Repair, WhatWasClosedAsADamagedPartTakesInputAgain) {
  make_store();
  open();
  send("a", 1, 6);
  drop();
  auto lines = lines_of(read("workers/a/transcript.jsonl"));
  lines.resize(3);
  write("workers/a/transcript.jsonl", joined(lines));
  open();  // closes it as a part; what waits stands in the next one
  close();
  open();
  EXPECT_TRUE(worker_runtime::testing::fails_with(
      runtime().send_input(worker_runtime::testing::input(ref("a"), "x")),
      ErrorCode::worker_damaged));
  close();
  EXPECT_EQ(lost(mend()), 2U);
  EXPECT_EQ(all_entries(runtime(), "a").back().content, "a 6");
  send("a", 1, 7);
  close();
  expect_clean();
}

TEST_F(Repair, EventsComeBackFromTheEntriesTheyMade) {
  make_store();
  remove("events.jsonl");
  const RepairReport report = mend();
  // Started, three created, one stopped: no entry knows of them.
  EXPECT_EQ(lost(report), 5U);
  const std::vector<Event> events = all_events(runtime());
  ASSERT_EQ(events.size(), before_events_.size());
  for (std::size_t index = 0; index < events.size(); ++index) {
    if (before_events_[index].sequence) {
      EXPECT_EQ(events[index], before_events_[index]);
    } else {
      EXPECT_EQ(events[index].unknown_kind, "event_lost");
    }
  }
  EXPECT_EQ(runtime().worker_detail(ref("c"))->summary.status, WorkerStatus::stopped);
}

TEST_F(Repair, AForkIsCountedAnewFromItsTranscript) {
  make_store();
  open();
  fork_a(4);
  send("fork", 1, 5);
  const auto before = all_entries(runtime(), "fork");
  const auto summary = runtime().worker_detail(ref("fork"))->summary;
  const auto totals = runtime().summary();
  close();
  for (const std::string& name : names("")) {
    if (name.starts_with("catalog.") || name == "runtime.json") remove(name);
  }
  remove("workers/fork/worker.json");
  mend();
  const auto detail = runtime().worker_detail(ref("fork"));
  ASSERT_TRUE(is_ok(detail));
  EXPECT_EQ(detail->summary, summary);
  EXPECT_EQ(all_entries(runtime(), "fork"), before);
  EXPECT_EQ(runtime().summary()->usage.inputs, totals->usage.inputs);
  EXPECT_EQ(runtime().summary()->transcript_entry_count, totals->transcript_entry_count);
}

TEST_F(Repair, ACopiedEntryDoesNotTellTheEventOfItsWorker) {
  make_store();
  open();
  const EventId created = fork_a(1);
  close();
  remove("events.jsonl");
  mend();
  EXPECT_EQ(all_events(runtime()).at(created.value - 1).unknown_kind, "event_lost");
  EXPECT_EQ(all_entries(runtime(), "fork").size(), 1U);
}

TEST_F(Repair, RuntimeJsonIsMadeOfEverythingElse) {
  make_store();
  remove("runtime.json");
  open_again_and_expect_all();
}

TEST_F(Repair, RecordsComeFromViews) {
  make_store();
  for (const std::string& name : names("")) {
    if (name.starts_with("catalog.")) remove(name);
  }
  open_again_and_expect_all();
}

TEST_F(Repair, WhatStandsInTheWayIsMovedAside) {
  make_store();
  std::filesystem::rename(path("workers/a"), path("elsewhere"));
  std::filesystem::create_directory_symlink(path("elsewhere"), path("workers/a"));
  remove("workers/b/transcript.jsonl");
  std::filesystem::create_directory(path("workers/b/transcript.jsonl"));
  remove("journal");
  write("journal", "not a directory");
  remove("runtime.json");
  std::filesystem::create_directory(path("runtime.json"));
  EXPECT_EQ(lost(mend()), 8U);
  EXPECT_EQ(all_events(runtime()), before_events_);
  std::size_t links = 0;
  for (const std::string& name : quarantined())
    links += std::filesystem::is_symlink(path("quarantine/" + name)) ? 1U : 0U;
  EXPECT_EQ(links, 1U);
  send("a", 1, 6);
  close();
  expect_clean();
}

TEST_F(Repair, ResealAcceptsWhatWasEditedOnPurpose) {
  make_store();
  const std::string file = "workers/a/transcript.jsonl";
  std::string edited = read(file);
  edited.replace(edited.find("a 3"), 3, "something longer");
  write(file, edited);
  const RepairReport report = mend({"runtimes/main/" + file});
  EXPECT_EQ(lost(report), 0U);
  ASSERT_FALSE(report.items.empty());
  EXPECT_EQ(report.items[0].action, "accept_line");
  EXPECT_NE(report.items[0].message.find("something longer"), std::string::npos);
  std::vector<TranscriptEntry> expected = before_entries_;
  expected[2].content = "something longer";
  EXPECT_EQ(all_entries(runtime(), "a"), expected);
}

TEST_F(Repair, ResealTakesNoLineThatIsWrongOtherwise) {
  make_store();
  const std::string file = "workers/a/transcript.jsonl";
  std::string edited = read(file);
  edited.replace(edited.find("\"sequence\":3"), 12, "\"sequence\":2");
  write(file, edited);
  EXPECT_EQ(lost(mend({file})), 1U) << "two entries can't have one number";
}

TEST_F(Repair, ResealOfAFileThatIsNotThereIsRefused) {
  make_store();
  RepairOptions options;
  options.root = options_.root;
  options.accepted_files = {"workers/z/transcript.jsonl"};
  const auto refused = repair(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::invalid_request);
}

TEST_F(Repair, AJournalThatLostCommitsIsMadeGoodFromTheLogs) {
  options_.extend_interval = std::chrono::milliseconds(0);
  open();
  create("a");
  send("a", 3);
  ASSERT_TRUE(eventually([&] {
    return exists("workers/a/transcript.jsonl") &&
           read("workers/a/transcript.jsonl").find("a 3") != std::string::npos &&
           read("events.jsonl").find("\"id\":5") != std::string::npos;
  }));
  before_events_ = all_events(runtime());
  before_entries_ = all_entries(runtime(), "a");
  drop();
  const std::string segment = last_segment();
  flip(segment, read(segment).find("\"content\":\"a 2\""));
  EXPECT_FALSE(try_open());
  mend();
  EXPECT_EQ(all_events(runtime()), before_events_);
  EXPECT_EQ(all_entries(runtime(), "a"), before_entries_);
  send("a", 1, 4);
}

TEST_F(Repair, IsRefusedWhileAWriterHasTheStore) {
  make_store();
  open();
  RepairOptions options;
  options.root = options_.root;
  const auto refused = repair(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::store_locked);
}

}  // namespace
}  // namespace worker_runtime::fs_store
