// A power cut at each change that something makes to a disk, in every legal outcome.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "support/domain.h"
#include "support/fs_store/crash_outcomes.h"
#include "support/fs_store/simulated_disk.h"
#include "support/random.h"

namespace worker_runtime::testing {

/// Counts distinct states over all that it runs.
class PowerCuts {
 public:
  PowerCuts() {
    const bool is_campaign = number_from_environment("WORKER_RUNTIME_CRASH_ROUNDS", 0) > 1000;
    limits_.exhaustive = is_campaign ? 1024 : 16;
    limits_.samples = is_campaign ? 32 : 4;
  }

  /// `act` writes to a disk that begins as `base`, and answers a Result; `judge` says what is wrong
  /// with an outcome, and nothing if it is right. Ends at the first that is wrong.
  template <typename Act, typename Judge>
  void run(const DiskState& base, Act act, Judge judge) {
    std::vector<DiskState> moments;
    SimulatedDisk disk(base);
    disk.set_hook([&](const DiskState& state) { moments.push_back(state); });
    ASSERT_TRUE(is_ok(act(disk)));
    disk.set_hook({});
    std::unordered_set<std::uint64_t> seen;
    std::string wrong;
    for (const DiskState& moment : moments) {
      ++limits_.seed;
      for_each_outcome(moment, limits_, [&](DiskState&& after) {
        if (!wrong.empty() || !seen.insert(hash_of_seen(after)).second) return;
        ++states_;
        const std::string disk_text = describe(after);
        wrong = judge(std::move(after));
        if (!wrong.empty()) wrong += "\nthe disk:\n" + disk_text;
      });
      ASSERT_EQ(wrong, "") << "power cut at change " << moment.changes << ", seed " << limits_.seed;
    }
  }

  [[nodiscard]] std::uint64_t states() const { return states_; }

 private:
  OutcomeLimits limits_;
  std::uint64_t states_ = 0;
};

}  // namespace worker_runtime::testing
