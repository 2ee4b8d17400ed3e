// A power cut at each change that a backup or a restore makes to the disk that it writes to, in
// every legal outcome: the copy of before is in force, or the new one, whole; and the run done
// again ends where the first one would have ended.
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "backup_directory.h"
#include "layout.h"
#include "open.h"
#include "power_cuts.h"
#include "scenarios.h"
#include "support/domain.h"

namespace worker_runtime::testing {
namespace {

/// So small that every copy begins new parts.
fs_store::CopyOptions small_parts() {
  fs_store::CopyOptions options;
  options.part_bytes = 700;
  return options;
}

Result<fs_store::CopyReport> back_up(SimulatedDisk& from, SimulatedDisk& to) {
  auto source = from.root()->directory(fs_store::layout::runtime_directory(runtime_id("main")));
  if (!source) return std::move(source).error();
  return fs_store::backup_directory(**source, runtime_id("main"), *to.root(), small_parts());
}

Result<fs_store::CopyReport> bring_back(SimulatedDisk& from, SimulatedDisk& to) {
  fs_store::StoreOptions options;
  options.runtime_id = runtime_id("main");
  RuntimeId found;
  auto source = fs_store::open_runtime_directory(*from.root(), options, found);
  if (!source) return std::move(source).error();
  return fs_store::restore_directory(**source, runtime_id("main"), *to.root(), runtime_id("main"),
                                     small_parts());
}

/// Everything that the store on a disk shows; of an error its code.
std::string shown_by(SimulatedDisk& disk) {
  auto runtime = open_simulated(disk, {});
  return runtime ? view_of(*runtime) : std::string(to_string(runtime.error().code()));
}

/// What a restore from the backup gives.
std::string held_by(SimulatedDisk& backup) {
  SimulatedDisk disk;
  auto restored = bring_back(backup, disk);
  if (!restored) return std::string(to_string(restored.error().code()));
  return shown_by(disk);
}

std::string first_finding(SimulatedDisk& disk) {
  auto verified = verify_simulated(disk);
  if (!verified) return verified.error().detail();
  for (const fs_store::Finding& finding : verified->findings) {
    if (finding.severity != Severity::info)
      return finding.path + ": " + finding.code + ": " + finding.message;
  }
  return "";
}

/// The base after everything that makes a second backup do something.
DiskState later_source(const Scenario& scenario) {
  SimulatedDisk disk(scenario.base);
  Runtime runtime = open_simulated(disk, {}).value();
  for (const Operation& operation : alphabet()) perform(runtime, operation.mutations);
  if (!runtime.close()) std::abort();
  return disk.state();
}

/// What is wrong with a backup after a power cut; nothing if it is right.
std::string problem_of_backup(DiskState after, const DiskState& source, const std::string& before,
                              const std::string& expected) {
  SimulatedDisk backup(std::move(after));
  const std::string held = held_by(backup);
  if (held != before && held != expected) return "it holds\n" + held;
  SimulatedDisk from(source);
  auto again = back_up(from, backup);
  if (!again) return again.error().detail();
  const std::string finding = first_finding(backup);
  if (!finding.empty()) return finding;
  const std::string now = held_by(backup);
  return now == expected ? "" : "done again it holds\n" + now + "\nand should hold\n" + expected;
}

TEST(BackupPoints, APowerCutAtEachChangeOfABackup) {
  const Scenario scenario = base_scenario();
  const DiskState later = later_source(scenario);
  SimulatedDisk first;
  SimulatedDisk second;
  {
    SimulatedDisk from(scenario.base);
    ASSERT_TRUE(is_ok(back_up(from, first)));
    SimulatedDisk from_later(later);
    ASSERT_TRUE(is_ok(back_up(from_later, second)));
  }
  const std::string old_view = held_by(first);
  const std::string new_view = held_by(second);
  ASSERT_NE(old_view, new_view);
  SimulatedDisk from_later(later);
  EXPECT_EQ(new_view, shown_by(from_later));
  PowerCuts cuts;
  {
    SCOPED_TRACE("the first one");
    cuts.run(
        DiskState(),
        [&](SimulatedDisk& to) {
          SimulatedDisk from(later);
          return back_up(from, to);
        },
        [&](DiskState&& after) {
          return problem_of_backup(std::move(after), later, "store_missing", new_view);
        });
  }
  {
    SCOPED_TRACE("the next one");
    DiskState base = first.state();
    base.sync_all();
    cuts.run(
        base,
        [&](SimulatedDisk& to) {
          SimulatedDisk from(later);
          return back_up(from, to);
        },
        [&](DiskState&& after) {
          return problem_of_backup(std::move(after), later, old_view, new_view);
        });
  }
  std::cout << cuts.states() << " distinct states of backups\n";
  EXPECT_GT(cuts.states(), 200U);
}

TEST(BackupPoints, APowerCutAtEachChangeOfARestore) {
  const DiskState backup = later_source(base_scenario());
  SimulatedDisk from(backup);
  const std::string expected = held_by(from);
  PowerCuts cuts;
  cuts.run(
      DiskState(),
      [&](SimulatedDisk& to) {
        SimulatedDisk source(backup);
        return bring_back(source, to);
      },
      [&](DiskState&& after) -> std::string {
        SimulatedDisk disk(std::move(after));
        const std::string shown = shown_by(disk);
        if (shown == expected) return first_finding(disk);
        if (shown != "store_missing") return "it shows\n" + shown;
        SimulatedDisk source(backup);
        auto again = bring_back(source, disk);
        if (!again) return again.error().detail();
        return shown_by(disk) == expected ? "" : "done again it shows\n" + shown_by(disk);
      });
  std::cout << cuts.states() << " distinct states of restores\n";
  EXPECT_GT(cuts.states(), 100U);
}

}  // namespace
}  // namespace worker_runtime::testing
