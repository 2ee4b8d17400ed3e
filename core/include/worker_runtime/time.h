// Points in time and the clock that gives them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// A point in time, UTC, in microseconds since 1970-01-01T00:00:00Z. The range that can be written
/// is the years 0 to 9999.
struct Timestamp {
  std::int64_t microseconds = 0;
  auto operator<=>(const Timestamp&) const = default;
};

/// The first and the last point in time that can be written.
inline constexpr Timestamp timestamp_min{-62'167'219'200'000'000};
inline constexpr Timestamp timestamp_max{253'402'300'799'999'999};

/// RFC 3339 with microseconds: "2026-11-24T10:00:00.000001Z", always 27 characters.
std::string to_string(Timestamp time);
/// The same without an allocation.
using TimestampText = std::array<char, 27>;
TimestampText text_of(Timestamp time);

/// Reads what to_string() writes, and nothing else. `invalid_request` otherwise.
Result<Timestamp> parse_timestamp(std::string_view text);

/// Gives the current time. Called by one thread at a time; must not throw, nor call the Runtime
/// that it was given to.
using Clock = std::function<Timestamp()>;

/// The clock of the system.
Clock system_clock();

}  // namespace worker_runtime

#pragma GCC visibility pop
