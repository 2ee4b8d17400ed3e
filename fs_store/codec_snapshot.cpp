// The snapshot of a Runtime, runtime.json, as JSON.
#include <array>

#include "checked_line.h"
#include "codec_members.h"

namespace worker_runtime::fs_store {

namespace {

// ---- the parts that are objects of their own

void write_catalog(JsonWriter& writer, const CatalogPosition& catalog, std::string_view kept) {
  writer.begin_object();
  writer.member("lsn", catalog.lsn);
  writer.member("bytes", catalog.bytes);
  writer.member("lines", catalog.lines);
  writer.plain_member("live_checksum", checksum_text(catalog.live_checksum));
  writer.raw_members(kept);
  writer.end_object();
}

bool read_catalog(JsonReader& reader, JsonValue value, CatalogPosition& catalog,
                  std::string& kept) {
  enum : std::size_t { lsn, bytes, lines, live_checksum };
  static constexpr std::array<std::string_view, 4> names{"lsn", "bytes", "lines", "live_checksum"};
  ObjectReader object(reader, names, Unknown::keep);
  object.open(value);
  while (object.next()) {
    switch (object.member()) {
      case lsn:
        object.read(catalog.lsn);
        break;
      case bytes:
        object.read(catalog.bytes);
        break;
      case lines:
        object.read(catalog.lines);
        break;
      default:
        read_checksum(object, reader, catalog.live_checksum);
    }
  }
  kept = object.take_kept();
  return object.complete(mask_of(lsn, bytes, lines, live_checksum));
}

void write_workers(JsonWriter& writer, const RuntimeRecord& record, std::string_view kept) {
  writer.begin_object();
  writer.member("running", record.running_workers);
  writer.member("stopped", record.stopped_workers);
  writer.member("cancelled", record.cancelled_workers);
  writer.raw_members(kept);
  writer.end_object();
}

bool read_workers(JsonReader& reader, JsonValue value, RuntimeRecord& record, std::string& kept) {
  enum : std::size_t { running, stopped, cancelled };
  static constexpr std::array<std::string_view, 3> names{"running", "stopped", "cancelled"};
  ObjectReader object(reader, names, Unknown::keep);
  object.open(value);
  while (object.next()) {
    switch (object.member()) {
      case running:
        object.read(record.running_workers);
        break;
      case stopped:
        object.read(record.stopped_workers);
        break;
      default:
        object.read(record.cancelled_workers);
    }
  }
  kept = object.take_kept();
  return object.complete(mask_of(running, stopped, cancelled));
}

// ---- the snapshot

enum Member : std::size_t {
  lsn,
  version,
  runtime_id,
  display_name,
  status,
  epoch,
  created_at,
  last_at,
  last_event_id,
  next_worker,
  workers,
  transcript_entries,
  usage,
  limits,
  catalog,
  events,
  diagnostics,
  diagnostics_total,
  repairing,
  first_event_id
};
constexpr std::array<std::string_view, 20> member_names{
    "lsn",          "schema_version", "runtime_id",
    "display_name", "status",         "epoch",
    "created_at",   "last_at",        "last_event_id",
    "next_worker",  "workers",        "transcript_entries",
    "usage",        "limits",         "catalog",
    "events",       "diagnostics",    "diagnostics_total",
    "repairing",    "first_event_id"};
constexpr std::uint64_t required_members = mask_of(
    lsn, version, runtime_id, status, epoch, created_at, last_at, last_event_id, next_worker,
    workers, transcript_entries, usage, limits, catalog, events, diagnostics, diagnostics_total);

bool read_diagnostics(JsonReader& reader, JsonValue value, RuntimeSnapshot& snapshot) {
  return reader.read_array(value, [&](JsonValue element) {
    Diagnostic& diagnostic = snapshot.diagnostics.emplace_back();
    UnknownOfRuntime::OfDiagnostic kept;
    if (!read_diagnostic(reader, element, diagnostic, kept)) return false;
    if (kept != UnknownOfRuntime::OfDiagnostic{})
      snapshot.unknown.diagnostics[diagnostic.id] = std::move(kept);
    return true;
  });
}

void write_diagnostics(JsonWriter& writer, const RuntimeSnapshot& snapshot) {
  writer.begin_array();
  for (const Diagnostic& diagnostic : snapshot.diagnostics) {
    const auto kept = snapshot.unknown.diagnostics.find(diagnostic.id);
    write_diagnostic(writer, diagnostic,
                     kept != snapshot.unknown.diagnostics.end() ? &kept->second : nullptr);
  }
  writer.end_array();
}

bool read_member(JsonReader& reader, ObjectReader& object, RuntimeSnapshot& snapshot) {
  RuntimeRecord& record = snapshot.record;
  switch (object.member()) {
    case lsn:
      return object.read(record.lsn);
    case version:
      return read_schema_version(object, reader);
    case runtime_id:
      return object.read(record.runtime_id);
    case display_name:
      return object.read(record.display_name);
    case status:
      return read_enum(object, reader, parse_runtime_status, record.status);
    case epoch:
      return object.read(snapshot.epoch);
    case created_at:
      return object.read(snapshot.created_at);
    case last_at:
      return object.read(record.last_at);
    case last_event_id:
      return object.read(record.last_event_id);
    case next_worker:
      return object.read(record.next_worker);
    case workers:
      return read_workers(reader, object.value(), record, snapshot.unknown.workers);
    case transcript_entries:
      return object.read(record.transcript_entries);
    case usage:
      return read_usage(reader, object.value(), record.usage, snapshot.unknown.usage);
    case limits:
      return read_limits(reader, object.value(), record.limits, snapshot.unknown.limits);
    case catalog:
      return read_catalog(reader, object.value(), snapshot.catalog, snapshot.unknown.catalog);
    case events:
      return read_watermark(reader, object.value(), snapshot.events, snapshot.unknown.events);
    case diagnostics:
      return read_diagnostics(reader, object.value(), snapshot);
    case diagnostics_total:
      return object.read(snapshot.diagnostics_total);
    case repairing:
      return object.read(snapshot.repairing);
    default:
      return object.read(record.first_event_id);
  }
}

bool read_snapshot(JsonReader& reader, RuntimeSnapshot& snapshot) {
  ObjectReader object(reader, member_names, Unknown::keep);
  object.open();
  while (object.next()) read_member(reader, object, snapshot);
  if (!object.complete(required_members)) return false;
  const RuntimeRecord& record = snapshot.record;
  const std::uint64_t first = record.first_event_id.value;
  if (first == 0 || first > record.last_event_id.value + 1)
    return reader.fail("a first_event_id that does not fit");
  snapshot.unknown.runtime = object.take_kept();
  return true;
}

}  // namespace

void encode(std::string& out, const RuntimeSnapshot& snapshot) {
  const RuntimeRecord& record = snapshot.record;
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("lsn", record.lsn);
  writer.member("schema_version", schema_version);
  writer.member("runtime_id", record.runtime_id);
  writer.member("display_name", record.display_name);
  writer.plain_member("status", to_string(record.status));
  writer.member("epoch", snapshot.epoch);
  writer.member("created_at", snapshot.created_at);
  writer.member("last_at", record.last_at);
  if (record.first_event_id.value > 1) writer.member("first_event_id", record.first_event_id);
  writer.member("last_event_id", record.last_event_id);
  writer.member("next_worker", record.next_worker);
  writer.name("workers");
  write_workers(writer, record, snapshot.unknown.workers);
  writer.member("transcript_entries", record.transcript_entries);
  writer.name("usage");
  write_usage(writer, record.usage, snapshot.unknown.usage);
  writer.name("limits");
  write_limits(writer, record.limits, snapshot.unknown.limits);
  writer.name("catalog");
  write_catalog(writer, snapshot.catalog, snapshot.unknown.catalog);
  writer.name("events");
  write_watermark(writer, snapshot.events, snapshot.unknown.events);
  writer.name("diagnostics");
  write_diagnostics(writer, snapshot);
  writer.member("diagnostics_total", snapshot.diagnostics_total);
  if (snapshot.repairing) writer.member("repairing", true);
  writer.raw_members(snapshot.unknown.runtime);
  writer.end_object();
}

Result<RuntimeSnapshot> Decoder::runtime_snapshot(std::string_view line) {
  JsonReader& reader = implementation_->reader;
  RuntimeSnapshot snapshot;
  if (reader.start_line(line) && read_snapshot(reader, snapshot) && reader.finish()) {
    return snapshot;
  }
  return decode_error(reader);
}

}  // namespace worker_runtime::fs_store
