// Every file of a store is counted once, as what it is.
#include <gtest/gtest.h>

#include "store_fixture.h"
#include "worker_runtime/fs_store/disk_use.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class DiskUseTest : public testing::StoreFixture {
 protected:
  DiskUseTest() { options_.log_part_bytes = 2000; }
  [[nodiscard]] Result<DiskUse> use() const {
    DiskUseOptions options;
    options.root = options_.root;
    return disk_use(options);
  }
  [[nodiscard]] SpaceUse on_disk() const {
    SpaceUse all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(""))) {
      if (!entry.is_regular_file() || entry.is_symlink()) continue;
      ++all.files;
      all.bytes += entry.file_size();
    }
    return all;
  }
};

TEST_F(DiskUseTest, AddsUpToWhatIsThere) {
  open();
  for (const char* const id : {"a", "b", "empty"}) create(id);
  for (std::uint64_t round = 0; round < 3; ++round) {
    send("a", 10, round * 10 + 1);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
  }
  send("b", 3);
  close();
  std::filesystem::create_directories(path("workers/b/mine/deep"));
  write("workers/b/mine/deep/notes", "12345");
  write("stray", "123");
  std::filesystem::create_symlink("/etc/passwd", path("workers/a/link"));
  const auto found = use();
  ASSERT_TRUE(is_ok(found));
  EXPECT_EQ(found->total(), on_disk());
  EXPECT_EQ(found->other.bytes, 3U + read("lock").size());
  ASSERT_EQ(found->workers.size(), 3U);
  EXPECT_EQ(found->workers[0].worker_id.text(), "a");
  EXPECT_EQ(found->workers[1].worker_id.text(), "b");
  EXPECT_EQ(found->workers[1].transcript, (SpaceUse{1, read("workers/b/transcript.jsonl").size()}));
  EXPECT_EQ(found->workers[1].other.bytes, 5 + read("workers/b/worker.json").size());
  EXPECT_GT(found->workers[0].transcript.files, 1U) << "closed parts count";
  const std::vector<std::string> at_top = names("");
  const auto of_events = std::count_if(at_top.begin(), at_top.end(), [](const std::string& name) {
    return name.starts_with("events.");
  });
  EXPECT_EQ(found->events.files, static_cast<std::uint64_t>(of_events));
  EXPECT_GT(of_events, 1);
  EXPECT_EQ(found->quarantine, SpaceUse{});
  EXPECT_GT(found->free_bytes, 0U);
}

TEST_F(DiskUseTest, ReadsNothingSoDamageIsNoMatter) {
  open();
  create("a");
  send("a", 3);
  close();
  write("runtime.json", "x");
  write("events.jsonl", "y");
  const auto found = use();
  ASSERT_TRUE(is_ok(found));
  EXPECT_EQ(found->total(), on_disk());
}

TEST_F(DiskUseTest, TellsThatThereIsNoStore) {
  EXPECT_TRUE(fails_with(use(), ErrorCode::store_missing));
}

}  // namespace
}  // namespace worker_runtime::fs_store
