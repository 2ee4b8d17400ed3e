// A canary that no file system can be: this store appends to the segment it finds instead of
// starting one of its own.
//
// What that loses: a record whose sync failed stays visible in the page cache, but is not on the
// disk and never will be. A recovery that reads it, shows it, and appends behind it on another page
// answers for a record that a power cut takes away, with all that was committed behind it.
#include <gtest/gtest.h>

#include <iostream>

#include "explorer.h"
#include "scenarios.h"

namespace worker_runtime::testing {
namespace {

TEST(Mutant, SegmentContinuedIsCaught) {
  for (const Scenario& scenario : failed_syncs(base_scenario(), "send long", 5, "send mail")) {
    const Exploration explored = explore(scenario, {});
    if (explored.failure_count == 0) continue;
    const std::string& failure = explored.failures.front();
    std::cout << failure.substr(0, failure.find("; the disk")) << "\n";
    return;
  }
  FAIL() << "nothing was lost";
}

}  // namespace
}  // namespace worker_runtime::testing
