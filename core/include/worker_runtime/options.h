// What can be set: limits, durability, clock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/time.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// The limits of a Runtime. Each is at least 1. Over a limit, an operation is refused with
/// `limit_exceeded` and changes nothing.
struct Limits {
  std::uint64_t page_items = 256;
  /// Content, message, name and data bytes of a page.
  std::uint64_t page_bytes = std::uint64_t{4} << 20U;
  std::uint64_t input_bytes = std::uint64_t{1} << 20U;
  std::uint64_t transcript_entry_bytes = std::uint64_t{16} << 20U;  ///< Content, name and data.
  std::uint64_t create_request_bytes = std::uint64_t{64} << 10U;  ///< All text of a create request.
  std::uint64_t reason_bytes = std::uint64_t{1} << 10U;
  std::uint64_t name_bytes = std::uint64_t{1} << 10U;          ///< Of an entry's name.
  std::uint64_t display_name_bytes = std::uint64_t{1} << 10U;  ///< Of a Worker or a Runtime.
  std::uint64_t idempotency_key_bytes = 256;
  std::uint64_t named_counters = 64;                      ///< Names of counters of one Worker.
  std::uint64_t batch_operations = 1000;                  ///< Operations of one batch.
  std::uint64_t live_workers = 1'000'000;                 ///< Workers that are not deleted.
  std::uint64_t commit_bytes = std::uint64_t{64} << 20U;  ///< A commit as a store encodes it.
  std::uint64_t diagnostics_kept = 1000;                  ///< The newest of each severity.
  bool operator==(const Limits&) const = default;
};

/// A limit by its name, for text front ends and error fields.
struct LimitName {
  std::string_view name;
  std::uint64_t Limits::*member;
};
/// Every limit, in the order of the struct.
const std::vector<LimitName>& limit_names();

/// One limit set to a value.
struct LimitSetting {
  std::string name;  ///< A name of limit_names().
  std::uint64_t value = 0;
};

/// When an answer is given. In-memory stores ignore it.
enum class Durability : std::uint8_t {
  sync,      ///< After the commit is on the disk. The default.
  interval,  ///< After it is written; a sync follows within an interval. A power cut may lose that
             ///< interval.
  none,      ///< After it is written; for tests and rebuilds.
};
std::string_view to_string(Durability durability);
std::optional<Durability> parse_durability(std::string_view text);

/// How much a line of the log matters.
enum class LogLevel : std::uint8_t {
  debug,    ///< What a store does by itself all the time: checkpoints.
  info,     ///< The open, the close, what a recovery did, that a trouble is over.
  warning,  ///< Diagnostics of these severities.
  error,
};
std::string_view to_string(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view text);

/// Told what happens, a line without its end: for the host's own log. Called from any thread, with
/// locks held: it must be quick, must not call the Runtime, and must not throw. Each diagnostic is
/// told too, with its code in front.
using Log = std::function<void(LogLevel level, std::string_view line)>;

/// How a Runtime is opened. What is not given stays as the store has it.
struct RuntimeOptions {
  std::optional<std::string> display_name{};
  std::vector<LimitSetting> limits{};
  Clock clock = system_clock();
  Log log{};
};

}  // namespace worker_runtime

#pragma GCC visibility pop
