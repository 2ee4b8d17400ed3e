// When checkpoints run, what they leave, and what they take away.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;
using testing::output;

class Checkpoint : public testing::StoreFixture {
 protected:
  /// The live files, that is all but the event log and quarantine/, that hold `text` somewhere.
  [[nodiscard]] std::vector<std::string> live_files_with(std::string_view text) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(""))) {
      if (!entry.is_regular_file()) continue;
      const std::string name = entry.path().lexically_relative(path("")).string();
      if (name.starts_with("events.") || name.starts_with("quarantine/")) continue;
      if (read(name).find(text) != std::string::npos) found.push_back(name);
    }
    return found;
  }
  [[nodiscard]] std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const std::string& name : names("journal")) {
      if (layout::parse_segment(name)) found.push_back(name);
    }
    return found;
  }
  [[nodiscard]] std::vector<std::string> names_with(std::string_view directory,
                                                    std::string_view prefix) const {
    std::vector<std::string> found;
    for (const std::string& name : names(directory)) {
      if (name.starts_with(prefix)) found.push_back(name);
    }
    return found;
  }
  [[nodiscard]] Lsn checkpoint_lsn() { return health().checkpoint_lsn; }
};

TEST_F(Checkpoint, OnCallStandsForEverythingBeforeIt) {
  open();
  create("w");
  send("w", 3);
  const auto lsn = runtime().checkpoint();
  ASSERT_TRUE(is_ok(lsn));
  EXPECT_EQ(*lsn, Lsn{5});
  EXPECT_EQ(checkpoint_lsn(), Lsn{5});
  // Nothing of it is needed in the journal any more.
  EXPECT_EQ(segments(), std::vector<std::string>{"0000000000000006.jsonl"});
  const std::string events = read("events.jsonl");
  EXPECT_EQ(std::count(events.begin(), events.end(), '\n'), 5);
  drop();
  open();
  EXPECT_EQ(health().recovered, std::nullopt);
  EXPECT_EQ(all_entries(runtime(), "w").size(), 3U);
  close();
  expect_clean();
}

TEST_F(Checkpoint, WithoutANewCommitAnswersTheLastOne) {
  open();
  create("w");
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  const auto again = runtime().checkpoint();
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(*again, Lsn{2});
}

TEST_F(Checkpoint, RunsByTime) {
  options_.extend_interval = std::chrono::milliseconds(0);
  options_.checkpoint_interval = std::chrono::milliseconds(1);
  open();
  create("w");
  send("w", 3);
  EXPECT_TRUE(eventually([&] { return checkpoint_lsn() == Lsn{5}; }));
}

TEST_F(Checkpoint, RunsBySize) {
  options_.extend_interval = std::chrono::milliseconds(0);
  options_.checkpoint_bytes = 100'000;
  open();
  create("w");
  ASSERT_TRUE(is_ok(
      runtime().append_output(output(ref("w"), std::string(options_.checkpoint_bytes, 'x')))));
  EXPECT_TRUE(eventually([&] { return checkpoint_lsn() == Lsn{3}; }));
}

TEST_F(Checkpoint, DoesNotRunBelowTheSize) {
  options_.extend_interval = std::chrono::milliseconds(0);
  options_.checkpoint_bytes = 100'000;
  open();
  create("w");
  send("w", 3);
  ASSERT_TRUE(eventually([&] {
    const std::string events = read("events.jsonl");
    return std::count(events.begin(), events.end(), '\n') == 5;
  }));
  EXPECT_EQ(checkpoint_lsn(), Lsn{0});
}

TEST_F(Checkpoint, AtCloseLeavesAJournalWithoutRecordsAndWithoutFiller) {
  open();
  create("w");
  send("w", 3);
  close();
  EXPECT_EQ(segments(), std::vector<std::string>{"0000000000000006.jsonl"});
  const std::string segment = read(last_segment());
  EXPECT_EQ(std::count(segment.begin(), segment.end(), '\n'), 1) << "its header alone";
  EXPECT_NE(read("journal/durable").find(" closed "), std::string::npos);
  expect_clean();
  open();
  EXPECT_EQ(health().recovered, std::nullopt);
  EXPECT_EQ(checkpoint_lsn(), Lsn{5});
}

