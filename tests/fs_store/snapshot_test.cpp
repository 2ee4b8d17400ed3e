// Atomic replace and the reading of small files.
#include "snapshot.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "checked_line.h"
#include "layout.h"
#include "support/fs_store/files_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

constexpr std::string_view path_name = "below/file";

class SnapshotTest : public FilesTest {
 protected:
  SnapshotTest() { put(path_name, "old"); }
  Result<void> replace(std::string_view bytes, Durable durable) {
    return replace_file(files(), std::string(path_name), bytes, durable);
  }
};

std::string line_of(std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  return line;
}

// ---- atomic replace

TEST_F(SnapshotTest, ReplaceLeavesTheNewContentAndNothingElse) {
  ASSERT_TRUE(is_ok(replace("new", Durable::yes)));
  EXPECT_EQ(content(path_name), "new");
  EXPECT_EQ(names("below"), std::vector<std::string>{"file"});
}

TEST_F(SnapshotTest, ReplaceMakesAFileThatWasNotThere) {
  ASSERT_TRUE(is_ok(replace_file(files(), "fresh", "content", Durable::no)));
  EXPECT_EQ(content("fresh"), "content");
}

TEST_F(SnapshotTest, DurableReplaceSyncsContentThenRenamesThenSyncsTheDirectory) {
  ASSERT_TRUE(is_ok(replace("new", Durable::yes)));
  std::vector<std::string> steps;
  std::string temporary;
  for (const NotedCall& call : faults().calls()) {
    steps.emplace_back(to_string(call.kind));
    if (call.kind == CallKind::open) temporary = call.path;
    EXPECT_EQ(call.path, call.kind == CallKind::sync_directory ? "below" : temporary);
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"open", "write", "sync", "rename", "sync_directory"}));
  EXPECT_TRUE(temporary.starts_with("below/file."));
  EXPECT_TRUE(layout::is_temporary(temporary));
}

TEST_F(SnapshotTest, ReplaceThatNeedNotBeDurableSyncsNothing) {
  ASSERT_TRUE(is_ok(replace("new", Durable::no)));
  EXPECT_EQ(faults().count(CallKind::sync), 0U);
  EXPECT_EQ(faults().count(CallKind::sync_directory), 0U);
}

TEST_F(SnapshotTest, DurableReplaceAtTheTopSyncsTheDirectoryItself) {
  ASSERT_TRUE(is_ok(replace_file(files(), "top", "x", Durable::yes)));
  EXPECT_EQ(faults().changes().back(), "sync_directory ");
}

TEST_F(SnapshotTest, FailureBeforeTheRenameLeavesTheOldContentAndNothingElse) {
  for (const CallKind kind : {CallKind::open, CallKind::write, CallKind::sync, CallKind::rename}) {
    SCOPED_TRACE(to_string(kind));
    faults().plan({kind, 1, 1, EIO, "", 2});
    const auto replaced = replace("new", Durable::yes);
    ASSERT_FALSE(replaced);
    EXPECT_EQ(system_error_of(replaced.error()), EIO);
    EXPECT_EQ(content(path_name), "old");
    EXPECT_EQ(names("below"), std::vector<std::string>{"file"});
    faults().clear_plan();
  }
}

TEST_F(SnapshotTest, FailedSyncOfTheDirectoryIsToldThoughTheNewContentStands) {
  faults().plan({CallKind::sync_directory});
  EXPECT_TRUE(fails_with(replace("new", Durable::yes), ErrorCode::store_failed));
  EXPECT_EQ(content(path_name), "new");
  EXPECT_EQ(names("below"), std::vector<std::string>{"file"});
}

TEST_F(SnapshotTest, AttemptThatIsNotCommittedLeavesNothing) {
  {
    auto attempt = AtomicFile::create(files(), std::string(path_name));
    ASSERT_TRUE(is_ok(attempt));
    ASSERT_TRUE(is_ok(attempt->file().write(0, "half")));
    EXPECT_EQ(names("below").size(), 2U);
  }
  EXPECT_EQ(names("below"), std::vector<std::string>{"file"});
  EXPECT_EQ(content(path_name), "old");
}

TEST_F(SnapshotTest, MovedAttemptIsDroppedOnceAndOnlyByItsNewOwner) {
  {
    auto attempt = AtomicFile::create(files(), std::string(path_name));
    ASSERT_TRUE(is_ok(attempt));
    {
      const AtomicFile owner = std::move(attempt).value();
      EXPECT_EQ(names("below").size(), 2U);
    }
    EXPECT_EQ(names("below").size(), 1U);
  }
  EXPECT_EQ(faults().count(CallKind::remove), 1U);
}

TEST_F(SnapshotTest, CommitAnswersTheFileThatIsNowInPlace) {
  auto attempt = AtomicFile::create(files(), std::string(path_name));
  ASSERT_TRUE(is_ok(attempt));
  ASSERT_TRUE(is_ok(attempt->file().write(0, "new")));
  const auto file = attempt->commit(Durable::no);
  ASSERT_TRUE(is_ok(file));
  ASSERT_TRUE(is_ok((*file)->write(3, "er")));
  EXPECT_EQ(content(path_name), "newer");
}

