// The members of domain values, shared by lines, journal records, answers and requests.
//
// Writers write members or whole values in a JsonWriter; readers take the value of a member (or,
// with `whole_text`) and answer false once the JsonReader has failed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec.h"
#include "json_reader.h"
#include "json_writer.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {

class Decoder::Implementation {
 public:
  JsonReader reader;
};

/// The value to read: that of a member, or the whole text.
inline constexpr JsonValue* whole_text = nullptr;

inline bool open(ObjectReader& object, JsonValue* value) {
  return value == whole_text ? object.open() : object.open(*value);
}

/// What a decoder answers once its reader has failed.
Error decode_error(const JsonReader& reader);

/// A value of an enum by its name.
template <typename Enum>
bool read_enum(ObjectReader& object, JsonReader& reader,
               std::optional<Enum> (*parse)(std::string_view), Enum& content) {
  std::string_view text;
  if (!object.read(text)) return false;
  const auto parsed = parse(text);
  if (!parsed) return reader.fail("a value that is none of the names there are");
  content = *parsed;
  return true;
}

bool read_checksum(ObjectReader& object, JsonReader& reader, std::uint32_t& checksum);
/// Fails with `newer` if this build does not read the version.
bool read_schema_version(ObjectReader& object, JsonReader& reader);

// ---- of every part

void write_worker_ref(JsonWriter& writer, const WorkerRef& worker_ref, std::string_view kept = {});
/// `kept`: of Unknown::keep.
bool read_worker_ref(JsonReader& reader, JsonValue value, WorkerRef& worker_ref, Unknown unknown,
                     std::string* kept = nullptr);

void write_counters(JsonWriter& writer, const Counters& counters);
/// In any order; given back ordered by name.
bool read_counters(JsonReader& reader, JsonValue value, Counters& counters);

// ---- of snapshots: `kept` are members of a newer version, which are written again

void write_usage(JsonWriter& writer, const Usage& usage, std::string_view kept = {});
bool read_usage(JsonReader& reader, JsonValue value, Usage& usage, std::string& kept);

void write_watermark(JsonWriter& writer, const LogWatermark& watermark, std::string_view kept);
bool read_watermark(JsonReader& reader, JsonValue value, LogWatermark& watermark,
                    std::string& kept);

void write_limits(JsonWriter& writer, const Limits& limits, std::string_view kept = {});
/// A limit that is not there keeps its default.
bool read_limits(JsonReader& reader, JsonValue value, Limits& limits, std::string& kept);

// ---- histories (codec_history.cpp)

/// `runtime_id`: named by events without a Worker; null: left out.
void write_event(JsonWriter& writer, const Event& event, const RuntimeId* runtime_id);
bool read_event(JsonReader& reader, JsonValue* value, Unknown unknown, Event& event,
                RuntimeId* runtime_id);
void write_entry(JsonWriter& writer, const TranscriptEntry& entry);
bool read_entry(JsonReader& reader, JsonValue* value, Unknown unknown, TranscriptEntry& entry);
void write_diagnostic(JsonWriter& writer, const Diagnostic& diagnostic,
                      const UnknownOfRuntime::OfDiagnostic* kept = nullptr);
bool read_diagnostic(JsonReader& reader, JsonValue value, Diagnostic& diagnostic,
                     UnknownOfRuntime::OfDiagnostic& kept);

// ---- Workers (codec_create.cpp)

/// The members of a create request that say what the Worker is to be: intent .. mount_refs.
void write_create_body(JsonWriter& writer, const CreateRequest& request);
void write_create_request(JsonWriter& writer, const CreateRequest& request);
/// Members of the request itself can be kept, `nested` ones can't.
bool read_create_request(JsonReader& reader, JsonValue* value, Unknown unknown, Unknown nested,
                         CreateRequest& request);

bool read_origin(JsonReader& reader, JsonValue value, Unknown unknown, Origin& origin);
bool read_intent(JsonReader& reader, JsonValue value, Unknown unknown, Intent& intent);
bool read_profile(JsonReader& reader, JsonValue value, Unknown unknown, Profile& profile);
bool read_config_bundle(JsonReader& reader, JsonValue value, Unknown unknown,
                        std::optional<std::string>& id);
bool read_capabilities(JsonReader& reader, JsonValue value, Unknown unknown,
                       std::vector<Capability>& capabilities);
bool read_references(JsonReader& reader, JsonValue value, Unknown unknown,
                     std::vector<NamedReference>& references);

}  // namespace worker_runtime::fs_store
