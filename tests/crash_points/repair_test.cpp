// A power cut at each change that a repair makes, in every legal outcome: whatever is left, the
// repair done again ends where the first one would have ended.
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "power_cuts.h"
#include "scenarios.h"
#include "support/domain.h"

namespace worker_runtime::testing {
namespace {

struct Damage {
  const char* name;
  std::function<void(DiskState&)> harm;
};

DiskNode& node(DiskState& state, const std::string& path) {
  NodeId at = root_node;
  const std::string whole = "runtimes/main/" + path;
  for (std::size_t start = 0; start < whole.size();) {
    const std::size_t end = std::min(whole.find('/', start), whole.size());
    at = state.nodes.at(at).seen_entries.at(whole.substr(start, end - start));
    start = end + 1;
  }
  return state.nodes.at(at);
}

void flip(DiskState& state, const std::string& path, const std::string& at) {
  DiskNode& file = node(state, path);
  std::string text = file.seen.text();
  text.at(text.find(at)) ^= 0x01;
  file.seen.write(0, text);
  file.durable = file.seen;
}

void remove(DiskState& state, const std::string& directory, const std::string& name) {
  DiskNode& parent = node(state, directory);
  parent.seen_entries.erase(name);
  parent.durable_entries.erase(name);
}

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"an entry",
       [](DiskState& state) { flip(state, "workers/mail/transcript.jsonl", "second"); }},
      {"an event", [](DiskState& state) { flip(state, "events.jsonl", "worker_stopped"); }},
      {"runtime.json", [](DiskState& state) { flip(state, "runtime.json", "last_event_id"); }},
      {"a record",
       [](DiskState& state) {
         flip(state, "catalog.0000000000000000.jsonl", "be done");
         flip(state, "workers/done/worker.json", "be done");
       }},
      {"a Worker's directory", [](DiskState& state) { remove(state, "workers", "mail"); }},
      {"all Workers' directories",
       [](DiskState& state) {
         for (const char* const name : {"mail", "done", "tape"}) remove(state, "workers", name);
       }},
  };
  return all;
}

std::string repaired_view(const DiskState& damaged) {
  SimulatedDisk disk(damaged);
  auto report = repair_simulated(disk);
  EXPECT_TRUE(is_ok(report));
  EXPECT_TRUE(report && report->applied);
  auto runtime = open_simulated(disk, {});
  EXPECT_TRUE(is_ok(runtime));
  return runtime ? view_of(*runtime) : "";
}

/// What is wrong with the outcome of a power cut once it is repaired; nothing if it is right.
std::string problem(DiskState after, const std::string& expected) {
  SimulatedDisk disk(std::move(after));
  auto report = repair_simulated(disk);
  if (!report) return report.error().detail();
  auto verified = verify_simulated(disk);
  if (!verified) return verified.error().detail();
  for (const fs_store::Finding& finding : verified->findings) {
    if (finding.severity != Severity::info)
      return finding.path + ": " + finding.code + ": " + finding.message;
  }
  auto runtime = open_simulated(disk, {});
  if (!runtime) return runtime.error().detail();
  const std::string view = view_of(*runtime);
  return view == expected ? "" : "it is\n" + view + "\nand should be\n" + expected;
}

TEST(RepairPoints, APowerCutAtEachChangeOfARepair) {
  PowerCuts cuts;
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    DiskState damaged = base_scenario().base;
    damage.harm(damaged);
    const std::string expected = repaired_view(damaged);
    cuts.run(damaged, repair_simulated,
             [&](DiskState&& after) { return problem(std::move(after), expected); });
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  std::cout << cuts.states() << " distinct states repaired\n";
  EXPECT_GT(cuts.states(), 100U);
}

}  // namespace
}  // namespace worker_runtime::testing
