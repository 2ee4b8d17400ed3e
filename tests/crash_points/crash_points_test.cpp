// Crash enumeration over every operation and every sequence of two and three, over logs that lag
// behind and over logs that follow at once, and over making and opening a store.
//
// Here a part of the sequences, drawn with a seed; WORKER_RUNTIME_CRASH_ROUNDS (make crash) says
// how many of each length, and above 1,000 also that more outcomes of each moment are tried.
#include <gtest/gtest.h>

#include <vector>

#include "campaign.h"
#include "scenarios.h"

namespace worker_runtime::testing {
namespace {

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
///     runtime.json that a dead process had left visible, but not durable;
///   - "group, batch, kill": a recovery that took back parts of a log was cut off in between; the
///     next one left a younger part where it was;
///   - "send, kill, checkpoint": a transcript that a dead process had made was taken over, and the
///     checkpoint synced the file but not its name.
TEST(CrashPoints, SequencesThatFoundSomething) {
  const Scenario base = base_scenario();
  expect_nothing_lost(
      {sequence(base, {"create new", "checkpoint"}), sequence(base, {"create new", "reopen"}),
       sequence(base, {"delete done", "checkpoint"}), sequence(base, {"stop runtime", "reopen"}),
       sequence(followed(base), {"group", "batch", "kill"}),
       sequence(followed(base), {"send long", "kill", "checkpoint"})});
}

TEST(CrashPoints, EveryOperation) {
  expect_nothing_lost(sequences(base_scenario(), 1, UINT64_MAX, seed()), Tears::every);
}
TEST(CrashPoints, SequencesOfTwo) {
  expect_nothing_lost(sequences(base_scenario(), 2, rounds(8), seed()));
}
TEST(CrashPoints, SequencesOfThree) {
  expect_nothing_lost(sequences(base_scenario(), 3, rounds(8), seed()));
}
TEST(CrashPoints, EveryOperationWithLogsThatFollow) {
  expect_nothing_lost(sequences(followed(base_scenario()), 1, UINT64_MAX, seed()), Tears::every);
}
TEST(CrashPoints, SequencesOfTwoWithLogsThatFollow) {
  expect_nothing_lost(sequences(followed(base_scenario()), 2, rounds(8), seed()));
}
TEST(CrashPoints, SequencesOfThreeWithLogsThatFollow) {
  expect_nothing_lost(sequences(followed(base_scenario()), 3, rounds(8), seed()));
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
