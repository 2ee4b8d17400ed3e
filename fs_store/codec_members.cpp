// Members that several kinds of lines share.
#include "codec_members.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "checked_line.h"

namespace worker_runtime::fs_store {

Decoder::Decoder() : implementation_(std::make_unique<Implementation>()) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

Error decode_error(const JsonReader& reader) {
  if (reader.structure_error() == simdjson::MEMALLOC) {
    return Error(ErrorCode::store_io, reader.message(), FileFields{.system_error = ENOMEM});
  }
  if (reader.failure() != JsonReader::Failure::newer) {
    return Error(ErrorCode::store_corrupt, reader.message(), FileFields{});
  }
  // Whoever met something unknown knows only that it must have come later.
  const std::uint64_t found = std::max(reader.newer_version(), schema_version + 1);
  return Error(ErrorCode::store_version,
               "written with schema version " + std::to_string(found) +
                   " or later, this build reads up to " + std::to_string(schema_version),
               VersionFields{.found = found, .supported = schema_version});
}

bool read_checksum(ObjectReader& object, JsonReader& reader, std::uint32_t& checksum) {
  std::string_view text;
  if (!object.read(text)) return false;
  const auto parsed = parse_checksum(text);
  if (!parsed) return reader.fail("a checksum that is not eight hex digits");
  checksum = *parsed;
  return true;
}

bool read_schema_version(ObjectReader& object, JsonReader& reader) {
  std::uint64_t found = 0;
  if (!object.read(found)) return false;
  if (found > schema_version) return reader.fail_newer(found);
  return found == schema_version || reader.fail("a schema version that never was");
}

// ---- WorkerRef

void write_worker_ref(JsonWriter& writer, const WorkerRef& worker_ref, std::string_view kept) {
  writer.begin_object();
  writer.member("runtime_id", worker_ref.runtime_id);
  writer.member("worker_id", worker_ref.worker_id);
  writer.raw_members(kept);
  writer.end_object();
}

bool read_worker_ref(JsonReader& reader, JsonValue value, WorkerRef& worker_ref, Unknown unknown,
                     std::string* kept) {
  enum : std::size_t { runtime_id, worker_id };
  static constexpr std::array<std::string_view, 2> names{"runtime_id", "worker_id"};
  ObjectReader object(reader, names, unknown);
  object.open(value);
  while (object.next()) {
    if (object.member() == runtime_id) {
      object.read(worker_ref.runtime_id);
    } else {
      object.read(worker_ref.worker_id);
    }
  }
  if (kept != nullptr) *kept = object.take_kept();
  return object.complete(mask_of(runtime_id, worker_id));
}

// ---- usage

void write_counters(JsonWriter& writer, const Counters& counters) {
  writer.begin_object();
  for (const Counter& counter : counters) {
    writer.any_name(counter.name);
    writer.value(counter.value);
  }
  writer.end_object();
}

bool read_counters(JsonReader& reader, JsonValue value, Counters& counters) {
  counters.clear();
  ObjectReader object(reader, {}, Unknown::skip);
  object.open(value);
  std::string_view name;
  while (object.next_any(name)) {
    Counter& counter = counters.emplace_back();
    counter.name = name;
    object.read(counter.value);
  }
  if (reader.failed()) return false;
  std::sort(counters.begin(), counters.end(),
            [](const Counter& a, const Counter& b) { return a.name < b.name; });
  const auto doubled =
      std::adjacent_find(counters.begin(), counters.end(),
                         [](const Counter& a, const Counter& b) { return a.name == b.name; });
  return doubled == counters.end() || reader.fail("a counter that is there twice");
}

void write_usage(JsonWriter& writer, const Usage& usage, std::string_view kept) {
  writer.begin_object();
  writer.member("inputs", usage.inputs);
  writer.member("outputs", usage.outputs);
  writer.member("content_bytes", usage.content_bytes);
  writer.name("counters");
  write_counters(writer, usage.counters);
  writer.raw_members(kept);
  writer.end_object();
}

bool read_usage(JsonReader& reader, JsonValue value, Usage& usage, std::string& kept) {
  enum : std::size_t { inputs, outputs, content_bytes, counters };
  static constexpr std::array<std::string_view, 4> names{"inputs", "outputs", "content_bytes",
                                                         "counters"};
  ObjectReader object(reader, names, Unknown::keep);
  object.open(value);
  while (object.next()) {
    switch (object.member()) {
      case inputs:
        object.read(usage.inputs);
        break;
      case outputs:
        object.read(usage.outputs);
        break;
      case content_bytes:
        object.read(usage.content_bytes);
        break;
      default:
        read_counters(reader, object.value(), usage.counters);
    }
  }
  kept = object.take_kept();
  return object.complete(mask_of(inputs, outputs, content_bytes, counters));
}

// ---- watermarks and limits

void write_watermark(JsonWriter& writer, const LogWatermark& watermark, std::string_view kept) {
  writer.begin_object();
  writer.member("first", watermark.first);
  writer.member("bytes", watermark.bytes);
  writer.member("last", watermark.last);
  writer.raw_members(kept);
  writer.end_object();
}

bool read_watermark(JsonReader& reader, JsonValue value, LogWatermark& watermark,
                    std::string& kept) {
  enum : std::size_t { first, bytes, last };
  static constexpr std::array<std::string_view, 3> names{"first", "bytes", "last"};
  ObjectReader object(reader, names, Unknown::keep);
  object.open(value);
  while (object.next()) {
    switch (object.member()) {
      case first:
        object.read(watermark.first);
        break;
      case bytes:
        object.read(watermark.bytes);
        break;
      default:
        object.read(watermark.last);
    }
  }
  kept = object.take_kept();
  return object.complete(mask_of(first, bytes, last));
}

void write_limits(JsonWriter& writer, const Limits& limits, std::string_view kept) {
  writer.begin_object();
  for (const LimitName& limit : limit_names()) {
    writer.any_name(limit.name);
    writer.value(limits.*limit.member);
  }
  writer.raw_members(kept);
  writer.end_object();
}

bool read_limits(JsonReader& reader, JsonValue value, Limits& limits, std::string& kept) {
  std::vector<std::string_view> names;
  for (const LimitName& limit : limit_names()) names.push_back(limit.name);
  ObjectReader object(reader, names, Unknown::keep);
  object.open(value);
  while (object.next()) {
    std::uint64_t& limit = limits.*limit_names()[object.member()].member;
    if (object.read(limit) && limit == 0) return reader.fail("a limit of 0");
  }
  kept = object.take_kept();
  return object.complete(0);
}

}  // namespace worker_runtime::fs_store
