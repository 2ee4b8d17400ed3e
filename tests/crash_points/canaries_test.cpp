// Canaries: a store that breaks any one rule is caught by crash enumeration.
#include <gtest/gtest.h>

#include <iostream>

#include "distorted_file_system.h"
#include "explorer.h"
#include "scenarios.h"

namespace worker_runtime::testing {

static std::string name_of(BrokenRule rule) {
  switch (rule) {
    case BrokenRule::journal_is_synced:
      return "JournalIsSynced";
    case BrokenRule::answer_follows_sync:
      return "AnswerFollowsSync";
    case BrokenRule::segment_name_is_synced:
      return "SegmentNameIsSynced";
    case BrokenRule::logs_are_synced:
      return "LogsAreSynced";
    case BrokenRule::catalog_is_synced:
      return "CatalogIsSynced";
    case BrokenRule::snapshot_content_is_synced:
      return "SnapshotContentIsSynced";
    case BrokenRule::snapshot_name_is_synced:
      return "SnapshotNameIsSynced";
    case BrokenRule::worker_names_are_synced:
      return "WorkerNamesAreSynced";
    case BrokenRule::redactions_are_synced:
      return "RedactionsAreSynced";
    case BrokenRule::segments_go_last:
      return "SegmentsGoLast";
  }
  return "";
}

/// For the names that ctest lists.
static void PrintTo(BrokenRule rule, std::ostream* out) { *out << name_of(rule); }

namespace {

class BrokenStore : public ::testing::TestWithParam<BrokenRule> {};

TEST_P(BrokenStore, IsCaught) {
  Scenario base = base_scenario();
  base.store.distortion = distortion(GetParam());
  std::vector<const char*> names{"create new", "send long", "delete done"};
  if (GetParam() == BrokenRule::redactions_are_synced) names = {"redact mail"};
  for (const char* const name : names) {
    for (const Scenario& scenario :
         {sequence(base, {name}), sequence(base, {name, "checkpoint"})}) {
      const Exploration explored = explore(scenario, {});
      if (explored.failure_count == 0) continue;
      const std::string& failure = explored.failures.front();
      std::cout << failure.substr(0, failure.find("; the disk")) << "\n";
      return;
    }
  }
  FAIL() << "nothing was lost";
}

INSTANTIATE_TEST_SUITE_P(
    Rules, BrokenStore,
    ::testing::Values(BrokenRule::journal_is_synced, BrokenRule::answer_follows_sync,
                      BrokenRule::segment_name_is_synced, BrokenRule::logs_are_synced,
                      BrokenRule::catalog_is_synced, BrokenRule::snapshot_content_is_synced,
                      BrokenRule::snapshot_name_is_synced, BrokenRule::worker_names_are_synced,
                      BrokenRule::redactions_are_synced, BrokenRule::segments_go_last),
    [](const auto& rule) { return name_of(rule.param); });

}  // namespace
}  // namespace worker_runtime::testing
