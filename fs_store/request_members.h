// The members that requests of `pipe` may have: read in one walk, before it is known which
// operation they belong to.
//
// A member's type doesn't depend on the operation (but for `after`), so that `op` may stand
// anywhere and nothing is read twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec_members.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {

inline Error invalid_request(std::string message) {
  return {ErrorCode::invalid_request, std::move(message)};
}

enum class RequestMember : std::uint8_t {
  id,
  op,
  worker_id,
  worker_ref,
  kind,
  role,
  content,
  name,
  data,
  usage,
  idempotency_key,
  reason,
  display_name,
  intent,
  profile,
  config_bundle,
  requested_capabilities,
  workspace_refs,
  mount_refs,
  status,
  after,
  from,
  start,
  limit,
  newest_first,
  timeout_ms,
  before,
  sequence,
  at,
  as,
  exported,
  ops,
};

/// The name of a member as it stands in a request.
std::string_view to_string(RequestMember member);

/// A set of members.
using RequestMask = std::uint64_t;

/// What was there. Views are valid until the reader's next text.
struct RequestMembers {
  RequestMask seen = 0;
  std::string id;  ///< As JSON text.
  std::string_view op;
  std::optional<WorkerId> worker_id;
  std::optional<WorkerRef> worker_ref;
  std::string_view kind;
  std::string_view role;
  std::string content;
  std::optional<std::string> name;
  std::optional<std::string> data;
  Counters usage;
  std::optional<std::string> idempotency_key;
  std::optional<std::string> reason;
  /// Display name, intent, profile, references; its other members stand above.
  CreateRequest create;
  std::string_view status;
  std::optional<std::string_view> after_text;
  std::optional<std::uint64_t> after_number;
  std::uint64_t from = 0;
  std::optional<std::uint64_t> start;
  std::optional<std::uint64_t> limit;
  bool newest_first = false;
  std::uint64_t timeout_ms = 0;
  std::uint64_t before = 0;
  std::uint64_t sequence = 0;
  std::uint64_t at = 0;
  std::optional<WorkerId> as;
  std::string exported;
};

/// Reads the value of `ops`.
class OperationsReader {
 public:
  virtual bool read_operations(JsonValue value) = 0;

 protected:
  ~OperationsReader() = default;
};

/// Walks a request. `operations` reads `ops`; null: it must not be there.
bool read_request_members(JsonReader& reader, JsonValue* value, RequestMembers& members,
                          OperationsReader* operations);

/// The id of a line that is no good request, as JSON text; "null" if none can be read. Uses the
/// reader anew.
std::string find_request_id(JsonReader& reader, std::string_view line);

}  // namespace worker_runtime::fs_store
