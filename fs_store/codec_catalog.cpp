// Lines of the catalog as JSON: the records of Workers, and what deleted ones leave.
#include <array>

#include "codec_members.h"

namespace worker_runtime::fs_store {

namespace {

void write_create_key(JsonWriter& writer, const std::optional<std::string>& key,
                      const std::optional<BodyDigest>& digest) {
  writer.member("create_key", key);
  if (digest) writer.plain_member("create_digest", to_string(*digest));
}

bool read_digest(ObjectReader& object, JsonReader& reader, std::optional<BodyDigest>& digest) {
  std::string_view text;
  if (!object.read(text)) return false;
  const auto parsed = parse_body_digest(text);
  if (!parsed) return reader.fail(parsed.error().message());
  digest = *parsed;
  return true;
}

/// The members of both kinds of lines, before it is clear which of them it is.
struct LineMembers {
  CatalogRecord content;
  RuntimeId runtime_id;
  std::optional<bool> deleted;
};

enum Member : std::size_t {
  lsn,
  runtime_id,
  worker_id,
  display_name,
  status,
  created_at,
  updated_at,
  transcript_len,
  last_event_id,
  usage,
  create_key,
  create_digest,
  transcript,
  create,
  deleted,
  first_sequence
};
constexpr std::array<std::string_view, 16> member_names{
    "lsn",        "runtime_id",     "worker_id",     "display_name",  "status",     "created_at",
    "updated_at", "transcript_len", "last_event_id", "usage",         "create_key", "create_digest",
    "transcript", "create",         "deleted",       "first_sequence"};

constexpr std::uint64_t record_members =
    mask_of(lsn, runtime_id, worker_id, status, created_at, updated_at, transcript_len,
            last_event_id, usage, transcript);
constexpr std::uint64_t tombstone_members = mask_of(lsn, runtime_id, worker_id, deleted);

bool read_create(JsonReader& reader, ObjectReader& object, Requests requests, std::string& text) {
  if (requests == Requests::skip) return true;  // the walk passes over it
  std::string_view raw;
  if (!reader.read_raw(object.value(), raw)) return false;
  if (raw.front() != '{') return reader.fail("a create request that is no object");
  text = raw;
  return true;
}

bool read_member(JsonReader& reader, ObjectReader& object, Requests requests, LineMembers& line) {
  WorkerRecord& record = line.content.record;
  switch (object.member()) {
    case lsn:
      return object.read(record.lsn);
    case runtime_id:
      return object.read(line.runtime_id);
    case worker_id:
      return object.read(record.worker_id);
    case display_name:
      return object.read(record.display_name);
    case status:
      return read_enum(object, reader, parse_worker_status, record.status);
    case created_at:
      return object.read(record.created_at);
    case updated_at:
      return object.read(record.updated_at);
    case transcript_len:
      return object.read(record.last_sequence);
    case last_event_id:
      return object.read(record.last_event_id);
    case usage:
      return read_usage(reader, object.value(), record.usage, line.content.unknown.usage);
    case create_key:
      return object.read(record.create_key);
    case create_digest:
      return read_digest(object, reader, line.content.create_digest);
    case transcript:
      return read_watermark(reader, object.value(), line.content.transcript,
                            line.content.unknown.transcript);
    case create:
      return read_create(reader, object, requests, line.content.create);
    case deleted:
      return object.read(line.deleted);
    default:
      return object.read(record.first_sequence);
  }
}

/// Whether the first entry that is kept fits the length of the transcript.
bool fits(const WorkerRecord& record) {
  return record.first_sequence.value > 0 &&
         record.first_sequence.value <= record.last_sequence.value + 1;
}

bool read_line(JsonReader& reader, Requests requests, CatalogLine& line) {
  LineMembers members;
  ObjectReader object(reader, member_names, Unknown::keep);
  object.open();
  while (object.next()) read_member(reader, object, requests, members);
  const bool is_tombstone = members.deleted.value_or(false);
  if (!object.complete(is_tombstone ? tombstone_members : record_members)) return false;
  const WorkerRecord& record = members.content.record;
  if (record.create_key.has_value() != members.content.create_digest.has_value()) {
    return reader.fail("a create key without its digest, or the other way round");
  }
  if (!is_tombstone && !fits(record)) return reader.fail("a first_sequence that does not fit");
  line.runtime_id = std::move(members.runtime_id);
  if (is_tombstone) {
    Tombstone& tombstone = line.tombstone.emplace();
    tombstone.worker_id = record.worker_id;
    tombstone.lsn = record.lsn;
    if (record.create_key) {
      tombstone.create_key = CreateKey{*record.create_key, *members.content.create_digest};
    }
  } else {
    members.content.unknown.worker = object.take_kept();
    line.record = std::move(members.content);
  }
  return true;
}

}  // namespace

void encode(std::string& out, const CatalogRecord& content, const RuntimeId& runtime) {
  const WorkerRecord& record = content.record;
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("lsn", record.lsn);
  writer.member("runtime_id", runtime);
  writer.member("worker_id", record.worker_id);
  writer.member("display_name", record.display_name);
  writer.plain_member("status", to_string(record.status));
  writer.member("created_at", record.created_at);
  writer.member("updated_at", record.updated_at);
  writer.member("transcript_len", record.last_sequence);
  if (record.first_sequence.value > 1) writer.member("first_sequence", record.first_sequence);
  writer.member("last_event_id", record.last_event_id);
  writer.name("usage");
  write_usage(writer, record.usage, content.unknown.usage);
  write_create_key(writer, record.create_key, content.create_digest);
  writer.name("transcript");
  write_watermark(writer, content.transcript, content.unknown.transcript);
  if (!content.create.empty()) {
    writer.name("create");
    writer.raw(content.create);
  }
  writer.raw_members(content.unknown.worker);
  writer.end_object();
}

void encode(std::string& out, const Tombstone& tombstone, const RuntimeId& runtime) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("lsn", tombstone.lsn);
  writer.member("runtime_id", runtime);
  writer.member("worker_id", tombstone.worker_id);
  writer.member("deleted", true);
  if (tombstone.create_key) {
    writer.member("create_key", tombstone.create_key->key);
    writer.plain_member("create_digest", to_string(tombstone.create_key->digest));
  }
  writer.end_object();
}

void encode_catalog_header(std::string& out, Lsn first_lsn, const RuntimeId& runtime) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("lsn", first_lsn);
  writer.member("schema_version", schema_version);
  writer.member("runtime_id", runtime);
  writer.end_object();
}

Result<CatalogHeader> Decoder::catalog_header(std::string_view line) {
  enum : std::size_t { first_lsn, version, runtime };
  static constexpr std::array<std::string_view, 3> names{"lsn", "schema_version", "runtime_id"};
  JsonReader& reader = implementation_->reader;
  CatalogHeader header;
  ObjectReader object(reader, names, Unknown::skip);
  if (reader.start_line(line) && object.open()) {
    while (object.next()) {
      switch (object.member()) {
        case first_lsn:
          object.read(header.lsn);
          break;
        case version:
          read_schema_version(object, reader);
          break;
        default:
          object.read(header.runtime_id);
          break;
      }
    }
    if (object.complete(mask_of(first_lsn, version, runtime)) && reader.finish()) return header;
  }
  return decode_error(reader);
}

Result<CatalogLine> Decoder::catalog_line(std::string_view text, Requests requests) {
  JsonReader& reader = implementation_->reader;
  CatalogLine line;
  if (reader.start_line(text) && read_line(reader, requests, line) && reader.finish()) {
    return line;
  }
  return decode_error(reader);
}

}  // namespace worker_runtime::fs_store
