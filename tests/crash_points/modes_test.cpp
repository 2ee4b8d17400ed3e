// Crash enumeration of stores that are set otherwise than by default, or stand otherwise: that sync
// later or never, whose checkpoints come by themselves, whose catalog is about to be compacted,
// that are made beside another runtime.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "campaign.h"
#include "scenarios.h"
#include "support/domain.h"

namespace worker_runtime::testing {
namespace {

Scenario with(std::string name, SimulatedStore store) {
  Scenario scenario = base_scenario();
  scenario.name = std::move(name) + ": ";
  scenario.store = std::move(store);
  return scenario;
}

/// Each operation, and in a campaign sequences of two and of three.
void explore_all_lengths(const Scenario& base) {
  expect_nothing_lost(sequences(base, 1, UINT64_MAX, seed()));
  for (const std::size_t length : {2U, 3U}) {
    const std::vector<Scenario> longer = sequences(base, length, rounds(0), seed());
    if (!longer.empty()) expect_nothing_lost(longer);
  }
}

TEST(CrashPointsOfModes, CheckpointsThatComeByThemselves) {
  SimulatedStore store;
  store.logs_follow = true;
  store.checkpoint_bytes = 1500;
  explore_all_lengths(with("small checkpoints", store));
}

/// After a power cut it is as it was at some moment since the last checkpoint or open; after a kill
/// nothing is missing.
TEST(CrashPointsOfModes, SyncsThatComeLater) {
  for (const Durability durability : {Durability::interval, Durability::none}) {
    for (const bool logs_follow : {false, true}) {
      SimulatedStore store;
      store.durability = durability;
      store.logs_follow = logs_follow;
      const std::string name =
          std::string(to_string(durability)) + (logs_follow ? ", followed" : "");
      explore_all_lengths(with(name, store));
    }
  }
}

/// A Worker with a long request whose record was changed at two checkpoints: the third one writes
/// the catalog anew.
TEST(CrashPointsOfModes, CompactionOfTheCatalog) {
  const WorkerRef big{runtime_id("main"), worker_id("big")};
  const Operation create{
      Operation::Kind::submit, "create big", {task(std::string(40'000, 'b'), "big")}};
  const auto send = [&](const std::string& text) {
    return Operation{Operation::Kind::submit, "send big", {input(big, text)}};
  };
  Scenario scenario = base_scenario();
  scenario.operations = {create,      named("checkpoint"), send("one"),   named("checkpoint"),
                         send("two"), named("checkpoint"), send("three"), named("checkpoint")};
  scenario.name = "big, four checkpoints";
  Scenario deleted = scenario;
  deleted.name = "big, deleted";
  deleted.operations.insert(deleted.operations.end() - 1,
                            {{Operation::Kind::submit, "stop big", {StopWorker{big, {}}}},
                             {Operation::Kind::submit, "delete big", {DeleteWorker{big}}}});
  expect_nothing_lost({scenario, deleted});
}

TEST(CrashPointsOfModes, AStoreMadeBesideAnother) {
  Scenario scenario;
  scenario.name = "init beside another";
  scenario.base = base_scenario().base;
  scenario.store.runtime_id = runtime_id("second");
  scenario.store.create = true;
  expect_nothing_lost({scenario});
}

}  // namespace
}  // namespace worker_runtime::testing