TEST_F(Checkpoint, ClosingWithoutANewCommitCutsTheFillerToo) {
  open();
  close();
  open();
  close();
  const std::string segment = read(last_segment());
  EXPECT_EQ(std::count(segment.begin(), segment.end(), '\n'), 1);
  expect_clean();
}

// ---- deletion

TEST_F(Checkpoint, NothingOfADeletedWorkerStaysInALiveFile) {
  open();
  create("other");
  CreateRequest request = testing::task("an objective that nobody may see", "gone");
  request.idempotency_key = "a create key";
  ASSERT_TRUE(is_ok(runtime().create_worker(request)));
  for (const char* const part : {"the first secret", "the second secret"}) {
    ASSERT_TRUE(is_ok(runtime().append_output(output(ref("gone"), part))));
    ASSERT_TRUE(is_ok(runtime().checkpoint()));  // one part is in the logs, one in the journal
  }
  ASSERT_TRUE(is_ok(runtime().append_output(output(ref("gone"), "the third secret"))));
  ASSERT_FALSE(live_files_with("secret").empty());
  ASSERT_FALSE(live_files_with("an objective").empty());
  ASSERT_TRUE(is_ok(runtime().stop_worker({ref("gone"), std::nullopt})));
  ASSERT_TRUE(is_ok(runtime().delete_worker({ref("gone")})));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(live_files_with("secret"), std::vector<std::string>());
  EXPECT_EQ(live_files_with("an objective"), std::vector<std::string>());
  EXPECT_FALSE(exists("workers/gone"));
  // What idempotency needs stays: the id is never used again.
  EXPECT_TRUE(fails_with(runtime().create_worker(request), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(runtime().create_worker(testing::task("again", "gone")),
                         ErrorCode::worker_exists));
  close();
  expect_clean();
}

TEST_F(Checkpoint, ADeletionSchedulesOne) {
  options_.extend_interval = std::chrono::milliseconds(0);
  open();
  create("gone");
  ASSERT_TRUE(is_ok(runtime().append_output(output(ref("gone"), "a secret"))));
  ASSERT_TRUE(is_ok(runtime().stop_worker({ref("gone"), std::nullopt})));
  ASSERT_TRUE(is_ok(runtime().delete_worker({ref("gone")})));
  EXPECT_TRUE(eventually([&] { return checkpoint_lsn() == Lsn{5}; }));
  EXPECT_EQ(live_files_with("secret"), std::vector<std::string>());
}

TEST_F(Checkpoint, ADeletionThatACrashCutOffIsFinishedByTheNextOpen) {
  open();
  create("gone");
  ASSERT_TRUE(is_ok(runtime().append_output(output(ref("gone"), "a secret"))));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_TRUE(is_ok(runtime().stop_worker({ref("gone"), std::nullopt})));
  ASSERT_TRUE(is_ok(runtime().delete_worker({ref("gone")})));
  drop();
  ASSERT_TRUE(exists("workers/gone"));
  options_.extend_interval = std::chrono::milliseconds(0);
  open();
  EXPECT_TRUE(eventually([&] { return !exists("workers/gone"); }));
  EXPECT_TRUE(eventually([&] { return checkpoint_lsn() == Lsn{5}; }));
  EXPECT_EQ(live_files_with("secret"), std::vector<std::string>());
  close();
  expect_clean();
}

// ---- the catalog

TEST_F(Checkpoint, TheCatalogIsAppendedToAndCompactedWhenHalfOfItIsOutOfForce) {
  open();
  // A small catalog is left alone: these records are long.
  for (int worker = 0; worker < 20; ++worker) {
    const auto id = "w" + std::to_string(worker);
    ASSERT_TRUE(is_ok(runtime().create_worker(testing::task(std::string(5000, 'x'), id))));
  }
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  const auto before = names_with("", "catalog.");
  ASSERT_EQ(before.size(), 1U);
  const auto size = std::filesystem::file_size(path(before[0]));

  send("w0", 1);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_EQ(names_with("", "catalog."), before) << "one record out of twenty is appended";
  EXPECT_GT(std::filesystem::file_size(path(before[0])), size);

  for (std::uint64_t round = 2; names_with("", "catalog.") == before; ++round) {
    ASSERT_LT(round, 100U);
    send("w0", 1, round);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
  }
  const auto after = names_with("", "catalog.");
  ASSERT_EQ(after.size(), 1U) << "the old one is gone";
  const std::string lines = read(after[0]);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 21) << "a header and a line a Worker";
  drop();
  open();
  EXPECT_EQ(runtime().list_workers()->workers.size(), 20U);
  close();
  expect_clean();
}

