// Events, transcript entries and diagnostics as JSON.
#include <array>

#include "codec_members.h"

namespace worker_runtime::fs_store {

// ---- events

void write_event(JsonWriter& writer, const Event& event, const RuntimeId* runtime_id) {
  writer.begin_object();
  writer.member("id", event.id);
  writer.member("at", event.at);
  if (event.worker_ref) {
    writer.name("worker_ref");
    write_worker_ref(writer, *event.worker_ref);
  } else if (runtime_id != nullptr) {
    writer.member("runtime_id", *runtime_id);
  }
  if (event.kind == EventKind::unknown) {
    writer.member("kind", event.unknown_kind);
  } else {
    writer.plain_member("kind", to_string(event.kind));
  }
  writer.member("message", event.message);
  writer.member("sequence", event.sequence);
  writer.end_object();
}

namespace {

bool read_kind(JsonReader& reader, ObjectReader& object, Unknown unknown, Event& event) {
  std::string_view text;
  if (!object.read(text)) return false;
  event.kind = parse_event_kind(text);
  if (event.kind != EventKind::unknown) return true;
  if (unknown == Unknown::newer) return reader.fail_newer(0);
  event.unknown_kind = text;
  return true;
}

}  // namespace

bool read_event(JsonReader& reader, JsonValue* value, Unknown unknown, Event& event,
                RuntimeId* runtime_id) {
  enum : std::size_t { id, at, worker_ref, runtime, kind, message, sequence };
  static constexpr std::array<std::string_view, 7> names{
      "id", "at", "worker_ref", "runtime_id", "kind", "message", "sequence"};
  ObjectReader object(reader, names, unknown);
  RuntimeId named_runtime;
  open(object, value);
  while (object.next()) {
    switch (object.member()) {
      case id:
        object.read(event.id);
        break;
      case at:
        object.read(event.at);
        break;
      case worker_ref:
        read_worker_ref(reader, object.value(), event.worker_ref.emplace(), unknown);
        break;
      case runtime:
        object.read(named_runtime);
        break;
      case kind:
        read_kind(reader, object, unknown, event);
        break;
      case message:
        object.read(event.message);
        break;
      default:
        object.read(event.sequence);
    }
  }
  if (!object.complete(mask_of(id, at, kind, message))) return false;
  if (event.worker_ref) {
    if (named_runtime.empty()) {
      named_runtime = event.worker_ref->runtime_id;
    } else if (named_runtime != event.worker_ref->runtime_id) {
      return reader.fail("an event that names two runtimes");
    }
  }
  if (runtime_id == nullptr) return true;
  if (named_runtime.empty()) return reader.fail("an event that names no runtime");
  *runtime_id = std::move(named_runtime);
  return true;
}

void encode(std::string& out, const Event& event, const RuntimeId& runtime_id) {
  JsonWriter writer(out);
  write_event(writer, event, &runtime_id);
}

Result<Event> Decoder::event(std::string_view line, RuntimeId* runtime_id) {
  JsonReader& reader = implementation_->reader;
  Event event;
  if (reader.start_line(line) && read_event(reader, whole_text, Unknown::skip, event, runtime_id) &&
      reader.finish()) {
    return event;
  }
  return decode_error(reader);
}

// ---- transcript entries

void write_entry(JsonWriter& writer, const TranscriptEntry& entry) {
  writer.begin_object();
  writer.member("sequence", entry.sequence);
  writer.member("at", entry.at);
  writer.name("worker_ref");
  write_worker_ref(writer, entry.worker_ref);
  writer.plain_member("role", to_string(entry.role));
  if (entry.redacted == 0) {
    writer.member("content", entry.content);
  } else {
    writer.member("redacted", entry.redacted);
  }
  writer.member("event_id", entry.event_id);
  writer.member("name", entry.name);
  if (entry.data) {
    writer.name("data");
    writer.raw(*entry.data);
  }
  writer.member("idempotency_key", entry.idempotency_key);
  if (!entry.usage.empty()) {
    writer.name("usage");
    write_counters(writer, entry.usage);
  }
  if (entry.copied) writer.member("copied", true);
  writer.raw_members(entry.unknown_members.text());
  writer.end_object();
}

bool read_entry(JsonReader& reader, JsonValue* value, Unknown unknown, TranscriptEntry& entry) {
  enum : std::size_t {
    sequence,
    at,
    worker_ref,
    role,
    content,
    event_id,
    name,
    data,
    key,
    usage,
    copied,
    redacted
  };
  static constexpr std::array<std::string_view, 12> names{
      "sequence", "at",   "worker_ref",      "role",  "content", "event_id",
      "name",     "data", "idempotency_key", "usage", "copied",  "redacted"};
  // Only members of the entry itself can be kept.
  const Unknown nested = unknown == Unknown::keep ? Unknown::skip : unknown;
  ObjectReader object(reader, names, unknown);
  open(object, value);
  while (object.next()) {
    switch (object.member()) {
      case sequence:
        object.read(entry.sequence);
        break;
      case at:
        object.read(entry.at);
        break;
      case worker_ref:
        read_worker_ref(reader, object.value(), entry.worker_ref, nested);
        break;
      case role:
        read_enum(object, reader, parse_role, entry.role);
        break;
      case content:
        object.read(entry.content);
        break;
      case event_id:
        object.read(entry.event_id);
        break;
      case name:
        object.read(entry.name);
        break;
      case data:
        reader.read_compact_object(object.value(), entry.data.emplace());
        break;
      case key:
        object.read(entry.idempotency_key);
        break;
      case usage:
        read_counters(reader, object.value(), entry.usage);
        break;
      case copied:
        object.read(entry.copied);
        break;
      default:
        object.read(entry.redacted);
    }
  }
  entry.unknown_members = UnknownMembers::decoded(object.take_kept());
  const bool is_redacted = object.has(redacted);
  if (is_redacted && (entry.redacted == 0 || object.has(content) || object.has(data)))
    return reader.fail("a redacted entry with content or data");
  return object.complete(mask_of(sequence, at, worker_ref, role, event_id) |
                         (is_redacted ? 0 : mask_of(content)));
}

void encode(std::string& out, const TranscriptEntry& entry) {
  JsonWriter writer(out);
  write_entry(writer, entry);
}

Result<TranscriptEntry> Decoder::entry(std::string_view line) {
  JsonReader& reader = implementation_->reader;
  TranscriptEntry entry;
  if (reader.start_line(line) && read_entry(reader, whole_text, Unknown::keep, entry) &&
      reader.finish()) {
    return entry;
  }
  return decode_error(reader);
}

// ---- diagnostics

void write_diagnostic(JsonWriter& writer, const Diagnostic& diagnostic,
                      const UnknownOfRuntime::OfDiagnostic* kept) {
  writer.begin_object();
  writer.member("id", diagnostic.id);
  writer.member("at", diagnostic.at);
  writer.plain_member("severity", to_string(diagnostic.severity));
  writer.member("code", diagnostic.code);
  writer.member("message", diagnostic.message);
  if (diagnostic.worker_ref) {
    writer.name("worker_ref");
    write_worker_ref(writer, *diagnostic.worker_ref,
                     kept != nullptr ? kept->worker_ref : std::string_view());
  }
  if (kept != nullptr) writer.raw_members(kept->diagnostic);
  writer.end_object();
}

bool read_diagnostic(JsonReader& reader, JsonValue value, Diagnostic& diagnostic,
                     UnknownOfRuntime::OfDiagnostic& kept) {
  enum : std::size_t { id, at, severity, code, message, worker_ref };
  static constexpr std::array<std::string_view, 6> names{"id",   "at",      "severity",
                                                         "code", "message", "worker_ref"};
  ObjectReader object(reader, names, Unknown::keep);
  object.open(value);
  while (object.next()) {
    switch (object.member()) {
      case id:
        object.read(diagnostic.id);
        break;
      case at:
        object.read(diagnostic.at);
        break;
      case severity:
        read_enum(object, reader, parse_severity, diagnostic.severity);
        break;
      case code:
        object.read(diagnostic.code);
        break;
      case message:
        object.read(diagnostic.message);
        break;
      default:
        read_worker_ref(reader, object.value(), diagnostic.worker_ref.emplace(), Unknown::keep,
                        &kept.worker_ref);
    }
  }
  kept.diagnostic = object.take_kept();
  return object.complete(mask_of(id, at, severity, code, message));
}

}  // namespace worker_runtime::fs_store
