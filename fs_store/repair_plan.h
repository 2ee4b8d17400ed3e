// What a repair does, as a value: see worker_runtime/fs_store/repair.h for what it promises.
//
//   1. what stands in the way; salvage: the records, and lines that only the journal has
//   2. survey the event log and every transcript: which numbers are good, where
//   3. an event that is lost is made again from the entry that it made
//   4. fold: events that no record stands for bring the records up to date
//   5. an entry that is lost leaves one that says so, with role and time of its event; an event
//      that is still lost leaves one of kind "event_lost"
//   6. of each log, which parts are right as they are, and which have to be written
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "log_plan.h"
#include "salvage.h"

namespace worker_runtime::fs_store {

struct RepairPlan {
  Salvage salvage;  ///< Records and overview as they will be; the LSN is still that of before.
  std::vector<LogPlan> logs;
  std::vector<std::string> damaged_views;
  std::vector<std::string> obstructions;  ///< Moved to quarantine as they are.
  std::vector<RepairItem> items;
};

/// `accepted_files` are those of the options, relative to the runtime's directory.
Result<RepairPlan> plan_repair(FileSystem& file_system, const RuntimeId& runtime_id,
                               const std::vector<std::string>& accepted_files,
                               const RepairOptions& options);

}  // namespace worker_runtime::fs_store
