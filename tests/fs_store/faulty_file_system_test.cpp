// The file system that other tests count and fail with does what it says.
#include "support/fs_store/faulty_file_system.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/fs_store/files_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class FaultyFileSystemTest : public FilesTest {
 protected:
  std::unique_ptr<File> file_ = files().open("file", OpenMode::create_new).value();
};

TEST_F(FaultyFileSystemTest, FailsTheCallsThatWerePlannedAndNoOther) {
  faults().plan({CallKind::write, 2, 2, EIO, "file"});
  EXPECT_TRUE(is_ok(file_->write(0, "a")));
  EXPECT_TRUE(fails_with(file_->write(1, "b"), ErrorCode::store_io));
  EXPECT_TRUE(is_ok(file_->read(0, 1)));
  EXPECT_TRUE(fails_with(file_->write(1, "b"), ErrorCode::store_io));
  EXPECT_TRUE(is_ok(file_->write(1, "b")));
  EXPECT_EQ(content("file"), "ab");
  EXPECT_EQ(faults().failures(), 2U);
}

TEST_F(FaultyFileSystemTest, PlanForOnePathLeavesTheOthersAlone) {
  faults().plan({CallKind::open, 1, Fault::for_ever, EACCES, "elsewhere"});
  EXPECT_TRUE(is_ok(files().open("file", OpenMode::read)));
  const auto refused = files().open("elsewhere", OpenMode::create_new);
  ASSERT_TRUE(fails_with(refused, ErrorCode::store_io));
  EXPECT_EQ(system_error_of(refused.error()), EACCES);
  EXPECT_FALSE(exists("elsewhere"));
}

TEST_F(FaultyFileSystemTest, FailedWriteMayLeaveAPrefix) {
  faults().plan({CallKind::write, 1, 1, ENOSPC, "", 3});
  const auto written = file_->write(0, "abcdef");
  ASSERT_FALSE(written);
  EXPECT_TRUE(is_full(written.error()));
  EXPECT_EQ(content("file"), "abc");
}

TEST_F(FaultyFileSystemTest, FailedSyncIsFinalOfWhateverError) {
  faults().plan({CallKind::sync, 1, 1, ENOSPC});
  faults().plan({CallKind::sync_directory, 1, 1, EIO});
  faults().plan({CallKind::sync_all, 1, 1, EIO});
  const auto synced = file_->sync();
  ASSERT_TRUE(fails_with(synced, ErrorCode::store_failed));
  EXPECT_FALSE(is_full(synced.error()));
  EXPECT_TRUE(fails_with(files().sync_directory(""), ErrorCode::store_failed));
  EXPECT_TRUE(fails_with(files().sync_all(), ErrorCode::store_failed));
  EXPECT_TRUE(is_ok(file_->sync()));
}

TEST_F(FaultyFileSystemTest, FaultOfNoKindCountsEveryCall) {
  faults().plan({std::nullopt, 3});
  EXPECT_TRUE(is_ok(file_->size()));
  EXPECT_TRUE(is_ok(files().list("")));
  EXPECT_TRUE(fails_with(files().remove_file("file"), ErrorCode::store_io));
  EXPECT_TRUE(exists("file"));
}

TEST_F(FaultyFileSystemTest, DirectoriesBelowShareThePlanAndNameWholePaths) {
  ASSERT_TRUE(is_ok(files().make_directory("below")));
  const auto below = files().directory("below").value();
  faults().reset_counts();
  ASSERT_TRUE(is_ok(below->open("file", OpenMode::create_new).value()->write(0, "x")));
  ASSERT_TRUE(is_ok(below->rename("file", "other")));
  EXPECT_EQ(faults().changes(),
            (std::vector<std::string>{"write below/file", "rename below/file"}));
}

TEST_F(FaultyFileSystemTest, CountsCallsBytesAndOpenFiles) {
  ASSERT_TRUE(is_ok(file_->write(0, "abcdef")));
  ASSERT_TRUE(is_ok(file_->read(2, 100)));
  EXPECT_EQ(faults().bytes_written(), 6U);
  EXPECT_EQ(faults().bytes_read(), 4U);
  EXPECT_EQ(faults().count(CallKind::read), 1U);
  EXPECT_EQ(faults().count(), 3U);
  static_cast<void>(files().open("file", OpenMode::read).value()->size());
  EXPECT_EQ(faults().open_files(), 1U);
  EXPECT_EQ(faults().open_files_peak(), 2U);
}

TEST_F(FaultyFileSystemTest, HookMayActBeforeACall) {
  faults().set_hook([this](CallKind kind, const std::string& name) {
    if (kind == CallKind::rename && name == "file")
      static_cast<void>(files().make_directory("made by the hook").has_value());
  });
  ASSERT_TRUE(is_ok(files().rename("file", "other")));
  EXPECT_TRUE(exists("made by the hook"));
}

}  // namespace
}  // namespace worker_runtime::fs_store
