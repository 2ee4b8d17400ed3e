// The rule for ids: see ids.h.
#include "worker_runtime/ids.h"

#include "worker_runtime/text.h"

namespace worker_runtime {
namespace {

/// What is wrong with the text of an id; empty if nothing is.
std::string_view fault_of(std::string_view text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > id_bytes_max) return "must have at most 80 bytes";
  if (!is_valid_utf8(text)) return "must be valid UTF-8";
  if (has_control(text)) return "must not hold a control character";
  if (has_outer_white_space(text)) return "must not begin or end with white space";
  return {};
}

}  // namespace

template <>
Result<RuntimeId> RuntimeId::parse(std::string_view text) {
  const std::string_view fault = fault_of(text);
  if (!fault.empty())
    return Error(ErrorCode::invalid_request, "a runtime id " + std::string(fault));
  return RuntimeId(std::string(text));
}

template <>
Result<WorkerId> WorkerId::parse(std::string_view text) {
  const std::string_view fault = fault_of(text);
  if (!fault.empty()) return Error(ErrorCode::invalid_request, "a worker id " + std::string(fault));
  return WorkerId(std::string(text));
}

}  // namespace worker_runtime
