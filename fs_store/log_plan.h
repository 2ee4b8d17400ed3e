// What a repair makes of one log: which of its files are written, which go, and what is said of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec.h"
#include "log_survey.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::fs_store {

/// A log that has to be written, or whose end is not where its record says.
struct LogPlan {
  std::optional<WorkerId> worker_id;  ///< None: the event log.
  LogSurvey survey;                   ///< Without gaps.
  std::vector<LogSurvey::Part> parts;
  std::vector<std::string> others;  ///< Files that go.
};

/// How many numbers these are.
std::uint64_t count(const std::vector<NumberRange>& ranges);

/// The plan of a log that is to end with number `last`; none where it is there as `watermark` says.
std::optional<LogPlan> plan_log(std::optional<WorkerId> worker_id, LogSurvey survey,
                                std::uint64_t last, const LogWatermark& watermark);

/// What is told of it, each path behind `prefix`. The numbers in `lost` got a line that says so.
std::vector<RepairItem> describe(const LogPlan& log, std::string_view prefix,
                                 const std::vector<NumberRange>& lost);

}  // namespace worker_runtime::fs_store
