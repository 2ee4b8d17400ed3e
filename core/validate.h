// Checks of a request by itself: those that need no state but the limits. They come first for every
// operation and run on the caller's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "worker_runtime/history.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/options.h"
#include "worker_runtime/result.h"

namespace worker_runtime {

/// What is invalid comes before what is too long. Also brings the request into its normal form:
/// data without insignificant white space, counters by name.
Result<void> validate(Mutation& operation, const Limits& limits);

/// Options with which a Runtime is opened.
Result<void> validate_display_name(const std::optional<std::string>& display_name,
                                   const Limits& limits);
/// `invalid_request` for an unknown name or a value of 0.
Result<void> apply_limit(Limits& limits, const LimitSetting& setting);

/// All text of a create request.
std::uint64_t text_bytes(const CreateRequest& request);
/// Content, name and data: what transcript_entry_bytes limits.
std::uint64_t text_bytes(const TranscriptEntry& entry);

}  // namespace worker_runtime
