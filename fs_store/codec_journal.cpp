// The journal as JSON: headers of segments, and records.
//
// Whatever is not known here is `store_version`: a record that is applied without what a newer
// version wrote into it would lose that for good.
#include <array>

#include "checked_line.h"
#include "codec_members.h"

namespace worker_runtime::fs_store {

// ---- writing

void encode(std::string& out, const SegmentHeader& header) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("lsn", header.first_lsn);
  writer.member("schema_version", schema_version);
  writer.member("runtime_id", header.runtime_id);
  writer.member("epoch", header.epoch);
  writer.plain_member("durability", to_string(header.durability));
  writer.plain_member("previous", checksum_text(header.previous));
  writer.end_object();
}

void encode(std::string& out, const RecordHead& head, std::string_view changes) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("lsn", head.lsn);
  writer.member("epoch", head.epoch);
  writer.member("durable", head.durable);
  writer.plain_member("previous", checksum_text(head.previous));
  writer.name("changes");
  writer.raw(changes);
  writer.end_object();
}

namespace {

/// Writes the objects of a commit's lines, one after the other.
class Objects {
 public:
  explicit Objects(std::span<const LogLine> lines) : lines_(lines) {}
  void skip(std::uint64_t count) { lines_ = lines_.subspan(count); }
  void write_next(JsonWriter& writer) {
    writer.raw("{");
    writer.raw_members(members_of(lines_.front()));
    skip(1);
  }

 private:
  std::span<const LogLine> lines_;
};

void write_import(JsonWriter& writer, const Change& change, Objects& objects) {
  writer.begin_object();
  writer.name("create");
  write_create_request(writer, *change.create);
  writer.name("entries");
  writer.begin_array();
  for (std::size_t entry = 0; entry < change.history->size(); ++entry) objects.write_next(writer);
  writer.end_array();
  writer.end_object();
}

void write_trim(JsonWriter& writer, const Trim& trim) {
  writer.begin_object();
  writer.member("worker_id", trim.worker_id);
  writer.member("first_kept", trim.first_kept);
  writer.end_object();
}

}  // namespace

void encode_changes(std::string& out, const Commit& commit, std::span<const LogLine> lines) {
  JsonWriter writer(out);
  Objects objects(lines);
  writer.begin_array();
  for (const Change& change : commit.changes) {
    writer.begin_object();
    if (change.trim || change.redaction) {
      if (change.trim) {
        writer.name("trim");
        write_trim(writer, *change.trim);
      } else {
        writer.name("redaction");
        write_entry(writer, *change.redaction);
      }
      writer.end_object();
      continue;
    }
    objects.skip(change.stopped_workers);  // compact here, one by one in the log
    writer.name("event");
    objects.write_next(writer);
    if (change.entry) {
      writer.name("entry");
      objects.write_next(writer);
    }
    if (change.history) {
      writer.name("import");
      write_import(writer, change, objects);
    } else if (change.create) {
      writer.name("create");
      write_create_request(writer, *change.create);
    }
    if (change.stopped_workers != 0) writer.member("stopped_workers", change.stopped_workers);
    writer.end_object();
  }
  writer.end_array();
}

// ---- reading

