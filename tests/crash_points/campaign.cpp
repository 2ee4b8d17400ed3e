// How much of the crash enumeration a run does: see campaign.h.
#include "campaign.h"

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "support/random.h"

namespace worker_runtime::testing {

std::uint64_t rounds(std::uint64_t otherwise) {
  return number_from_environment("WORKER_RUNTIME_CRASH_ROUNDS", otherwise);
}

std::uint64_t seed() { return number_from_environment("WORKER_RUNTIME_SEED", 1); }

namespace {

ExplorerOptions options() {
  ExplorerOptions options;
  options.outcomes.seed = seed();
  if (rounds(0) > 1000) {
    options.outcomes.exhaustive = 1024;
    options.outcomes.samples = 16;
  }
  return options;
}

}  // namespace

void expect_nothing_lost(const std::vector<Scenario>& scenarios, Tears tears) {
  ExplorerOptions how = options();
  how.outcomes.every_tear = tears == Tears::every && rounds(0) > 1000;
  const Exploration explored = explore_all(scenarios, how);
  std::cout << "seed " << how.outcomes.seed << ": " << figures(explored) << "\n";
  EXPECT_EQ(explored.scenarios, scenarios.size());
  EXPECT_GT(explored.states, explored.scenarios);
  EXPECT_EQ(explored.failure_count, 0U);
  for (const std::string& failure : explored.failures) ADD_FAILURE() << failure;
}

}  // namespace worker_runtime::testing
