// Scenarios made of the alphabet of operations: see scenarios.h.
#include "scenarios.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "support/random.h"

namespace worker_runtime::testing {
namespace {

void add(Scenario& scenario, const Operation& operation) {
  scenario.name += (scenario.operations.empty() ? "" : ", ") + operation.name;
  scenario.operations.push_back(operation);
}

}  // namespace

Scenario base_scenario() {
  Scenario scenario;
  scenario.history = base_operations();
  SimulatedDisk disk;
  SimulatedStore store;
  store.create = true;
  Runtime runtime = open_simulated(disk, store).value();
  for (const Operation& operation : scenario.history) perform(runtime, operation.mutations);
  if (!runtime.close()) std::abort();
  scenario.base = disk.state();
  scenario.base.sync_all();
  return scenario;
}

const Operation& named(std::string_view name) {
  const auto found = std::find_if(alphabet().begin(), alphabet().end(),
                                  [&](const Operation& one) { return one.name == name; });
  if (found == alphabet().end()) std::abort();
  return *found;
}

Scenario sequence(const Scenario& base, const std::vector<std::string>& names) {
  Scenario scenario = base;
  for (const std::string& name : names) add(scenario, named(name));
  return scenario;
}

std::vector<Scenario> sequences(const Scenario& base, std::size_t length, std::uint64_t count,
                                std::uint64_t seed) {
  const std::size_t letters = alphabet().size();
  std::uint64_t all = 1;
  for (std::size_t step = 0; step < length; ++step) all *= letters;
  Random random(seed);
  std::vector<Scenario> scenarios;
  for (std::uint64_t index = 0; index < std::min(all, count); ++index) {
    Scenario& scenario = scenarios.emplace_back(base);
    std::uint64_t digits = count >= all ? index : random.below(all);
    for (std::size_t step = 0; step < length; ++step) {
      add(scenario, alphabet()[digits % letters]);
      digits /= letters;
    }
  }
  return scenarios;
}

std::vector<Scenario> failed_syncs(const Scenario& base, const std::string& name,
                                   std::uint64_t nth_max, const std::string& then) {
  std::vector<Scenario> scenarios;
  for (const LostWrites lost : {LostWrites::stay_visible, LostWrites::come_back}) {
    const std::string how = lost == LostWrites::stay_visible ? "stay" : "come back";
    for (std::uint64_t nth = 1; nth <= nth_max; ++nth) {
      Scenario& scenario = scenarios.emplace_back(base);
      add(scenario, {Operation::Kind::fail_sync,
                     "sync " + std::to_string(nth) + " fails, lost writes " + how,
                     {},
                     nth,
                     lost});
      add(scenario, named(name));
      add(scenario, named("kill"));
      add(scenario, named(then));
    }
  }
  return scenarios;
}

}  // namespace worker_runtime::testing
