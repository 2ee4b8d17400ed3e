// Backups: consistent beside a writer, only what is new, gone on with after a cut; and back.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backup_directory.h"
#include "open.h"
#include "reader_view.h"
#include "store_copy.h"
#include "store_fixture.h"
#include "worker_runtime/fs_store/backup.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::input;
using testing::is_ok;
using testing::runtime_id;
using testing::task;
using testing::worker_id;

class Backup : public testing::StoreFixture {
 protected:
  Backup() { options_.log_part_bytes = 2000; }

  [[nodiscard]] std::filesystem::path copies() const { return directory_.path() / "copies"; }
  [[nodiscard]] std::filesystem::path copy_path(std::string_view relative) const {
    return copies() / "runtimes/main" / relative;
  }

  [[nodiscard]] Result<CopyReport> back_up() const {
    BackupOptions options;
    options.root = options_.root;
    options.directory = copies();
    return backup(options);
  }
  [[nodiscard]] Result<CopyReport> bring_back(const std::filesystem::path& root,
                                              std::optional<RuntimeId> as = {}) const {
    RestoreOptions options;
    options.directory = copies();
    options.root = root;
    options.new_runtime_id = std::move(as);
    return restore(options);
  }
  static void expect_clean_copy(const std::filesystem::path& root) {
    VerifyOptions options;
    options.root = root;
    const auto found = verify(options);
    ASSERT_TRUE(is_ok(found));
    for (const Finding& finding : found->findings)
      ADD_FAILURE() << finding.path << ": " << finding.code << ": " << finding.message;
  }
  /// What the copy shows is what `source` shows.
  template <typename Source>
  void expect_same(const Source& source, const std::filesystem::path& root,
                   std::initializer_list<const char*> ids) {
    const auto copy = Reader::open(root);
    ASSERT_TRUE(is_ok(copy));
    EXPECT_EQ(all_events(*copy), all_events(source));
    for (const char* const id : ids) {
      EXPECT_EQ(all_entries(*copy, id), all_entries(source, id));
      const auto theirs = copy->worker_detail(ref(id));
      const auto ours = source.worker_detail(ref(id));
      ASSERT_TRUE(is_ok(theirs));
      ASSERT_TRUE(is_ok(ours));
      EXPECT_EQ(*theirs, *ours);
    }
  }
  void make_history() {
    open();
    for (const char* const id : {"a", "b", "empty", "gone"}) create(id);
    send("a", 30);
    send("gone", 3);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    send("b", 20);
    ASSERT_TRUE(is_ok(runtime().stop_worker({ref("gone"), std::nullopt})));
  }
};

TEST_F(Backup, BesideAWriterHoldsAllThatWasDurable) {
  make_history();
  const auto report = back_up();
  ASSERT_TRUE(is_ok(report));
  EXPECT_EQ(report->workers, 4U);
  EXPECT_EQ(report->entries, 53U);
  EXPECT_EQ(report->events, all_events(runtime()).size());
  EXPECT_EQ(report->path, "runtimes/main");
  expect_clean_copy(copies());
  expect_same(runtime(), copies(), {"a", "b", "empty", "gone"});
}

TEST_F(Backup, OfAStoreThatCrashedOrClosed) {
  make_history();
  drop();
  ASSERT_TRUE(is_ok(back_up()));
  expect_clean_copy(copies());
  open();
  expect_same(runtime(), copies(), {"a", "b"});
  close();
  const auto again = back_up();
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->copied_bytes, 0U);
  expect_clean_copy(copies());
}

