// What has happened: events of a Runtime, entries of a transcript, diagnostics, and pages of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/time.h"
#include "worker_runtime/worker.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

enum class EventKind : std::uint8_t {
  runtime_started,
  runtime_stopped,
  worker_created,
  worker_input_accepted,
  worker_output_appended,
  worker_stopped,
  worker_cancelled,
  worker_deleted,
  unknown,  ///< Of a newer version: Event::unknown_kind has its name.
};
std::string_view to_string(EventKind kind);
/// `unknown` for a name that this version does not know.
EventKind parse_event_kind(std::string_view text);

struct Event {
  EventId id;
  Timestamp at;
  std::optional<WorkerRef> worker_ref{};  ///< None for events of the Runtime itself.
  EventKind kind = EventKind::runtime_started;
  std::string unknown_kind{};  ///< Only with EventKind::unknown.
  std::string message;
  std::optional<Sequence> sequence{};  ///< The transcript entry that the event made.
  bool operator==(const Event&) const = default;
};

enum class Role : std::uint8_t { user, system, assistant, tool };
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);
/// Whether an entry of the role is an input; else it is an output.
constexpr bool is_input(Role role) { return role == Role::user || role == Role::system; }

struct TranscriptEntry {
  Sequence sequence;
  Timestamp at;
  WorkerRef worker_ref;
  Role role = Role::user;
  std::string content;  ///< Empty in a redacted entry; never else.
  EventId event_id;
  std::optional<std::string> name{};
  std::optional<std::string> data{};  ///< A JSON object as text, without insignificant white space.
  std::optional<std::string> idempotency_key{};  ///< The key that the entry was sent with.
  Counters usage{};                              ///< What was reported with the entry.
  /// Of an entry that a forked or imported Worker began with: `event_id` is that of the Worker's
  /// worker_created event, and `at` the time at which the original was recorded.
  bool copied = false;
  /// Of a redacted entry, which has neither content nor data any more: how many bytes of content
  /// there were. 0: it is not redacted.
  std::uint64_t redacted = 0;
  UnknownMembers unknown_members{};  ///< Of a copied entry.
  bool operator==(const TranscriptEntry&) const = default;
};

/// The bytes of content that an entry has, or had before it was redacted.
inline std::uint64_t content_bytes(const TranscriptEntry& entry) {
  return entry.content.size() + entry.redacted;
}

/// Takes the content and data out of an entry, which keeps everything else.
inline void redact(TranscriptEntry& entry) {
  entry.redacted = content_bytes(entry);
  entry.content.clear();
  entry.data.reset();
}

enum class Severity : std::uint8_t { info, warning, error };
std::string_view to_string(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);

struct Diagnostic {
  std::uint64_t id = 0;  ///< Dense over all ever raised, from 1; gaps are those no longer kept.
  Timestamp at;
  Severity severity = Severity::info;
  std::string code;
  std::string message;
  std::optional<WorkerRef> worker_ref{};
  bool operator==(const Diagnostic&) const = default;
};

enum class Direction : std::uint8_t { oldest_first, newest_first };

struct EventPage {
  std::vector<Event> events{};
  EventId next;  ///< Cursor of the next page. Newest first: 0 when nothing older is left.
  bool has_more = false;
  Epoch epoch;
  bool operator==(const EventPage&) const = default;
};

struct TranscriptPage {
  std::vector<TranscriptEntry> items{};
  std::uint64_t total = 0;              ///< The last sequence of the transcript.
  std::optional<std::uint64_t> next{};  ///< 0-based index of the next page; none at the end.
  bool operator==(const TranscriptPage&) const = default;
};

struct DiagnosticPage {
  std::vector<Diagnostic> diagnostics{};
  std::uint64_t total = 0;  ///< All ever raised.
  bool operator==(const DiagnosticPage&) const = default;
};

}  // namespace worker_runtime

#pragma GCC visibility pop
