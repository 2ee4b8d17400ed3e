// A canary that no file system can be: this store removes the closed parts of a trimmed log at
// once, and not when the records that say so are durable.
//
// What that loses: with durability `none` a power cut takes the trim back, and the events that it
// had let go are acknowledged still, and gone.
#include <gtest/gtest.h>

#include <iostream>

#include "explorer.h"
#include "scenarios.h"

namespace worker_runtime::testing {
namespace {

TEST(Mutant, PartsRemovedEarlyIsCaught) {
  Scenario base = base_scenario();
  base.store.durability = Durability::none;
  const Exploration explored =
      explore(sequence(base, {"send mail", "checkpoint", "trim events"}), {});
  ASSERT_GT(explored.failure_count, 0U) << "nothing was lost";
  const std::string& failure = explored.failures.front();
  std::cout << failure.substr(0, failure.find("; the disk")) << "\n";
}

}  // namespace
}  // namespace worker_runtime::testing
