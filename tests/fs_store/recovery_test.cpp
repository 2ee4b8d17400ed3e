// Opening a store that a crash has left: what is put right, what is refused, what stays as it is.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checked_line.h"
#include "recovery_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;
using Recovery = testing::RecoveryFixture;

TEST_F(Recovery, ACrashLosesNothingAndIsTold) {
  open();
  create("w");
  send("w", 3);
  drop();
  open();
  expect_three_inputs();
  EXPECT_EQ(recovered(), "replayed 5 commits of the journal");
  const auto told = diagnostics_of("store.recovered");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].severity, Severity::info);
  close();
  expect_clean();
  open();
  EXPECT_EQ(recovered(), "");
}

TEST_F(Recovery, TheTornTailOfTheJournalGoesToQuarantine) {
  open();
  create("w");
  send("w", 3);
  drop();
  const std::string torn = R"({"crc":"00000000","lsn":6,"epoch":1,"dur)";
  put_behind_records(torn);
  open();
  expect_three_inputs();
  EXPECT_NE(recovered().find("moved a torn tail of 41 bytes of journal/"), std::string::npos)
      << recovered();
  ASSERT_EQ(quarantined().size(), 1U);
  EXPECT_EQ(read("quarantine/" + quarantined()[0]), torn + "\n");
  send("w", 1, 4);
  close();
  expect_clean();
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 4U);
  EXPECT_EQ(quarantined().size(), 1U);
}

TEST_F(Recovery, TornTailsOfTheLogsGoToQuarantine) {
  crash_with_extended_logs();
  const std::string torn = R"({"crc":"01234567","id":6,"at":)";
  write("events.jsonl", read("events.jsonl") + torn);
  write("workers/w/transcript.jsonl", read("workers/w/transcript.jsonl") + std::string(4096, '\0'));
  open();
  expect_three_inputs();
  const auto aside = quarantined();
  ASSERT_EQ(aside.size(), 2U);
  EXPECT_EQ(read("quarantine/" + aside[0]), torn);
  EXPECT_EQ(read("quarantine/" + aside[1]), std::string(4096, '\0'));
  EXPECT_NE(recovered().find("of events.jsonl to quarantine"), std::string::npos) << recovered();
  EXPECT_NE(recovered().find("of workers/w/transcript.jsonl to quarantine"), std::string::npos);
  close();
  expect_clean();
}

TEST_F(Recovery, WhatTheLogsHaveAlreadyIsNotDoubled) {
  crash_with_extended_logs();
  const std::string events = read("events.jsonl");
  const std::string transcript = read("workers/w/transcript.jsonl");
  open();
  expect_three_inputs();
  close();
  EXPECT_EQ(read("events.jsonl"), events);
  EXPECT_EQ(read("workers/w/transcript.jsonl"), transcript);
  EXPECT_TRUE(quarantined().empty());
  expect_clean();
}

TEST_F(Recovery, ALogThatReachesBeyondTheJournalProvesThatTheJournalIsDamaged) {
  crash_with_extended_logs();
  lose_last_record();
  std::filesystem::remove(path("journal/durable"));
  const std::string events = read("events.jsonl");
  const auto opened = try_open();
  ASSERT_TRUE(fails_with(opened, ErrorCode::store_corrupt));
  EXPECT_EQ(opened.error().get<FileFields>()->path, "runtimes/main/events.jsonl");
  EXPECT_EQ(read("events.jsonl"), events);
  EXPECT_TRUE(quarantined().empty());
}

TEST_F(Recovery, TheDurableFileProvesThatTheJournalIsDamaged) {
  open();
  create("w");
  send("w", 3);
  drop();
  lose_last_record();
  const std::string segment = read(last_segment());
  const auto opened = try_open();
  ASSERT_TRUE(fails_with(opened, ErrorCode::store_corrupt));
  EXPECT_EQ(opened.error().get<FileFields>()->path, "runtimes/main/" + last_segment());
  EXPECT_EQ(opened.error().get<FileFields>()->line, 6U);
  EXPECT_EQ(read(last_segment()), segment);
}

TEST_F(Recovery, NoSegmentIsContinued) {
  open();
  create("w");
  send("w", 3);
  drop();
  const std::string first = last_segment();
  const std::string bytes = read(first);
  for (std::uint64_t round = 0; round < 3; ++round) {
    open();
    send("w", 2, 4 + 2 * round);
    drop();
    EXPECT_EQ(read(first), bytes);
  }
  // A segment for each open, the writer's mark, and two pieces of the reserve.
  EXPECT_EQ(names("journal").size(), 7U);
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 9U);
  close();
  expect_clean();
}

TEST_F(Recovery, TheWritersMarkIsWholeWhileTheNextWriterTakesItOver) {
  // A reader that finds none would take the whole journal for durable.
  open();
  create("w");
  drop();
  const auto size = std::filesystem::file_size(path("journal/durable"));
  faults_.set_hook([&](CallKind kind, const std::string& file) {
    EXPECT_EQ(std::filesystem::file_size(path("journal/durable")), size)
        << "before " << to_string(kind) << " " << file;
  });
  open_faulty();
  drop();
  faults_.set_hook({});
}

