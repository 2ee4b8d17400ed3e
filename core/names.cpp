// The names of the domain's enumerations, and of the limits.
#include <algorithm>
#include <array>

#include "worker_runtime/commit.h"
#include "worker_runtime/history.h"
#include "worker_runtime/options.h"
#include "worker_runtime/store.h"
#include "worker_runtime/worker.h"

namespace worker_runtime {
namespace {

constexpr std::array<std::string_view, 3> worker_statuses{"running", "stopped", "cancelled"};
constexpr std::array<std::string_view, 3> profile_kinds{"runtime_default", "builtin", "named"};
constexpr std::array<std::string_view, 9> event_kinds{
    "runtime_started",       "runtime_stopped",        "worker_created",
    "worker_input_accepted", "worker_output_appended", "worker_stopped",
    "worker_cancelled",      "worker_deleted",         "unknown"};
constexpr std::array<std::string_view, 4> roles{"user", "system", "assistant", "tool"};
constexpr std::array<std::string_view, 3> severities{"info", "warning", "error"};
constexpr std::array<std::string_view, 3> durabilities{"sync", "interval", "none"};
constexpr std::array<std::string_view, 4> log_levels{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> runtime_statuses{"running", "stopped"};
constexpr std::array<std::string_view, 3> conditions{"ok", "full", "failed"};

template <typename Enum, std::size_t Count>
std::optional<Enum> parse(const std::array<std::string_view, Count>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

template <typename Enum, std::size_t Count>
std::string_view name(const std::array<std::string_view, Count>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view to_string(WorkerStatus status) { return name(worker_statuses, status); }
std::optional<WorkerStatus> parse_worker_status(std::string_view text) {
  return parse<WorkerStatus>(worker_statuses, text);
}
std::string_view to_string(ProfileKind kind) { return name(profile_kinds, kind); }
std::string_view to_string(EventKind kind) { return name(event_kinds, kind); }
EventKind parse_event_kind(std::string_view text) {
  return parse<EventKind>(event_kinds, text).value_or(EventKind::unknown);
}
std::string_view to_string(Role role) { return name(roles, role); }
std::optional<Role> parse_role(std::string_view text) { return parse<Role>(roles, text); }
std::string_view to_string(Severity severity) { return name(severities, severity); }
std::optional<Severity> parse_severity(std::string_view text) {
  return parse<Severity>(severities, text);
}
std::string_view to_string(Durability durability) { return name(durabilities, durability); }
std::optional<Durability> parse_durability(std::string_view text) {
  return parse<Durability>(durabilities, text);
}
std::string_view to_string(LogLevel level) { return name(log_levels, level); }
std::optional<LogLevel> parse_log_level(std::string_view text) {
  return parse<LogLevel>(log_levels, text);
}
std::string_view to_string(RuntimeStatus status) { return name(runtime_statuses, status); }
std::optional<RuntimeStatus> parse_runtime_status(std::string_view text) {
  return parse<RuntimeStatus>(runtime_statuses, text);
}
std::string_view to_string(StoreHealth::Condition condition) { return name(conditions, condition); }

const std::vector<LimitName>& limit_names() {
  static const std::vector<LimitName> names{
      {"page_items", &Limits::page_items},
      {"page_bytes", &Limits::page_bytes},
      {"input_bytes", &Limits::input_bytes},
      {"transcript_entry_bytes", &Limits::transcript_entry_bytes},
      {"create_request_bytes", &Limits::create_request_bytes},
      {"reason_bytes", &Limits::reason_bytes},
      {"name_bytes", &Limits::name_bytes},
      {"display_name_bytes", &Limits::display_name_bytes},
      {"idempotency_key_bytes", &Limits::idempotency_key_bytes},
      {"named_counters", &Limits::named_counters},
      {"batch_operations", &Limits::batch_operations},
      {"live_workers", &Limits::live_workers},
      {"commit_bytes", &Limits::commit_bytes},
      {"diagnostics_kept", &Limits::diagnostics_kept},
  };
  return names;
}

}  // namespace worker_runtime
