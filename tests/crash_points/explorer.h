// Crash enumeration: runs a scenario on a simulated disk, and tries what a power cut or a kill at
// each of its moments may leave.
//
// A moment is the disk after one call of the store that changed or synced anything, with the number
// of units that were answered by then and of those that were begun. For every outcome of a power
// cut at that moment (crash_outcomes.h), and for the kill of the process, the store is opened, and
// must
//   - verify clean before that, of a sample of them;
//   - open, without a warning or an error among its diagnostics;
//   - look, in everything that can be read, like the memory Runtime after n units, where n is at
//     least what was answered (of a power cut in a mode that syncs later: what was durable) and at
//     most what was begun;
//   - of a sample of them: answer repeated keys without doing anything twice; go on like the memory
//     Runtime, close, reopen, verify clean; and stand a second power cut at each moment of its
//     recovery.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model.h"
#include "simulated_store.h"
#include "support/fs_store/crash_outcomes.h"

namespace worker_runtime::testing {

struct Scenario {
  std::string name;
  DiskState base;                     ///< Before the operations.
  std::vector<Operation> history;     ///< What made the base, for the model.
  std::vector<Operation> operations;  ///< The moments of the last one are explored.
  SimulatedStore store;

  /// Of the process that comes after the crash: it keeps the rules, and nothing happens by itself.
  [[nodiscard]] SimulatedStore store_after() const;
};

struct ExplorerOptions {
  OutcomeLimits outcomes;
  OutcomeLimits outcomes_of_recovery{16, 2, 1, false};
  /// One in so many states goes through the longer checks; 0: none.
  std::uint64_t one_in_continued = 8;
  std::uint64_t one_in_crashed_again = 60;
};

struct Exploration {
  std::uint64_t scenarios = 0;
  std::uint64_t moments = 0;
  std::uint64_t outcomes = 0;        ///< Power cuts tried, the same state more than once included.
  std::uint64_t states = 0;          ///< Distinct ones that were opened and checked.
  std::uint64_t recoveries_cut = 0;  ///< Of them, those left by a power cut during a recovery.
  std::uint64_t failure_count = 0;
  std::vector<std::string> failures;  ///< The first few.

  void add(const Exploration& other);
};
std::string figures(const Exploration& exploration);

/// Stops at the first failure.
Exploration explore(const Scenario& scenario, const ExplorerOptions& options);
/// On all processors.
Exploration explore_all(const std::vector<Scenario>& scenarios, const ExplorerOptions& options);

}  // namespace worker_runtime::testing
