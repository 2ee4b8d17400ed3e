// Syncs that fail, in both ways known of kernels: nothing that was answered is lost, now or in a
// power cut behind the reopening.
#include <gtest/gtest.h>

#include <iostream>

#include "explorer.h"
#include "scenarios.h"
#include "support/random.h"

namespace worker_runtime::testing {
namespace {

void expect_no_failures(const std::vector<Scenario>& scenarios) {
  const Exploration explored = explore_all(scenarios, {});
  std::cout << figures(explored) << "\n";
  EXPECT_EQ(explored.scenarios, scenarios.size());
  for (const std::string& failure : explored.failures) ADD_FAILURE() << failure;
}

/// make crash
bool is_campaign() { return number_from_environment("WORKER_RUNTIME_CRASH_ROUNDS", 0) > 1000; }

TEST(FailedSync, OfACommitLosesNothingThatWasAnswered) {
  const Scenario base = base_scenario();
  if (!is_campaign()) {
    expect_no_failures(failed_syncs(base, "send mail", 2, "kill"));
    expect_no_failures(failed_syncs(base, "send long", 5, "send mail"));
    return;
  }
  for (const Operation& operation : alphabet()) {
    if (operation.units() != 1) continue;
    for (const char* const then : {"send mail", "send long", "checkpoint", "kill"})
      expect_no_failures(failed_syncs(base, operation.name, 6, then));
  }
}

TEST(FailedSync, OfACheckpointLosesNothingThatWasAnswered) {
  const Scenario base = sequence(base_scenario(), {"create new", "append mail", "redact mail"});
  if (!is_campaign()) {
    expect_no_failures(failed_syncs(base, "checkpoint", 8, "send mail"));
    return;
  }
  for (const char* const name : {"checkpoint", "reopen"}) {
    for (const char* const then : {"send mail", "checkpoint", "kill"})
      expect_no_failures(failed_syncs(base, name, 16, then));
  }
}

}  // namespace
}  // namespace worker_runtime::testing