namespace {

bool read_header(JsonReader& reader, SegmentHeader& header) {
  enum : std::size_t { lsn, version, runtime_id, epoch, durability, previous };
  static constexpr std::array<std::string_view, 6> names{"lsn",   "schema_version", "runtime_id",
                                                         "epoch", "durability",     "previous"};
  ObjectReader object(reader, names, Unknown::newer);
  object.open();
  while (object.next()) {
    switch (object.member()) {
      case lsn:
        object.read(header.first_lsn);
        break;
      case version:
        read_schema_version(object, reader);
        break;
      case runtime_id:
        object.read(header.runtime_id);
        break;
      case epoch:
        object.read(header.epoch);
        break;
      case durability:
        read_enum(object, reader, parse_durability, header.durability);
        break;
      default:
        read_checksum(object, reader, header.previous);
    }
  }
  return object.complete(mask_of(lsn, version, runtime_id, epoch, durability, previous));
}

bool read_trim(JsonReader& reader, JsonValue value, Trim& trim) {
  enum : std::size_t { worker_id, first_kept };
  static constexpr std::array<std::string_view, 2> names{"worker_id", "first_kept"};
  ObjectReader object(reader, names, Unknown::newer);
  object.open(value);
  while (object.next()) {
    if (object.member() == worker_id) {
      object.read(trim.worker_id);
    } else {
      object.read(trim.first_kept);
    }
  }
  return object.complete(mask_of(first_kept));
}

/// What was imported may have members of a newer version: they are kept, as they came.
bool read_import(JsonReader& reader, JsonValue value, Change& change) {
  enum : std::size_t { create, entries };
  static constexpr std::array<std::string_view, 2> names{"create", "entries"};
  ObjectReader object(reader, names, Unknown::newer);
  object.open(value);
  while (object.next()) {
    JsonValue content = object.value();
    if (object.member() == create) {
      read_create_request(reader, &content, Unknown::keep, Unknown::newer, change.create.emplace());
    } else {
      auto& history = change.history.emplace();
      reader.read_array(content, [&](JsonValue element) {
        return read_entry(reader, &element, Unknown::keep, history.emplace_back());
      });
    }
  }
  return object.complete(mask_of(create, entries));
}

/// The line that is redacted may have members of a newer version: they stay.
bool read_redaction(JsonReader& reader, JsonValue value, TranscriptEntry& entry) {
  return read_entry(reader, &value, Unknown::keep, entry) &&
         (entry.redacted > 0 || reader.fail("a redaction that leaves the content"));
}

bool read_change(JsonReader& reader, JsonValue value, Change& change) {
  enum : std::size_t { event, entry, create, stopped_workers, trim, redaction, import };
  static constexpr std::array<std::string_view, 7> names{
      "event", "entry", "create", "stopped_workers", "trim", "redaction", "import"};
  ObjectReader object(reader, names, Unknown::newer);
  object.open(value);
  while (object.next()) {
    JsonValue content = object.value();
    switch (object.member()) {
      case event:
        read_event(reader, &content, Unknown::newer, change.event, nullptr);
        break;
      case entry:
        read_entry(reader, &content, Unknown::newer, change.entry.emplace());
        break;
      case create:
        read_create_request(reader, &content, Unknown::newer, Unknown::newer,
                            change.create.emplace());
        break;
      case stopped_workers:
        object.read(change.stopped_workers);
        break;
      case trim:
        read_trim(reader, content, change.trim.emplace());
        break;
      case redaction:
        read_redaction(reader, content, change.redaction.emplace());
        break;
      default:
        read_import(reader, content, change);
    }
  }
  if (object.has(create) && object.has(import))
    return reader.fail("a worker that is created and imported");
  if (!change.trim && !change.redaction) return object.complete(mask_of(event));
  const std::uint64_t alone = change.trim ? mask_of(trim) : mask_of(redaction);
  return object.complete(alone) &&
         (object.seen() == alone || reader.fail("a trim or redaction with something else"));
}

bool read_record(JsonReader& reader, DecodedRecord& record) {
  enum : std::size_t { lsn, epoch, durable, previous, changes };
  static constexpr std::array<std::string_view, 5> names{"lsn", "epoch", "durable", "previous",
                                                         "changes"};
  ObjectReader object(reader, names, Unknown::newer);
  object.open();
  while (object.next()) {
    switch (object.member()) {
      case lsn:
        object.read(record.head.lsn);
        break;
      case epoch:
        object.read(record.head.epoch);
        break;
      case durable:
        object.read(record.head.durable);
        break;
      case previous:
        read_checksum(object, reader, record.head.previous);
        break;
      default:
        reader.read_array(object.value(), [&](JsonValue element) {
          return read_change(reader, element, record.commit.changes.emplace_back());
        });
    }
  }
  if (!object.complete(mask_of(lsn, epoch, durable, previous, changes))) return false;
  record.commit.lsn = record.head.lsn;
  return !record.commit.changes.empty() || reader.fail("a record without a change");
}

}  // namespace

Result<SegmentHeader> Decoder::segment_header(std::string_view line) {
  JsonReader& reader = implementation_->reader;
  SegmentHeader header;
  if (reader.start_line(line) && read_header(reader, header) && reader.finish()) return header;
  return decode_error(reader);
}

Result<DecodedRecord> Decoder::record(std::string_view line) {
  JsonReader& reader = implementation_->reader;
  DecodedRecord record;
  if (reader.start_line(line) && read_record(reader, record) && reader.finish()) return record;
  return decode_error(reader);
}

}  // namespace worker_runtime::fs_store
