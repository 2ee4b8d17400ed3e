// Goal: a recovery that is cut off at any step is simply done again by the next open.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "recovery_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using RecoveryCutOff = testing::RecoveryFixture;

TEST_F(RecoveryCutOff, ACrashAtAnyStepOfARecoveryIsDoneAgain) {
  // A store with everything that a recovery puts right. Each round copies it, lets all calls fail
  // from the n-th on, and opens what that has left on the true file system.
  crash_with_extended_logs();
  put_behind_records(R"({"crc":"00000000","lsn":6)");
  write("events.jsonl", read("events.jsonl") + "torn");
  write("journal/next.0123456789abcdef.tmp", "filler");
  const std::filesystem::path original = options_.root;
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    SCOPED_TRACE("all calls fail from call " + std::to_string(nth) + " on");
    options_.root = directory_.path() / ("round" + std::to_string(nth));
    std::filesystem::copy(original, options_.root, std::filesystem::copy_options::recursive);
    faults_.clear_plan();
    Fault fault;
    fault.nth = nth;
    fault.times = Fault::for_ever;
    faults_.plan(fault);
    faults_.reset_counts();
    static_cast<void>(try_open_faulty().has_value());  // whatever comes of it
    failed = faults_.failures() > 0;
    open();
    expect_three_inputs();
    close();
    expect_clean();
    std::filesystem::remove_all(options_.root);
    ASSERT_LT(nth, 1000U);
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