TEST_F(Recovery, AMarkThatIsTooLongIsCut) {
  open();
  drop();
  const auto size = std::filesystem::file_size(path("journal/durable"));
  write("journal/durable", std::string(1000, 'x'));
  open();
  EXPECT_EQ(std::filesystem::file_size(path("journal/durable")), size);
}

TEST_F(Recovery, TheEpochRisesByOneWithEachOpen) {
  for (std::uint64_t epoch = 1; epoch <= 6; ++epoch) {
    open();
    EXPECT_EQ(runtime().summary()->epoch, Epoch{epoch});
    EXPECT_EQ(runtime().read_events()->epoch, Epoch{epoch});
    if (epoch % 2 == 0) {
      close();
    } else {
      drop();
    }
  }
}

TEST_F(Recovery, OptionsThatDifferAreStoredBeforeTheOpenReturns) {
  RuntimeOptions differing;
  differing.display_name = "Night shift";
  differing.limits = {{"page_items", 7}, {"input_bytes", 100}};
  open();
  drop();
  open(differing);
  drop();
  open();
  const auto summary = runtime().summary();
  ASSERT_TRUE(is_ok(summary));
  EXPECT_EQ(summary->display_name, "Night shift");
  EXPECT_EQ(summary->limits.page_items, 7U);
  EXPECT_EQ(summary->limits.input_bytes, 100U);
}

TEST_F(Recovery, UnfinishedFilesAreSwept) {
  open();
  drop();
  write("journal/next.0123456789abcdef.tmp", "filler");
  write("runtime.json.0123456789abcdef.tmp", "half");
  std::filesystem::create_directory(path("quarantine"));
  write("quarantine/events.jsonl.0000000000000000.0123456789abcdef", "kept");
  write("quarantine/events.jsonl.0000000000000000.0123456789abcdef.fedcba9876543210.tmp", "half");
  std::size_t told = 0;
  for (const Finding& finding : findings()) told += finding.code == "unfinished_file" ? 1U : 0U;
  EXPECT_EQ(told, 3U);
  open();
  EXPECT_FALSE(exists("journal/next.0123456789abcdef.tmp"));
  EXPECT_FALSE(exists("runtime.json.0123456789abcdef.tmp"));
  EXPECT_EQ(quarantined(),
            std::vector<std::string>{"events.jsonl.0000000000000000.0123456789abcdef"});
}

TEST_F(Recovery, ANewerSchemaIsRefusedWithBothVersionsAndNothingIsTouched) {
  open();
  close();
  std::string object = "{" + read("runtime.json").substr(line_head_bytes);
  object.pop_back();
  const std::string now = "\"schema_version\":" + std::to_string(schema_version);
  ASSERT_NE(object.find(now), std::string::npos);
  object.replace(object.find(now), now.size(), "\"schema_version\":99");
  std::string line;
  append_checked_line(line, object);
  write("runtime.json", line);
  const auto segments = names("journal");
  const auto opened = try_open();
  ASSERT_TRUE(fails_with(opened, ErrorCode::store_version));
  EXPECT_EQ(*opened.error().get<VersionFields>(), (VersionFields{99, schema_version}));
  EXPECT_EQ(read("runtime.json"), line);
  EXPECT_EQ(names("journal"), segments);
}

TEST_F(Recovery, ADirectoryUnderAnotherNameIsNotBelieved) {
  open();
  close();
  std::filesystem::rename(path(""), options_.root / "runtimes/other");
  options_.runtime_id = testing::runtime_id("other");
  const auto opened = try_open();
  ASSERT_TRUE(fails_with(opened, ErrorCode::store_corrupt));
  EXPECT_EQ(opened.error().get<FileFields>()->path, "runtimes/other/runtime.json");
}

// ---- without a sync for each commit

TEST_F(Recovery, WithoutSyncsACrashOfTheProcessLosesNothing) {
  for (const Durability durability : {Durability::none, Durability::interval}) {
    const std::string id(to_string(durability));
    options_.durability = durability;
    open();
    create(id);
    send(id, 3);
    drop();
    open();
    EXPECT_EQ(all_entries(runtime(), id).size(), 3U);
    close();
    expect_clean();
  }
}

TEST_F(Recovery, WithoutSyncsAPowerCutMayTakeWhatTheLogsHave) {
  options_.durability = Durability::none;
  crash_with_extended_logs();
  lose_last_record();
  open();
  const auto entries = all_entries(runtime(), "w");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(runtime().summary()->epoch, Epoch{2});
  const auto again = runtime().send_input(testing::input(ref("w"), "another"));
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->sequence, Sequence{3});
  EXPECT_EQ(again->event_id, EventId{5});
  EXPECT_EQ(quarantined().size(), 2U);
  close();
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
