// Durability::interval: how long a commit may wait for its sync.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One round of the background thread extends the readable files and then syncs the journal, so that
// the file shows that a round was made. With the interval of the files alone it would take an hour.
TEST(SyncInterval, ARoundIsDueAfterTheSyncIntervalWhateverTheIntervalOfTheFiles) {
  const testing::TemporaryDirectory directory;
  StoreOptions options;
  options.root = directory.path();
  options.create = true;
  options.durability = Durability::interval;
  options.sync_interval = std::chrono::milliseconds(1);
  options.extend_interval = std::chrono::hours(1);
  auto runtime = open_runtime(options);
  ASSERT_TRUE(runtime) << runtime.error().detail();
  CreateRequest request;
  request.intent = AssistantIntent{};
  ASSERT_TRUE(runtime->create_worker(request));

  const auto events = directory.path() / runtime_path(*RuntimeId::parse("main")) / "events.jsonl";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (text_of(events).find("worker_created") == std::string::npos &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_NE(text_of(events).find("worker_created"), std::string::npos);
}

}  // namespace
}  // namespace worker_runtime::fs_store
