// What a Runtime counts of its own work.
#include <gtest/gtest.h>

#include <cstdint>
#include <future>
#include <numeric>

#include "support/domain.h"

namespace worker_runtime {
namespace {

using testing::input;
using testing::is_ok;
using testing::task;

template <std::size_t bounds>
std::uint64_t total(const Histogram<bounds>& histogram) {
  return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0});
}

std::uint64_t refused(const Metrics& metrics, ErrorCode code) {
  return metrics.refused.at(static_cast<std::size_t>(code));
}

class RuntimeMetricsTest : public ::testing::Test {
 protected:
  RuntimeMetricsTest()
      : runtime_(*Runtime::in_memory(testing::runtime_id("main"))), before_(runtime_.metrics()) {
    EXPECT_TRUE(is_ok(runtime_.create_worker(task("x", "a"))));
  }
  WorkerRef a_{testing::runtime_id("main"), testing::worker_id("a")};
  Runtime runtime_;
  Metrics before_;
};

TEST_F(RuntimeMetricsTest, CountsWhatWasDoneAndWhatWasRefused) {
  EXPECT_TRUE(is_ok(runtime_.send_input(input(a_, "x", "key"))));
  EXPECT_TRUE(is_ok(runtime_.send_input(input(a_, "x", "key")))) << "a repetition";
  EXPECT_FALSE(runtime_.send_input(input(a_, " ")));
  WorkerRef nobody = a_;
  nobody.worker_id = testing::worker_id("nobody");
  EXPECT_FALSE(runtime_.send_input(input(nobody, "x")));
  EXPECT_FALSE(runtime_.send_input(input(nobody, "x")));
  const Metrics metrics = runtime_.metrics();
  EXPECT_EQ(metrics.operations - before_.operations, 6U);
  EXPECT_EQ(metrics.commits - before_.commits, 2U) << "the repetition changed nothing";
  EXPECT_EQ(metrics.syncs - before_.syncs, 2U);
  EXPECT_EQ(refused(metrics, ErrorCode::invalid_request), 1U);
  EXPECT_EQ(refused(metrics, ErrorCode::worker_not_found), 2U);
  EXPECT_EQ(total(metrics.latency), metrics.operations);
  EXPECT_EQ(total(metrics.sync_latency), metrics.syncs);
  EXPECT_EQ(metrics.group_operations.sum, metrics.operations);
}

TEST_F(RuntimeMetricsTest, ReadsAreNotCounted) {
  const Metrics metrics = runtime_.metrics();
  EXPECT_TRUE(is_ok(runtime_.read_events()));
  EXPECT_TRUE(is_ok(runtime_.summary()));
  EXPECT_EQ(runtime_.metrics(), metrics);
}

TEST_F(RuntimeMetricsTest, ABatchIsOneOperationAndOneCommit) {
  const Metrics before = runtime_.metrics();
  EXPECT_TRUE(is_ok(runtime_.batch({input(a_, "x"), input(a_, "y")})));
  EXPECT_EQ(runtime_.metrics().operations - before.operations, 1U);
  EXPECT_EQ(runtime_.metrics().commits - before.commits, 1U);
}

TEST_F(RuntimeMetricsTest, SubmissionsThatShareASyncShowInTheGroups) {
  const Metrics before = runtime_.metrics();
  constexpr int count = 100;
  std::promise<void> all;
  for (int at = 1; at <= count; ++at) {
    runtime_.submit(input(a_, "x"), [&all, at](const Result<Answer>& answer) {
      EXPECT_TRUE(is_ok(answer));
      if (at == count) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_TRUE(is_ok(runtime_.close()));
  const Metrics metrics = runtime_.metrics();
  EXPECT_EQ(metrics.operations - before.operations, std::uint64_t{count});
  EXPECT_EQ(metrics.commits - before.commits, std::uint64_t{count});
  EXPECT_EQ(metrics.syncs - before.syncs,
            total(metrics.group_operations) - total(before.group_operations));
}

TEST(HistogramTest, ABoundBelongsToItsBucket) {
  Histogram<2> histogram;
  for (const std::uint64_t value : {0U, 10U, 11U, 20U, 21U, 1000U}) histogram.add(value, {10, 20});
  EXPECT_EQ(histogram.counts, (std::array<std::uint64_t, 3>{2, 2, 2}));
  EXPECT_EQ(histogram.sum, 1062U);
}

}  // namespace
}  // namespace worker_runtime
