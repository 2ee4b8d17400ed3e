// The bound on what waits for its log: a commit that brings more is held up until the background
// thread has extended the logs, whatever that thread was about to do.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/domain.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {
namespace {

class Backlog : public ::testing::TestWithParam<Durability> {};

/// More than the bound of 64 MiB, while files would follow in an hour. It fails by its time limit.
TEST_P(Backlog, HoldsACommitUpUntilTheLogsHaveFollowed) {
  const testing::TemporaryDirectory directory(testing::TemporaryDirectory::quick_place());
  StoreOptions options;
  options.root = directory.path();
  options.create = true;
  options.durability = GetParam();
  options.extend_interval = std::chrono::hours(1);
  options.sync_interval = std::chrono::hours(1);
  options.checkpoint_bytes = UINT64_MAX;
  auto runtime = open_runtime(options);
  ASSERT_TRUE(testing::is_ok(runtime));
  ASSERT_TRUE(testing::is_ok(runtime->create_worker(testing::task("long", "w"))));
  const WorkerRef w{testing::runtime_id("main"), testing::worker_id("w")};
  const std::string content(std::size_t{15} << 20U, 'c');
  for (int number = 0; number < 6; ++number)
    ASSERT_TRUE(testing::is_ok(runtime->append_output(testing::output(w, content))));
  const auto transcript =
      directory.path() / runtime_path(w.runtime_id) / "workers/w/transcript.jsonl";
  EXPECT_GT(std::filesystem::file_size(transcript), content.size());
  EXPECT_TRUE(testing::is_ok(runtime->checkpoint()));
  EXPECT_GT(std::filesystem::file_size(transcript), 6 * content.size());
  EXPECT_TRUE(testing::is_ok(runtime->close()));
}

INSTANTIATE_TEST_SUITE_P(Modes, Backlog,
                         ::testing::Values(Durability::sync, Durability::interval,
                                           Durability::none),
                         [](const auto& mode) { return std::string(to_string(mode.param)); });

}  // namespace
}  // namespace worker_runtime::fs_store
