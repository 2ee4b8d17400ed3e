// A file that nobody named lies where a Worker's transcript is to be made.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/domain.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::fs_store {
namespace {

namespace fs = std::filesystem;

TEST(StrayTranscript, GoesToQuarantineWholeWhenAWorkerTakesItsPlace) {
  const testing::TemporaryDirectory directory;
  StoreOptions options;
  options.root = directory.path() / "root";
  options.create = true;
  auto runtime = open_runtime(options);
  ASSERT_TRUE(runtime) << runtime.error().detail();
  const fs::path main = options.root / "runtimes" / "main";
  const fs::path transcript = main / "workers" / "a" / "transcript.jsonl";
  const std::string stray(5000, 's');
  fs::create_directories(transcript.parent_path());
  std::ofstream(transcript) << stray;

  const WorkerRef worker{testing::runtime_id("main"), testing::worker_id("a")};
  ASSERT_TRUE(testing::is_ok(runtime->create_worker(testing::task("sort", "a"))));
  ASSERT_TRUE(testing::is_ok(runtime->send_input(testing::input(worker, "hello"))));
  ASSERT_TRUE(runtime->close());

  const std::string kept = testing::content_of(transcript);
  EXPECT_EQ(kept.find(stray.substr(0, 100)), std::string::npos);
  EXPECT_EQ(kept.find('\n'), kept.size() - 1) << "one line, and nothing behind it";
  ASSERT_TRUE(fs::exists(main / "quarantine"));
  const fs::directory_iterator aside(main / "quarantine");
  ASSERT_NE(aside, fs::directory_iterator());
  EXPECT_EQ(testing::content_of(aside->path()), stray);
  const auto report = verify({options.root});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->findings.empty()) << report->findings.front().message;
}

}  // namespace
}  // namespace worker_runtime::fs_store
