// A Worker: how it is asked for, what is recorded of it, how it is shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/time.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// `stopped` and `cancelled` are terminal.
enum class WorkerStatus : std::uint8_t { running, stopped, cancelled };
std::string_view to_string(WorkerStatus status);
std::optional<WorkerStatus> parse_worker_status(std::string_view text);

// ---- what a Worker is asked to be

struct AssistantIntent {
  std::optional<std::string> purpose{};
  bool operator==(const AssistantIntent&) const = default;
};
struct TaskIntent {
  std::string objective;
  bool operator==(const TaskIntent&) const = default;
};
struct RoleIntent {
  std::string role;
  std::optional<std::string> purpose{};
  bool operator==(const RoleIntent&) const = default;
};
using Intent = std::variant<AssistantIntent, TaskIntent, RoleIntent>;

enum class ProfileKind : std::uint8_t { runtime_default, builtin, named };
std::string_view to_string(ProfileKind kind);
struct Profile {
  ProfileKind kind = ProfileKind::runtime_default;
  std::string value{};  ///< The name; empty for runtime_default.
  bool operator==(const Profile&) const = default;
};

struct Capability {
  std::string name;
  std::optional<std::string> reason{};
  bool operator==(const Capability&) const = default;
};

/// A named reference to a workspace or a mount; the library does not interpret it.
struct NamedReference {
  std::string name;
  std::string reference;
  bool operator==(const NamedReference&) const = default;
};

/// Members of a JSON object that this version does not know: text of a newer one, which is kept.
/// Only a decoder of this library makes any.
class UnknownMembers {
 public:
  UnknownMembers() = default;
  /// `text` is `,"name":value` of each, compact, no name doubled and none that is known: it is
  /// written as it is.
  static UnknownMembers decoded(std::string text) { return UnknownMembers(std::move(text)); }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  bool operator==(const UnknownMembers&) const = default;

 private:
  explicit UnknownMembers(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Where the history of a forked or imported Worker came from.
struct Origin {
  WorkerRef worker_ref;
  Sequence sequence;  ///< The last entry that was taken over; 0: none.
  bool operator==(const Origin&) const = default;
};

/// All text must be valid UTF-8; objective, role, purpose, reason, names, display name and key must
/// not be blank where given.
struct CreateRequest {
  Intent intent;
  Profile profile{};
  std::optional<std::string> config_bundle{};  ///< Its id.
  std::vector<Capability> requested_capabilities{};
  std::vector<NamedReference> workspace_refs{};
  std::vector<NamedReference> mount_refs{};
  std::optional<WorkerId> worker_id{};  ///< None: the Runtime makes one.
  std::optional<std::string> display_name{};
  std::optional<std::string> idempotency_key{};
  std::optional<Origin> origin{};    ///< Only of a forked or imported Worker.
  UnknownMembers unknown_members{};  ///< Only of an imported Worker.
  bool operator==(const CreateRequest&) const = default;
};

// ---- what is counted

/// The largest value of a named counter: 2^53 - 1, the largest integer that every JSON reader
/// keeps.
inline constexpr std::uint64_t counter_max = (std::uint64_t{1} << 53U) - 1;

/// A number that the host reports under a name of its choice, such as tokens.
struct Counter {
  std::string name;
  std::uint64_t value = 0;
  bool operator==(const Counter&) const = default;
};
using Counters = std::vector<Counter>;  ///< Ordered by name, each name once.

struct Usage {
  std::uint64_t inputs = 0;
  std::uint64_t outputs = 0;
  std::uint64_t content_bytes = 0;
  Counters counters{};
  bool operator==(const Usage&) const = default;
};

// ---- what is recorded, and what is shown

/// The record of a Worker as the catalog keeps it: all but its create request and its transcript.
struct WorkerRecord {
  WorkerId worker_id;
  std::optional<std::string> display_name{};
  WorkerStatus status = WorkerStatus::running;
  Timestamp created_at;
  Timestamp updated_at;
  Sequence first_sequence{1};  ///< The first entry that is kept; those below were trimmed.
  Sequence last_sequence;      ///< Also the length of the transcript, trimmed entries included.
  EventId last_event_id;
  Usage usage{};
  Lsn lsn;                                  ///< The commit that changed the record last.
  std::optional<std::string> create_key{};  ///< The idempotency key it was created with.
  bool operator==(const WorkerRecord&) const = default;
};

/// An entry of a list of Workers.
struct WorkerSummary {
  WorkerRef worker_ref;
  std::optional<std::string> display_name{};
  WorkerStatus status = WorkerStatus::running;
  std::optional<std::string> damaged{};  ///< The cause, if its files are damaged.
  std::uint64_t transcript_len = 0;      ///< Trimmed entries included.
  Sequence first_sequence{1};            ///< The first entry that is kept.
  EventId last_event_id;
  Timestamp created_at;
  Timestamp updated_at;
  Usage usage{};
  bool operator==(const WorkerSummary&) const = default;
};

/// All that is known of a Worker.
struct WorkerDetail {
  WorkerSummary summary;
  /// As it was asked for: worker_id, display_name and idempotency_key as given. None only if the
  /// request is damaged in the store; `summary.damaged` then tells the cause.
  std::optional<CreateRequest> request{};
  bool operator==(const WorkerDetail&) const = default;
};

}  // namespace worker_runtime

#pragma GCC visibility pop
