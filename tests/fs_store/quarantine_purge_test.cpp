// What recovery and repair moved aside is listed, and deleted when it is asked for.
#include <gtest/gtest.h>

#include "store_fixture.h"
#include "worker_runtime/fs_store/quarantine.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class QuarantinePurgeTest : public testing::StoreFixture {
 protected:
  [[nodiscard]] QuarantineOptions place() const { return {options_.root, {}}; }
  void make_quarantined() {
    std::filesystem::create_directories(path("quarantine/workers.a.stray/deep"));
    write("quarantine/journal.0.17.beef", "12345");
    write("quarantine/workers.a.stray/deep/notes", "1234567");
    std::filesystem::create_symlink("/etc/passwd", path("quarantine/link"));
    write("quarantine/half.0123456789abcdef.tmp", "half");
  }
};

TEST_F(QuarantinePurgeTest, ListsFilesAndDirectoriesAndDeletesNothing) {
  open();
  close();
  make_quarantined();
  const auto found = list_quarantine(place());
  ASSERT_TRUE(is_ok(found));
  EXPECT_EQ(found->files,
            (std::vector<QuarantinedFile>{{"runtimes/main/quarantine/journal.0.17.beef", 5},
                                          {"runtimes/main/quarantine/link", 0},
                                          {"runtimes/main/quarantine/workers.a.stray", 7}}));
  EXPECT_EQ(found->bytes(), 12U);
  EXPECT_FALSE(found->purged);
  EXPECT_TRUE(std::filesystem::exists(path("quarantine/workers.a.stray/deep/notes")));
}

TEST_F(QuarantinePurgeTest, OfAStoreThatHasNoneIsEmpty) {
  open();
  close();
  for (const auto& found : {list_quarantine(place()), purge_quarantine(place())}) {
    ASSERT_TRUE(is_ok(found));
    EXPECT_TRUE(found->files.empty());
  }
  EXPECT_TRUE(fails_with(list_quarantine({path("nowhere"), {}}), ErrorCode::store_missing));
}

TEST_F(QuarantinePurgeTest, DeletesAllOfItAndFollowsNoLink) {
  open();
  close();
  make_quarantined();
  std::filesystem::create_directories(directory_.path() / "outside");
  write("../../../outside/mine", "mine");
  std::filesystem::create_directory_symlink(directory_.path() / "outside",
                                            path("quarantine/workers.a.stray/elsewhere"));
  const auto purged = purge_quarantine(place());
  ASSERT_TRUE(is_ok(purged));
  EXPECT_TRUE(purged->purged);
  EXPECT_EQ(purged->files.size(), 3U);
  EXPECT_TRUE(list_quarantine(place())->files.empty());
  EXPECT_TRUE(std::filesystem::exists(directory_.path() / "outside/mine"));
  // Somebody may be making it: the next open sweeps it.
  EXPECT_TRUE(std::filesystem::exists(path("quarantine/half.0123456789abcdef.tmp")));
  open();
  EXPECT_FALSE(std::filesystem::exists(path("quarantine/half.0123456789abcdef.tmp")));
}

TEST_F(QuarantinePurgeTest, GoesBesideAWriterButNotBesideOneThatOpensOrRepairs) {
  open();
  make_quarantined();
  const auto purged = purge_quarantine(place());
  ASSERT_TRUE(is_ok(purged));
  EXPECT_EQ(purged->files.size(), 3U);
  create("a");
  close();

  make_quarantined();
  RuntimeId runtime_id;
  auto directory = open_runtime_directory(options_, runtime_id);
  ASSERT_TRUE(is_ok(directory));
  // As repair has it, and an open before its recovery is done.
  const auto lock = take_store_lock(**directory, runtime_id, std::chrono::milliseconds(0));
  ASSERT_TRUE(is_ok(lock));
  EXPECT_TRUE(fails_with(purge_quarantine(place()), ErrorCode::store_locked));
  EXPECT_EQ(list_quarantine(place())->files.size(), 3U);
}

}  // namespace
}  // namespace worker_runtime::fs_store
