// What an operation and an opening cost in system calls, counted from outside.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "driver.h"
#include "support/domain.h"
#include "support/temporary_directory.h"
#include "trace.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::testing {
namespace {

constexpr std::uint64_t inputs = 300;

std::string told(const Trace& trace) {
  std::string text;
  for (const auto& [name, count] : trace.calls) text += name + " " + std::to_string(count) + "; ";
  return text;
}

TEST(SystemCallsTest, ALoneInputCostsOneSyncAndAtMostSixCalls) {
  const TemporaryDirectory directory;
  const Trace seen =
      trace(driver({"inputs", directory.path(), "1", std::to_string(inputs)}), Part::between_marks);
  // Not fewer either: every answer rests on a sync of its own.
  EXPECT_EQ(seen.syncs(), inputs) << told(seen);
  // All threads counted: those that extend the readable files too.
  EXPECT_LE(seen.all(), 6 * inputs) << told(seen);
  // Where the times of the journal are asked for, each sync has them to write too.
  for (const char* const asks_for_times : {"stat", "lstat", "fstat", "newfstatat"})
    EXPECT_FALSE(seen.calls.contains(asks_for_times)) << told(seen);
}

TEST(SystemCallsTest, InputsOfManyThreadsShareSyncs) {
  const TemporaryDirectory directory;
  constexpr std::uint64_t threads = 64;
  constexpr std::uint64_t each = 30;
  const Trace seen =
      trace(driver({"inputs", directory.path(), std::to_string(threads), std::to_string(each)}),
            Part::between_marks, "write,fdatasync,fsync,syncfs,sync,sync_file_range,msync");
  EXPECT_GT(seen.syncs(), 0U);
  EXPECT_LT(seen.syncs(), threads * each / 4) << told(seen);
}

/// Two closed stores, of the same four Workers: their histories are a hundred times as long in one.
class OpeningCostTest : public ::testing::Test {
 protected:
  static constexpr int workers = 4;

  void SetUp() override {
    make(short_histories(), 10);
    make(long_histories(), 1000);
  }
  [[nodiscard]] std::string short_histories() const { return directory_.path() / "short"; }
  [[nodiscard]] std::string long_histories() const { return directory_.path() / "long"; }

  static void make(const std::string& root, int entries) {
    fs_store::StoreOptions options;
    options.root = root;
    options.create = true;
    options.durability = Durability::none;
    auto runtime = fs_store::open_runtime(options);
    ASSERT_TRUE(is_ok(runtime));
    for (int at = 0; at < workers; ++at) {
      const std::string name = "w" + std::to_string(at);
      ASSERT_TRUE(is_ok(runtime->create_worker(task("grow", name))));
      const WorkerRef worker_ref{runtime_id("main"), worker_id(name)};
      std::vector<Mutation> batch;
      for (int number = 0; number < entries; ++number) {
        batch.emplace_back(input(worker_ref, "one of the many lines that this worker was given",
                                 "key " + std::to_string(number)));
        if (batch.size() < 500 && number + 1 < entries) continue;
        ASSERT_TRUE(is_ok(runtime->batch(std::move(batch))));
        batch.clear();
      }
    }
    ASSERT_TRUE(is_ok(runtime->close()));
  }

  static void expect_same_cost(const std::vector<std::string>& of_short,
                               const std::vector<std::string>& of_long) {
    const std::string calls = "openat,openat2,read,pread64,readv,preadv,mmap,lseek,getdents64";
    const Trace little = trace(of_short, Part::whole, calls);
    const Trace much = trace(of_long, Part::whole, calls);
    constexpr std::uint64_t few = 4;
    EXPECT_LE(much.all(), little.all() + few) << told(little) << "\n" << told(much);
    // The end of each log is looked at: at most a block of it, which the short ones don't fill.
    constexpr std::uint64_t block = std::uint64_t{16} << 10U;
    EXPECT_LE(much.bytes_read, little.bytes_read + (workers + 1) * block);
  }

  TemporaryDirectory directory_;
};

TEST_F(OpeningCostTest, OfAWriterIsTheSameForLongHistories) {
  expect_same_cost(driver({"open", short_histories()}), driver({"open", long_histories()}));
}

TEST_F(OpeningCostTest, OfAReaderIsTheSameForLongHistories) {
  const auto status = [](const std::string& root) {
    return std::vector<std::string>{WORKER_RUNTIME_CLI_PATH, "--root", root, "status", "--json"};
  };
  expect_same_cost(status(short_histories()), status(long_histories()));
}

}  // namespace
}  // namespace worker_runtime::testing
