// Answers of `pipe`, and errors, as values again.
#include <array>
#include <optional>
#include <utility>

#include "codec_members.h"
#include "request_codec.h"

namespace worker_runtime::fs_store {
namespace {

std::optional<ErrorCode> parse_error_code(std::string_view text) {
  for (auto code = ErrorCode::runtime_stopped;; code = ErrorCode(std::uint8_t(code) + 1)) {
    if (to_string(code) == text) return code;
    if (code == ErrorCode::store_version) return std::nullopt;
  }
}

// ---- errors

/// The typed fields of an error, before it is clear which of them it has.
struct ErrorMembers {
  std::uint64_t seen = 0;
  ErrorCode code = ErrorCode::invalid_request;
  std::string message;
  LimitFields limit;
  CursorFields cursor;
  FileFields file;
  HolderFields holder;
  AmbiguousFields ambiguous;
  VersionFields version;
  std::optional<std::uint64_t> index;
};

enum class ErrorMember : std::uint8_t {
  code,
  message,
  what,
  requested,
  max,
  first_available,
  path,
  line,
  offset,
  next_readable,
  pid,
  host,
  since,
  runtimes,
  found,
  supported,
  index,
};
constexpr std::array<std::string_view, 17> error_names{
    "code",  "message",  "what",   "requested",     "max",  "first_available",
    "path",  "line",     "offset", "next_readable", "pid",  "host",
    "since", "runtimes", "found",  "supported",     "index"};

bool read_file_member(ObjectReader& object, FileFields& file) {
  switch (static_cast<ErrorMember>(object.member())) {
    case ErrorMember::path:
      return object.read(file.path);
    case ErrorMember::line:
      return object.read(file.line);
    case ErrorMember::offset:
      return object.read(file.offset);
    default:
      return object.read(file.next_readable);
  }
}

bool read_pid(ObjectReader& object, HolderFields& holder) {
  std::uint64_t pid = 0;
  if (!object.read(pid)) return false;
  holder.pid = static_cast<std::int64_t>(pid);
  return true;
}

bool read_error_member(JsonReader& reader, ObjectReader& object, ErrorMembers& error) {
  switch (static_cast<ErrorMember>(object.member())) {
    case ErrorMember::code:
      return read_enum(object, reader, parse_error_code, error.code);
    case ErrorMember::message:
      return object.read(error.message);
    case ErrorMember::what:
      return object.read(error.limit.what);
    case ErrorMember::requested:
      return object.read(error.limit.requested);
    case ErrorMember::max:
      return object.read(error.limit.max);
    case ErrorMember::first_available:
      return object.read(error.cursor.first_available);
    case ErrorMember::pid:
      return read_pid(object, error.holder);
    case ErrorMember::host:
      return object.read(error.holder.host);
    case ErrorMember::since:
      return object.read(error.holder.since);
    case ErrorMember::runtimes:
      return reader.read_array(object.value(), [&](JsonValue element) {
        return reader.read(element, error.ambiguous.runtimes.emplace_back());
      });
    case ErrorMember::found:
      return object.read(error.version.found);
    case ErrorMember::supported:
      return object.read(error.version.supported);
    case ErrorMember::index:
      return object.read(error.index);
    default:
      return read_file_member(object, error.file);
  }
}

ErrorFields fields_of(ErrorMembers& error) {
  const auto has = [&](ErrorMember member) { return (error.seen & mask_of(member)) != 0; };
  if (has(ErrorMember::what)) return std::move(error.limit);
  if (has(ErrorMember::first_available)) return error.cursor;
  if (has(ErrorMember::path)) return std::move(error.file);
  if (has(ErrorMember::pid) || has(ErrorMember::host)) return std::move(error.holder);
  if (has(ErrorMember::runtimes)) return std::move(error.ambiguous);
  if (has(ErrorMember::found)) return error.version;
  return {};
}

bool read_error(JsonReader& reader, JsonValue value, std::optional<Error>& error) {
  ErrorMembers members;
  ObjectReader object(reader, error_names, Unknown::skip);
  object.open(value);
  while (object.next()) read_error_member(reader, object, members);
  members.seen = object.seen();
  if (!object.complete(mask_of(ErrorMember::code, ErrorMember::message))) return false;
  error.emplace(members.code, std::move(members.message), fields_of(members));
  if (members.index) error->set_index(*members.index);
  return true;
}

// ---- Workers

enum class WorkerMember : std::uint8_t {
  worker_ref,
  display_name,
  status,
  damaged,
  intent,
  profile,
  config_bundle,
  requested_capabilities,
  workspace_refs,
  mount_refs,
  origin,
  created_at,
  updated_at,
  transcript_len,
  first_sequence,
  last_event_id,
  usage,
};
constexpr std::array<std::string_view, 17> worker_names{
    "worker_ref",     "display_name",   "status",         "damaged",
    "intent",         "profile",        "config_bundle",  "requested_capabilities",
    "workspace_refs", "mount_refs",     "origin",         "created_at",
    "updated_at",     "transcript_len", "first_sequence", "last_event_id",
    "usage"};

/// What the Worker was asked to be.
bool read_create_member(JsonReader& reader, ObjectReader& object, CreateRequest& request) {
  constexpr Unknown unknown = Unknown::skip;
  switch (static_cast<WorkerMember>(object.member())) {
    case WorkerMember::intent:
      return read_intent(reader, object.value(), unknown, request.intent);
    case WorkerMember::profile:
      return read_profile(reader, object.value(), unknown, request.profile);
    case WorkerMember::config_bundle:
      return read_config_bundle(reader, object.value(), unknown, request.config_bundle);
    case WorkerMember::requested_capabilities:
      return read_capabilities(reader, object.value(), unknown, request.requested_capabilities);
    case WorkerMember::workspace_refs:
      return read_references(reader, object.value(), unknown, request.workspace_refs);
    case WorkerMember::mount_refs:
      return read_references(reader, object.value(), unknown, request.mount_refs);
    default:
      return read_origin(reader, object.value(), unknown, request.origin.emplace());
  }
}

bool read_worker_member(JsonReader& reader, ObjectReader& object, WorkerSummary& worker,
                        CreateRequest& request) {
  std::string ignored;
  switch (static_cast<WorkerMember>(object.member())) {
    case WorkerMember::worker_ref:
      return read_worker_ref(reader, object.value(), worker.worker_ref, Unknown::skip);
    case WorkerMember::display_name:
      return object.read(worker.display_name);
    case WorkerMember::status:
      return read_enum(object, reader, parse_worker_status, worker.status);
    case WorkerMember::damaged:
      return object.read(worker.damaged);
    case WorkerMember::created_at:
      return object.read(worker.created_at);
    case WorkerMember::updated_at:
      return object.read(worker.updated_at);
    case WorkerMember::transcript_len:
      return object.read(worker.transcript_len);
    case WorkerMember::first_sequence:
      return object.read(worker.first_sequence);
    case WorkerMember::last_event_id:
      return object.read(worker.last_event_id);
    case WorkerMember::usage:
      return read_usage(reader, object.value(), worker.usage, ignored);
    default:
      return read_create_member(reader, object, request);
  }
}

bool read_detail(JsonReader& reader, JsonValue value, WorkerDetail& detail) {
  ObjectReader object(reader, worker_names, Unknown::skip);
  object.open(value);
  CreateRequest request;
  while (object.next()) read_worker_member(reader, object, detail.summary, request);
  if (object.has(static_cast<std::size_t>(WorkerMember::intent)))
    detail.request = std::move(request);
  return object.complete(mask_of(WorkerMember::worker_ref, WorkerMember::status,
                                 WorkerMember::transcript_len, WorkerMember::last_event_id));
}

// ---- answers

struct AnswerMembers {
  WorkerDetail worker;
  WorkerRef worker_ref;
  WorkerStatus status = WorkerStatus::running;
  std::uint64_t sequence = 0;
  std::uint64_t event_id = 0;
  std::uint64_t first_kept = 0;
};

enum class AnswerMember : std::uint8_t {
  worker,
  worker_ref,
  status,
  sequence,
  event_id,
  first_kept,
};
constexpr std::array<std::string_view, 6> answer_names{"worker",   "worker_ref", "status",
                                                       "sequence", "event_id",   "first_kept"};

/// The members that the answer must have.
std::uint64_t required_of(AnswerKind kind) {
  using Member = AnswerMember;
  switch (kind) {
    case AnswerKind::worker:
      return mask_of(Member::worker);
    case AnswerKind::entry:
      return mask_of(Member::worker_ref, Member::status, Member::sequence, Member::event_id);
    case AnswerKind::ended:
      return mask_of(Member::worker_ref, Member::status, Member::event_id);
    case AnswerKind::deleted:
      return mask_of(Member::worker_ref, Member::event_id);
    case AnswerKind::runtime:
      return mask_of(Member::event_id);
    case AnswerKind::events_trimmed:
      return mask_of(Member::first_kept);
    case AnswerKind::redacted:
      return mask_of(Member::worker_ref, Member::sequence);
    case AnswerKind::transcript_trimmed:
      break;
  }
  return mask_of(Member::worker_ref, Member::first_kept);
}

Answer make_answer(AnswerMembers members, AnswerKind kind) {
  WorkerRef& worker_ref = members.worker_ref;
  const EventId event_id{members.event_id};
  switch (kind) {
    case AnswerKind::worker:
      return std::move(members.worker);
    case AnswerKind::entry:
      return EntryAccepted{std::move(worker_ref), members.status, Sequence{members.sequence},
                           event_id};
    case AnswerKind::ended:
      return WorkerEnded{std::move(worker_ref), members.status, event_id};
    case AnswerKind::deleted:
      return WorkerDeleted{std::move(worker_ref), event_id};
    case AnswerKind::runtime:
      return RuntimeChanged{event_id};
    case AnswerKind::events_trimmed:
      return EventsTrimmed{EventId{members.first_kept}};
    case AnswerKind::redacted:
      return Redacted{std::move(worker_ref), Sequence{members.sequence}};
    case AnswerKind::transcript_trimmed:
      break;
  }
  return TranscriptTrimmed{std::move(worker_ref), Sequence{members.first_kept}};
}

bool read_ok(JsonReader& reader, JsonValue value, AnswerKind kind, std::optional<Answer>& answer) {
  AnswerMembers members;
  ObjectReader object(reader, answer_names, Unknown::skip);
  object.open(value);
  while (object.next()) {
    switch (static_cast<AnswerMember>(object.member())) {
      case AnswerMember::worker:
        read_detail(reader, object.value(), members.worker);
        break;
      case AnswerMember::worker_ref:
        read_worker_ref(reader, object.value(), members.worker_ref, Unknown::skip);
        break;
      case AnswerMember::status:
        read_enum(object, reader, parse_worker_status, members.status);
        break;
      case AnswerMember::sequence:
        object.read(members.sequence);
        break;
      case AnswerMember::event_id:
        object.read(members.event_id);
        break;
      case AnswerMember::first_kept:
        object.read(members.first_kept);
        break;
    }
  }
  if (!object.complete(required_of(kind))) return false;
  answer.emplace(make_answer(std::move(members), kind));
  return true;
}

bool read_text(JsonReader& reader, JsonValue value, std::optional<std::string>& text) {
  static constexpr std::array<std::string_view, 1> names{"text"};
  ObjectReader object(reader, names, Unknown::skip);
  object.open(value);
  while (object.next()) object.read(text.emplace());
  return object.complete(mask_of(0));
}

/// A whole line: `read_ok` reads the value of `ok` into `value`.
template <typename Value, typename ReadOk>
Result<Value> read_line(std::string_view line, ReadOk read_ok) {
  enum : std::size_t { ok, error };
  static constexpr std::array<std::string_view, 2> names{"ok", "error"};
  JsonReader reader;
  std::optional<Value> value;
  std::optional<Error> refusal;
  if (reader.start(line)) {
    ObjectReader object(reader, names, Unknown::skip);
    object.open();
    while (object.next()) {
      if (object.member() == ok) {
        read_ok(reader, object.value(), value);
      } else {
        read_error(reader, object.value(), refusal);
      }
    }
    if (object.complete(0) && reader.finish() && (value || refusal)) {
      if (refusal) return *std::move(refusal);
      return *std::move(value);
    }
  }
  return Error(ErrorCode::store_failed,
               "the answer of the process that holds the runtime can't be read: the outcome is "
               "unknown");
}

struct KindVisitor {
  AnswerKind operator()(const CreateRequest& /*r*/) const { return AnswerKind::worker; }
  AnswerKind operator()(const ImportWorker& /*r*/) const { return AnswerKind::worker; }
  AnswerKind operator()(const SendInput& /*r*/) const { return AnswerKind::entry; }
  AnswerKind operator()(const AppendOutput& /*r*/) const { return AnswerKind::entry; }
  AnswerKind operator()(const StopWorker& /*r*/) const { return AnswerKind::ended; }
  AnswerKind operator()(const CancelWorker& /*r*/) const { return AnswerKind::ended; }
  AnswerKind operator()(const DeleteWorker& /*r*/) const { return AnswerKind::deleted; }
  AnswerKind operator()(const StopRuntime& /*r*/) const { return AnswerKind::runtime; }
  AnswerKind operator()(const StartRuntime& /*r*/) const { return AnswerKind::runtime; }
  AnswerKind operator()(const TrimEvents& /*r*/) const { return AnswerKind::events_trimmed; }
  AnswerKind operator()(const TrimTranscript& /*r*/) const {
    return AnswerKind::transcript_trimmed;
  }
  AnswerKind operator()(const Redact& /*r*/) const { return AnswerKind::redacted; }
};

}  // namespace

AnswerKind answer_kind(const HostRequest& request) {
  const auto* const mutation = std::get_if<Mutation>(&request);
  return mutation == nullptr ? AnswerKind::worker : std::visit(KindVisitor{}, *mutation);
}

Result<Answer> read_answer_line(std::string_view line, AnswerKind kind) {
  return read_line<Answer>(
      line, [kind](JsonReader& reader, JsonValue value, std::optional<Answer>& answer) {
        return read_ok(reader, value, kind, answer);
      });
}

Result<std::string> read_text_line(std::string_view line) {
  return read_line<std::string>(line, read_text);
}

}  // namespace worker_runtime::fs_store