TEST_F(SnapshotTest, TwoAttemptsAtOneFileDoNotMeet) {
  auto first = AtomicFile::create(files(), std::string(path_name));
  auto second = AtomicFile::create(files(), std::string(path_name));
  ASSERT_TRUE(is_ok(first) && is_ok(second));
  ASSERT_TRUE(is_ok(first->file().write(0, "first")));
  ASSERT_TRUE(is_ok(second->file().write(0, "second")));
  ASSERT_TRUE(is_ok(second->commit(Durable::no)));
  EXPECT_EQ(content(path_name), "second");
  ASSERT_TRUE(is_ok(first->commit(Durable::no)));
  EXPECT_EQ(content(path_name), "first");
}

// ---- reading

TEST_F(SnapshotTest, SmallFileIsReadUpToItsLimit) {
  put("small", std::string("ab\0\n", 4));
  EXPECT_EQ(read_small_file(files(), "small", 4).value(), std::string("ab\0\n", 4));
  EXPECT_EQ(read_small_file(files(), "small", 100).value().size(), 4U);
  put("empty", "");
  EXPECT_EQ(read_small_file(files(), "empty", 0).value(), "");
}

TEST_F(SnapshotTest, LongerFileIsCorruptAndNotRead) {
  put("large", "abcde");
  faults().reset_counts();
  const auto read = read_small_file(files(), "large", 4);
  ASSERT_TRUE(fails_with(read, ErrorCode::store_corrupt));
  EXPECT_EQ(read.error().get<FileFields>()->path, "large");
  EXPECT_EQ(faults().bytes_read(), 0U);
}

TEST_F(SnapshotTest, MissingFileIsMissingNotCorrupt) {
  for (const auto& read :
       {read_small_file(files(), "none", 9), read_snapshot(files(), "none", 9)}) {
    ASSERT_TRUE(fails_with(read, ErrorCode::store_io));
    EXPECT_TRUE(is_missing(read.error()));
  }
}

TEST_F(SnapshotTest, SnapshotIsTheLineWithoutItsNewline) {
  const std::string line = line_of(R"({"lsn":7,"text":"x"})");
  put("s.json", line);
  EXPECT_EQ(read_snapshot(files(), "s.json", line.size()).value(), line.substr(0, line.size() - 1));
}

TEST_F(SnapshotTest, AnythingButOneWholeCheckedLineIsCorrupt) {
  const std::string line = line_of(R"({"lsn":7,"text":"x"})");
  std::string flipped = line;
  flipped[line.size() - 4] ^= 1;
  const std::vector<std::string> damaged{
      "",
      "\n",
      line.substr(0, line.size() - 1),  // cut before its newline
      line + line,
      line + "\n",
      line + "x",
      "\n" + line,
      line.substr(0, line.size() / 2) + "\n",
      flipped,
      "{\"lsn\":7}\n",
      std::string(line.size(), '\0'),
  };
  for (const std::string& bytes : damaged) {
    SCOPED_TRACE(bytes);
    put("below/s.json", bytes);
    const auto read = read_snapshot(files(), "below/s.json", 1000);
    ASSERT_TRUE(fails_with(read, ErrorCode::store_corrupt));
    const auto* const fields = read.error().get<FileFields>();
    ASSERT_NE(fields, nullptr);
    EXPECT_EQ(fields->path, "below/s.json");
    EXPECT_EQ(fields->line, 1U);
    EXPECT_EQ(fields->offset, 0U);
  }
}

TEST_F(SnapshotTest, FailedReadIsAnInputErrorNotDamage) {
  put("s.json", line_of(R"({"lsn":7})"));
  for (const CallKind kind : {CallKind::open, CallKind::size, CallKind::read}) {
    faults().plan({kind});
    EXPECT_TRUE(fails_with(read_snapshot(files(), "s.json", 1000), ErrorCode::store_io));
    faults().clear_plan();
  }
}

// ---- errors with a place

TEST_F(SnapshotTest, DamageIsToldWithPathLineAndByteButNoAbsolutePath) {
  ASSERT_TRUE(is_ok(files().make_directory("main")));
  const auto below = files().directory("main").value();
  const Error error = corrupt(*below, "events.jsonl", "it is bad", 3, 120, 5);
  EXPECT_EQ(error.code(), ErrorCode::store_corrupt);
  EXPECT_EQ(error.message(), "main/events.jsonl, line 3, byte 120: it is bad");
  EXPECT_EQ(*error.get<FileFields>(),
            (FileFields{"main/events.jsonl", 3, 120, 0, 5, path().string()}));
  EXPECT_EQ(error.message().find(path().string()), std::string::npos);
}

TEST_F(SnapshotTest, PlaceIsPutIntoErrorsAboutDamageThatHaveNone) {
  const Error placed =
      at_place(Error(ErrorCode::store_corrupt, "a bad member"), files(), "c.jsonl", 2, 30);
  EXPECT_EQ(placed.get<FileFields>()->line, 2U);
  EXPECT_NE(placed.message().find("a bad member"), std::string::npos);

  const Error other_place = corrupt(files(), "first.jsonl", "x", 1, 0);
  EXPECT_EQ(at_place(other_place, files(), "c.jsonl", 2, 30), other_place);
  const Error newer(ErrorCode::store_version, "newer", VersionFields{2, 1});
  EXPECT_EQ(at_place(newer, files(), "c.jsonl", 2, 30), newer);
}

TEST(ParentPath, IsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(parent_path("a/b/c"), "a/b");
  EXPECT_EQ(parent_path("a"), "");
  EXPECT_EQ(parent_path(""), "");
}

}  // namespace
}  // namespace worker_runtime::fs_store
