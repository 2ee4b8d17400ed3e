// Of the survey of a log, what a repair does: see log_plan.h.
#include "log_plan.h"

#include <algorithm>
#include <utility>

namespace worker_runtime::fs_store {
namespace {

std::string text(const std::vector<NumberRange>& ranges) {
  constexpr std::size_t shown_max = 5;
  std::string out;
  for (std::size_t index = 0; index < std::min(ranges.size(), shown_max); ++index) {
    const NumberRange& range = ranges[index];
    if (index > 0) out += ", ";
    out += std::to_string(range.first);
    if (range.last > range.first) out += " to " + std::to_string(range.last);
  }
  return ranges.size() > shown_max ? out + ", ..." : out;
}

std::vector<NumberRange> within(const std::vector<NumberRange>& ranges, const NumberRange& part) {
  std::vector<NumberRange> found;
  for (NumberRange range : ranges) {
    range.first = std::max(range.first, part.first);
    range.last = std::min(range.last, part.last);
    if (range.first <= range.last) found.push_back(range);
  }
  return found;
}

/// "written anew with 3 entries; lost: sequence 2"
std::string message_of(const LogSurvey::Part& part, const std::vector<NumberRange>& lost,
                       bool is_event_log) {
  const std::uint64_t kept = part.numbers.count() - count(lost);
  std::string message = part.exists ? "written anew" : "made";
  message += " with " + std::to_string(kept);
  message += is_event_log ? (kept == 1 ? " event" : " events") : kept == 1 ? " entry" : " entries";
  if (!lost.empty())
    message += "; lost: " + std::string(is_event_log ? "id " : "sequence ") + text(lost);
  if (part.bad_lines > 0)
    message += "; lines that do not belong or do not check: " + std::to_string(part.bad_lines);
  return message;
}

bool all_are_right(const std::vector<LogSurvey::Part>& parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [](const LogSurvey::Part& part) { return part.is_right; });
}

}  // namespace

std::uint64_t count(const std::vector<NumberRange>& ranges) {
  std::uint64_t sum = 0;
  for (const NumberRange& range : ranges) sum += range.count();
  return sum;
}

std::optional<LogPlan> plan_log(std::optional<WorkerId> worker_id, LogSurvey survey,
                                std::uint64_t last, const LogWatermark& watermark) {
  LogPlan log{std::move(worker_id), std::move(survey), {}, {}};
  log.parts = log.survey.parts(last, watermark.first);
  if (log.parts.empty() && watermark.last == 0) return std::nullopt;
  log.others = log.survey.others(log.parts);
  const LogSurvey::Part& current = log.parts.back();
  const LogWatermark end{current.numbers.first, current.bytes, current.numbers.last};
  if (log.others.empty() && all_are_right(log.parts) && watermark == end) return std::nullopt;
  return log;
}

std::vector<RepairItem> describe(const LogPlan& log, std::string_view prefix,
                                 const std::vector<NumberRange>& lost) {
  std::vector<RepairItem> items;
  const auto item = [&](std::string action, const std::string& path, std::uint64_t lost_count,
                        std::string message) {
    const auto worker_id = log.worker_id ? std::optional(log.worker_id->text()) : std::nullopt;
    items.push_back(
        {std::move(action), std::string(prefix) + path, worker_id, lost_count, std::move(message)});
  };
  for (const LogSurvey::Part& part : log.parts) {
    if (part.is_right) continue;
    const std::vector<NumberRange> here = within(lost, part.numbers);
    item("write_log", part.path, count(here), message_of(part, here, !log.worker_id));
  }
  if (items.empty()) {
    item("rebuild_record", log.parts.back().path, 0,
         "the records follow the file, which ends elsewhere than they said");
  }
  for (const std::string& path : log.others)
    item("drop_log", path, 0, "moved to quarantine: it begins behind the end of the log");
  return items;
}

}  // namespace worker_runtime::fs_store
