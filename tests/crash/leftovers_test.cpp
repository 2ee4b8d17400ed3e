// States that a crash leaves behind by right: verify must not take them for damage, and the next
// opening must clear them away.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "support/domain.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::testing {
namespace {

class LeftoversTest : public ::testing::Test {
 protected:
  LeftoversTest() {
    options_.root = directory_.path();
    options_.create = true;
    options_.log_part_bytes = 1000;
    options_.extend_interval = std::chrono::milliseconds(1);
  }

  /// Ends without close: as in a crash.
  void crash_behind(const std::function<void(Runtime&)>& work) const {
    auto runtime = fs_store::open_runtime(options_);
    ASSERT_TRUE(is_ok(runtime));
    work(*runtime);
  }

  [[nodiscard]] std::filesystem::path workers() const {
    return directory_.path() / "runtimes/main/workers";
  }

  void expect_no_damage() const {
    const auto report = fs_store::verify({directory_.path()});
    ASSERT_TRUE(is_ok(report));
    EXPECT_TRUE(report->clean());
    for (const fs_store::Finding& finding : report->findings) {
      EXPECT_EQ(finding.severity, Severity::info)
          << finding.path << ": " << finding.code << ": " << finding.message;
    }
  }

  void expect_that_an_opening_clears_it_away() const {
    auto runtime = fs_store::open_runtime(options_);
    ASSERT_TRUE(is_ok(runtime));
    ASSERT_TRUE(is_ok(runtime->close()));
    const auto report = fs_store::verify({directory_.path()});
    ASSERT_TRUE(is_ok(report));
    for (const fs_store::Finding& finding : report->findings)
      ADD_FAILURE() << finding.path << ": " << finding.code << ": " << finding.message;
  }

  const WorkerRef worker_ref_{runtime_id("main"), worker_id("a")};
  const TemporaryDirectory directory_;
  fs_store::StoreOptions options_;
};

TEST_F(LeftoversTest, ALogsPartBegunSinceTheCheckpoint) {
  crash_behind([&](Runtime& runtime) {
    ASSERT_TRUE(is_ok(runtime.create_worker(task("write", "a"))));
    ASSERT_TRUE(is_ok(runtime.checkpoint()));
    const auto rolled = workers() / "a/transcript.0000000000000001.jsonl";
    // The logs are extended in the background: inputs go in until that has begun a part.
    while (!std::filesystem::exists(rolled)) {
      ASSERT_TRUE(is_ok(runtime.send_input(input(worker_ref_, "a line"))));
    }
    ASSERT_TRUE(is_ok(runtime.send_input(input(worker_ref_, "one more"))));
  });
  expect_no_damage();
  expect_that_an_opening_clears_it_away();
}

TEST_F(LeftoversTest, HalfOfAFirstView) {
  crash_behind(
      [&](Runtime& runtime) { ASSERT_TRUE(is_ok(runtime.create_worker(task("write", "a")))); });
  std::filesystem::create_directories(workers() / "a");
  std::ofstream(workers() / "a/worker.json") << R"({"crc":"0)";
  expect_no_damage();
  expect_that_an_opening_clears_it_away();
}

TEST_F(LeftoversTest, AViewThatACheckpointWasAboutToReplace) {
  crash_behind([&](Runtime& runtime) {
    ASSERT_TRUE(is_ok(runtime.create_worker(task("write", "a"))));
    ASSERT_TRUE(is_ok(runtime.checkpoint()));
    ASSERT_TRUE(is_ok(runtime.send_input(input(worker_ref_, "a line"))));
  });
  std::ofstream(workers() / "a/worker.json.0123456789abcdef.tmp") << R"({"crc":"0)";
  expect_no_damage();
  expect_that_an_opening_clears_it_away();
}

TEST_F(LeftoversTest, AViewThatWasBeingRenewed) {
  crash_behind([&](Runtime& runtime) {
    ASSERT_TRUE(is_ok(runtime.create_worker(task("write", "a"))));
    ASSERT_TRUE(is_ok(runtime.checkpoint()));
  });
  const auto unfinished = workers() / "a/worker.json.0123456789abcdef.tmp";
  std::ofstream(unfinished) << R"({"crc":"0)";
  std::filesystem::remove(workers() / "a/worker.json");
  auto runtime = fs_store::open_runtime(options_);
  ASSERT_TRUE(is_ok(runtime));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::filesystem::exists(unfinished) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_FALSE(std::filesystem::exists(unfinished));
}

}  // namespace
}  // namespace worker_runtime::testing
