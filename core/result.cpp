// Names of error codes, and the message for the operator's log.
#include "worker_runtime/result.h"

#include <array>

namespace worker_runtime {

std::string_view to_string(ErrorCode code) {
  constexpr std::array<std::string_view, 21> names{"runtime_stopped",
                                                   "runtime_ambiguous",
                                                   "wrong_runtime",
                                                   "worker_not_found",
                                                   "worker_exists",
                                                   "worker_not_running",
                                                   "worker_active",
                                                   "worker_damaged",
                                                   "invalid_request",
                                                   "limit_exceeded",
                                                   "idempotency_conflict",
                                                   "cursor_expired",
                                                   "cursor_ahead",
                                                   "closed",
                                                   "store_io",
                                                   "store_missing",
                                                   "store_corrupt",
                                                   "store_failed",
                                                   "store_full",
                                                   "store_locked",
                                                   "store_version"};
  return names.at(static_cast<std::size_t>(code));
}

std::string Error::detail() const {
  std::string text(to_string(code_));
  text += ": ";
  text += message_;
  if (const auto* const file = get<FileFields>()) {
    if (!file->root.empty()) text += " (under " + file->root + ")";
    if (file->system_error != 0) text += " (errno " + std::to_string(file->system_error) + ")";
  }
  return text;
}

}  // namespace worker_runtime