TEST_F(Backup, AgainCopiesOnlyWhatIsNew) {
  make_history();
  const auto first = back_up();
  ASSERT_TRUE(is_ok(first));
  EXPECT_GT(first->copied_bytes, 10'000U);
  const auto nothing = back_up();
  ASSERT_TRUE(is_ok(nothing));
  EXPECT_EQ(nothing->copied_bytes, 0U);
  EXPECT_EQ(nothing->lsn, first->lsn);
  send("a", 1, 31);
  create("late");
  send("late", 1);
  const auto more = back_up();
  ASSERT_TRUE(is_ok(more));
  EXPECT_EQ(more->lsn.value, first->lsn.value + 3);
  EXPECT_GT(more->copied_bytes, 500U);
  EXPECT_LT(more->copied_bytes, 2'000U);
  expect_clean_copy(copies());
  expect_same(runtime(), copies(), {"a", "b", "late"});
}

TEST_F(Backup, WhatWasDeletedAndTrimmedSinceGoesFromTheCopyToo) {
  make_history();
  ASSERT_TRUE(is_ok(back_up()));
  ASSERT_TRUE(is_ok(runtime().delete_worker({ref("gone")})));
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{25}})));
  ASSERT_TRUE(is_ok(runtime().trim_events({EventId{40}})));
  ASSERT_TRUE(is_ok(back_up()));
  expect_clean_copy(copies());
  EXPECT_FALSE(std::filesystem::exists(copy_path("workers/gone")));
  const auto copy = Reader::open(copies());
  ASSERT_TRUE(is_ok(copy));
  EXPECT_TRUE(fails_with(copy->worker_detail(ref("gone")), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(copy->read_events({EventId{39}}), ErrorCode::cursor_expired));
  expect_same(runtime(), copies(), {"a", "b"});
}

/// Goal: a copy that is called again with a newer view, as after files that vanished, takes up what
/// was trimmed meanwhile. Method: the same StoreCopy, twice; its files are open for appending.
TEST_F(Backup, ANewerViewMayHaveTrimmedBeyondWhatIsCopied) {
  make_history();
  RuntimeId found;
  const auto source = open_runtime_directory(options_, found);
  ASSERT_TRUE(is_ok(source));
  std::filesystem::create_directories(copy_path(""));
  const auto target =
      open_posix_file_system(copy_path("").string(), false, Permissions::owner_only);
  ASSERT_TRUE(is_ok(target));
  StoreCopy copy(**target, found, {});
  ASSERT_TRUE(is_ok(copy.begin()));
  const auto view = View::load(**source, found);
  ASSERT_TRUE(is_ok(view));
  ASSERT_TRUE(is_ok(copy.copy(**view)));
  send("a", 40, 31);
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{60}})));
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("b"), Sequence{21}})));  // all of it
  ASSERT_TRUE(is_ok(runtime().trim_events({EventId{90}})));
  const auto newer = View::load(**source, found);
  ASSERT_TRUE(is_ok(newer));
  ASSERT_TRUE(is_ok(copy.copy(**newer)));
  expect_clean_copy(copies());
  expect_same(runtime(), copies(), {"a", "b"});
}

TEST_F(Backup, TrimmedBeyondTheCopyGoesOnInAPartOfItsOwn) {
  make_history();
  ASSERT_TRUE(is_ok(back_up()));
  send("a", 40, 31);
  ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{60}})));
  ASSERT_TRUE(is_ok(runtime().trim_events({EventId{90}})));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_TRUE(is_ok(back_up()));
  expect_clean_copy(copies());
  expect_same(runtime(), copies(), {"a", "b"});
  send("a", 5, 71);
  ASSERT_TRUE(is_ok(back_up()));
  expect_clean_copy(copies());
  expect_same(runtime(), copies(), {"a", "b"});
}

