// Crash enumeration over every operation and every sequence of two and three, over logs that lag
// behind and over logs that follow at once, and over making and opening a store.
//
// Here a part of the sequences, drawn with a seed; WORKER_RUNTIME_CRASH_ROUNDS (make crash) says
// how many of each length, and above 1,000 also that more outcomes of each moment are tried.
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include "explorer.h"
#include "support/random.h"

namespace worker_runtime::testing {
namespace {

std::uint64_t rounds(std::uint64_t otherwise) {
  return number_from_environment("WORKER_RUNTIME_CRASH_ROUNDS", otherwise);
}

ExplorerOptions options() {
  ExplorerOptions options;
  options.outcomes.seed = number_from_environment("WORKER_RUNTIME_SEED", 1);
  if (rounds(0) > 1000) {
    options.outcomes.exhaustive = 4096;
    options.outcomes.samples = 64;
    options.outcomes.every_tear = true;
  }
  return options;
}

void expect_nothing_lost(const std::vector<Scenario>& scenarios) {
  const ExplorerOptions how = options();
  const Exploration explored = explore_all(scenarios, how);
  std::cout << "seed " << how.outcomes.seed << ": " << figures(explored) << "\n";
  EXPECT_EQ(explored.scenarios, scenarios.size());
  EXPECT_GT(explored.states, explored.scenarios);
  EXPECT_EQ(explored.failure_count, 0U);
  for (const std::string& failure : explored.failures) ADD_FAILURE() << failure;
}

/// Sequences of `length` operations behind `base`: all of them, or `count` drawn at random.
std::vector<Scenario> sequences(const Scenario& base, std::size_t length, std::uint64_t count) {
  const std::size_t letters = alphabet().size();
  std::uint64_t all = 1;
  for (std::size_t step = 0; step < length; ++step) all *= letters;
  Random random(options().outcomes.seed);
  std::vector<Scenario> scenarios;
  for (std::uint64_t index = 0; index < std::min(all, count); ++index) {
    Scenario& scenario = scenarios.emplace_back(base);
    std::uint64_t digits = count >= all ? index : random.below(all);
    for (std::size_t step = 0; step < length; ++step) {
      const Operation& operation = alphabet()[digits % letters];
      scenario.name += (step == 0 ? "" : ", ") + operation.name;
      scenario.operations.push_back(operation);
      digits /= letters;
    }
  }
  return scenarios;
}

/// As the base, with logs that follow each commit at once.
Scenario followed(Scenario scenario) {
  scenario.name = "followed: ";
  scenario.store.logs_follow = true;
  return scenario;
}

/// Sequences that once lost something:
///   - "create, checkpoint": the directory of a new Worker was made for its view and not synced; a
///     log's part got its closed name, and a new file the old one, with no sync between;
///   - "delete, checkpoint" and "stop, reopen": a recovery removed segments because of a
///     runtime.json that a dead process had left visible, but not durable.
TEST(CrashPoints, SequencesThatFoundSomething) {
  std::vector<Scenario> scenarios;
  for (const auto& names : std::vector<std::vector<std::string>>{{"create new", "checkpoint"},
                                                                 {"create new", "reopen"},
                                                                 {"delete done", "checkpoint"},
                                                                 {"stop runtime", "reopen"}}) {
    Scenario& scenario = scenarios.emplace_back(base_scenario());
    for (const std::string& name : names) {
      scenario.name += name + ", ";
      for (const Operation& operation : alphabet()) {
        if (operation.name == name) scenario.operations.push_back(operation);
      }
    }
  }
  expect_nothing_lost(scenarios);
}

TEST(CrashPoints, EveryOperation) {
  expect_nothing_lost(sequences(base_scenario(), 1, UINT64_MAX));
}
TEST(CrashPoints, SequencesOfTwo) { expect_nothing_lost(sequences(base_scenario(), 2, rounds(8))); }
TEST(CrashPoints, SequencesOfThree) {
  expect_nothing_lost(sequences(base_scenario(), 3, rounds(8)));
}
TEST(CrashPoints, EveryOperationWithLogsThatFollow) {
  expect_nothing_lost(sequences(followed(base_scenario()), 1, UINT64_MAX));
}
TEST(CrashPoints, SequencesOfTwoWithLogsThatFollow) {
  expect_nothing_lost(sequences(followed(base_scenario()), 2, rounds(8)));
}
TEST(CrashPoints, SequencesOfThreeWithLogsThatFollow) {
  expect_nothing_lost(sequences(followed(base_scenario()), 3, rounds(8)));
}

/// Each moment of making a store; whatever is left, it can be made, or opened if it was made.
TEST(CrashPoints, MakingAStore) {
  Scenario scenario;
  scenario.name = "init";
  scenario.store.create = true;
  expect_nothing_lost({scenario});
}

}  // namespace
}  // namespace worker_runtime::testing