TEST_F(Checkpoint, ViewsFollow) {
  open();
  create("w");
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_NE(read("workers/w/worker.json").find(R"("status":"running")"), std::string::npos);
  ASSERT_TRUE(is_ok(runtime().stop_worker({ref("w"), std::nullopt})));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_NE(read("workers/w/worker.json").find(R"("status":"stopped")"), std::string::npos);
  // The same bytes as in the catalog.
  EXPECT_NE(read(names_with("", "catalog.")[0]).find(read("workers/w/worker.json")),
            std::string::npos);
}

// ---- log parts

class LogParts : public Checkpoint {
 protected:
  LogParts() { options_.log_part_bytes = 1000; }
  void expect_everything(std::uint64_t entries) {
    const auto found = all_entries(runtime(), "w");
    ASSERT_EQ(found.size(), entries);
    for (std::uint64_t at = 0; at < entries; ++at) {
      EXPECT_EQ(found[at].sequence, Sequence{at + 1});
      EXPECT_EQ(found[at].content, "w " + std::to_string(at + 1));
    }
    const auto events = all_events(runtime());
    ASSERT_EQ(events.size(), entries + 2);
    for (std::uint64_t at = 0; at < events.size(); ++at) EXPECT_EQ(events[at].id, EventId{at + 1});
  }
};

TEST_F(LogParts, BeginAtTheSizeAndAreReadAsOneLog) {
  open();
  create("w");
  for (std::uint64_t round = 0; round < 10; ++round) {
    send("w", 5, 1 + 5 * round);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
  }
  EXPECT_GT(names_with("", "events.").size(), 3U);
  EXPECT_GT(names_with("workers/w", "transcript.").size(), 3U);
  expect_everything(50);
  close();
  expect_clean();
  open();
  expect_everything(50);
  TranscriptQuery newest;
  newest.direction = Direction::newest_first;
  const auto page = runtime().read_transcript(ref("w"), newest);
  ASSERT_TRUE(is_ok(page));
  ASSERT_EQ(page->items.size(), 50U);
  EXPECT_EQ(page->items.back().sequence, Sequence{1});
}

TEST_F(LogParts, BegunSinceTheCheckpointAreTakenBackByRecovery) {
  options_.extend_interval = std::chrono::milliseconds(0);
  open();
  create("w");
  send("w", 5);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  const auto parts = names_with("workers/w", "transcript.");
  for (std::uint64_t round = 1; names_with("workers/w", "transcript.").size() < parts.size() + 2;
       ++round) {
    ASSERT_LT(round, 20U);
    const std::uint64_t first = 1 + 5 * round;
    send("w", 5, first);
    ASSERT_TRUE(eventually([&] {
      // Missing for a moment while a part is closed.
      std::ifstream file(path("workers/w/transcript.jsonl"), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      return text.find("w " + std::to_string(first + 4)) != std::string::npos;
    }));
  }
  const std::uint64_t entries = runtime().read_transcript(ref("w"))->total;
  drop();
  options_.extend_interval = std::chrono::hours(1);
  open();
  EXPECT_EQ(names_with("workers/w", "transcript."), parts);
  expect_everything(entries);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  expect_everything(entries);
  EXPECT_TRUE(quarantined().empty());
  close();
  expect_clean();
}

TEST_F(Checkpoint, TheLogIsToldOfTheOpenTheRecoveryTheCheckpointAndTheClose) {
  std::mutex mutex;
  std::vector<std::string> lines;
  RuntimeOptions options;
  options.log = [&](LogLevel level, std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.push_back(std::string(to_string(level)) + " " + std::string(line));
  };
  open();
  create("w");
  drop();
  open(options);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_TRUE(is_ok(runtime().close()));
  const std::lock_guard lock(mutex);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "info store.recovered: replayed 2 commits of the journal");
  EXPECT_EQ(lines[1], "info runtime main is open, in fs_store, epoch 2");
  EXPECT_TRUE(lines[2].starts_with("debug checkpoint at LSN 2 in ")) << lines[2];
  EXPECT_EQ(lines[3], "info the runtime is closed");
}

}  // namespace
}  // namespace worker_runtime::fs_store