/// Goal: whatever a run that was cut off has left, the next one takes for what it is. Method: logs
/// of a finished copy are made longer, torn, rolled; and a first copy loses its runtime.json.
TEST_F(Backup, GoesOnWhereARunWasCutOff) {
  make_history();
  ASSERT_TRUE(is_ok(back_up()));
  send("a", 10, 31);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  const std::string ours = read("workers/a/transcript.jsonl");
  close();
  // The lines behind, as far as a run got: the last one torn.
  const std::filesystem::path theirs = copy_path("workers/a/transcript.jsonl");
  {
    std::ofstream file(theirs, std::ios::app | std::ios::binary);
    file << ours.substr(0, ours.size() - 7);
  }
  const auto old = Reader::open(copies());
  ASSERT_TRUE(is_ok(old));
  EXPECT_EQ(all_entries(*old, "a").size(), 30U) << "the earlier copy is in force until the next";
  const auto report = back_up();
  ASSERT_TRUE(is_ok(report));
  expect_clean_copy(copies());
  open();
  expect_same(runtime(), copies(), {"a", "b"});

  std::filesystem::remove(copy_path("runtime.json"));
  const auto first_again = back_up();
  ASSERT_TRUE(is_ok(first_again));
  EXPECT_EQ(first_again->copied_bytes, 0U) << "the lines were there";
  expect_clean_copy(copies());
}

TEST_F(Backup, AnotherHistoryUnderTheSameIdIsRefused) {
  make_history();
  ASSERT_TRUE(is_ok(back_up()));
  close();
  std::filesystem::remove_all(options_.root);
  make_history();
  EXPECT_TRUE(fails_with(back_up(), ErrorCode::invalid_request));
  close();
  // The copy was opened, and went its own way.
  std::filesystem::remove_all(copies());
  ASSERT_TRUE(is_ok(back_up()));
  StoreOptions theirs = options_;
  theirs.root = copies();
  auto copy = open_runtime(theirs);
  ASSERT_TRUE(is_ok(copy));
  ASSERT_TRUE(is_ok(copy->send_input(input(ref("a"), "elsewhere"))));
  ASSERT_TRUE(is_ok(copy->close()));
  EXPECT_TRUE(fails_with(back_up(), ErrorCode::invalid_request));
}

TEST_F(Backup, IntoTheRootItselfOrBesideAnotherBackupIsRefused) {
  make_history();
  BackupOptions options;
  options.root = options_.root;
  options.directory = options_.root / ".";
  EXPECT_TRUE(fails_with(backup(options), ErrorCode::invalid_request));
  ASSERT_TRUE(is_ok(back_up()));
  StoreOptions theirs = options_;
  theirs.root = copies();
  auto holder = open_runtime(theirs);
  ASSERT_TRUE(is_ok(holder));
  EXPECT_TRUE(fails_with(back_up(), ErrorCode::store_locked));
}

TEST_F(Backup, DamageIsToldAndTheEarlierCopyStays) {
  make_history();
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_TRUE(is_ok(back_up()));
  const auto before = all_entries(runtime(), "b");
  send("b", 20, 21);
  close();
  const std::string file = "workers/b/transcript.jsonl";
  flip(file, read(file).size() - 30);
  EXPECT_TRUE(fails_with(back_up(), ErrorCode::store_corrupt));
  const auto copy = Reader::open(copies());
  ASSERT_TRUE(is_ok(copy));
  EXPECT_EQ(all_entries(*copy, "b"), before);
}

TEST_F(Backup, RestoredUnderItsIdGoesOn) {
  make_history();
  ASSERT_TRUE(is_ok(runtime().delete_worker({ref("gone")})));
  ASSERT_TRUE(is_ok(back_up()));
  close();
  const auto root = directory_.path() / "new";
  const auto report = bring_back(root);
  ASSERT_TRUE(is_ok(report));
  expect_clean_copy(root);
  EXPECT_TRUE(fails_with(bring_back(root), ErrorCode::invalid_request));
  options_.root = root;
  open();
  EXPECT_EQ(all_entries(runtime(), "a").size(), 30U);
  EXPECT_TRUE(fails_with(runtime().create_worker(task("work", "gone")), ErrorCode::worker_exists));
  send("a", 1, 31);
  close();
  expect_clean_copy(root);
}

TEST_F(Backup, ARestoreThatSomebodyOvertakesIsRefused) {
  make_history();
  ASSERT_TRUE(is_ok(back_up()));
  StoreOptions theirs = options_;
  theirs.root = directory_.path() / "new";
  RestoreOptions options;
  options.directory = copies();
  options.root = theirs.root;
  options.progress = [&](std::uint64_t) { ASSERT_TRUE(is_ok(open_runtime(theirs))); };
  EXPECT_TRUE(fails_with(restore(options), ErrorCode::invalid_request));
  const auto stands = Reader::open(theirs.root);
  ASSERT_TRUE(is_ok(stands));
  EXPECT_EQ(all_events(*stands).size(), 1U) << "theirs";
}

TEST_F(Backup, WhatAKilledRestoreLeftGoesWithTheNext) {
  make_history();
  ASSERT_TRUE(is_ok(back_up()));
  const auto root = directory_.path() / "new";
  const auto left = root / "runtimes/.main.0123456789abcdef.tmp";
  std::filesystem::create_directories(left / "workers/a");
  std::ofstream(left / "workers/a/transcript.jsonl") << "half of it";
  ASSERT_TRUE(is_ok(bring_back(root)));
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST_F(Backup, RestoredUnderAnotherIdNamesItInEveryLine) {
  options_.runtime_id = runtime_id("ma\"in");
  open();
  ASSERT_TRUE(is_ok(runtime().create_worker(task("work", "a"))));
  const WorkerRef old_ref{runtime_id("ma\"in"), worker_id("a")};
  AppendOutput output;
  output.worker_ref = old_ref;
  output.role = OutputRole::assistant;
  output.content = R"("runtime_id":"ma\"in" is what it says)";
  output.data = R"({"worker_ref":{"runtime_id":"ma\"in"}})";
  ASSERT_TRUE(is_ok(runtime().append_output(output)));
  close();
  ASSERT_TRUE(is_ok(back_up()));
  const auto root = directory_.path() / "new";
  ASSERT_TRUE(is_ok(bring_back(root, runtime_id("other"))));
  expect_clean_copy(root);
  const auto copy = Reader::open(root);
  ASSERT_TRUE(is_ok(copy));
  const WorkerRef new_ref{runtime_id("other"), worker_id("a")};
  const auto page = copy->read_transcript(new_ref);
  ASSERT_TRUE(is_ok(page));
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items[0].worker_ref, new_ref);
  EXPECT_EQ(page->items[0].content, output.content);
  EXPECT_EQ(page->items[0].data, output.data);
  EXPECT_TRUE(fails_with(copy->read_transcript(old_ref), ErrorCode::wrong_runtime));
}

/// Goal: one LSN, whatever the writer does meanwhile. Method: Workers get inputs in turn, others
/// are made and deleted, transcripts are trimmed, checkpoints run, while backups are taken; each is
/// clean, and its events are those of the writer up to its end.
TEST_F(Backup, IsConsistentUnderLoad) {
  open();
  create("a");
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    for (std::uint64_t round = 1; !enough; ++round) {
      const std::string passing = "passing-" + std::to_string(round);
      create(passing);
      send("a", 1, round);
      send(passing, 2);
      if (round % 7 == 0) {
        ASSERT_TRUE(is_ok(runtime().trim_transcript({ref("a"), Sequence{round - 3}})));
      }
      ASSERT_TRUE(is_ok(runtime().stop_worker({ref(passing), std::nullopt})));
      ASSERT_TRUE(is_ok(runtime().delete_worker({ref(passing)})));
      if (round % 5 == 0) {
        ASSERT_TRUE(is_ok(runtime().checkpoint()));
      }
    }
  });
  for (int round = 0; round < 10; ++round) {
    const auto report = back_up();
    ASSERT_TRUE(is_ok(report));
    expect_clean_copy(copies());
  }
  enough = true;
  writer.join();
  const auto copy = Reader::open(copies());
  ASSERT_TRUE(is_ok(copy));
  const auto theirs = all_events(*copy);
  auto ours = all_events(runtime());
  ASSERT_LE(theirs.size(), ours.size());
  ours.resize(theirs.size());
  EXPECT_EQ(theirs, ours);
}

}  // namespace
}  // namespace worker_runtime::fs_store
