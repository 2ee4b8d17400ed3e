// Domain values <-> JSON members: the only component file that knows field names.
//
// Writers append one compact JSON object. The object of an event or an entry is the same in a log
// line, in a journal record and in an answer; a checked line puts its checksum in front of the
// object's members. Objects that stand in files name the number that the file is ordered by first.
//
// Readers take an object or a checked line (the member `crc` is passed over: whoever calls has
// checked it). Logs and snapshots keep what they don't know; a journal record with an unknown
// member, or an event kind that is unknown, is `store_version`: it was written by a newer schema,
// and applying half of it would lose the other half.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log_lines.h"
#include "worker_runtime/commit.h"
#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/options.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// The durable watermark of a log: the file that is being appended to is the part that begins with
/// number `first`; up to `bytes` it is durable, and the last line below that has number `last`
/// (first - 1: none).
struct LogWatermark {
  std::uint64_t first = 1;
  std::uint64_t bytes = 0;
  std::uint64_t last = 0;
  bool operator==(const LogWatermark&) const = default;
};

// Members of a newer version, by the object in which they stand: `,"name":value` each, kept as they
// were.

struct UnknownOfWorker {
  std::string worker;
  std::string usage;
  std::string transcript;
  bool operator==(const UnknownOfWorker&) const = default;
};

struct UnknownOfRuntime {
  struct OfDiagnostic {
    std::string diagnostic;
    std::string worker_ref;
    bool operator==(const OfDiagnostic&) const = default;
  };
  std::string runtime;
  std::string workers;
  std::string usage;
  std::string limits;
  std::string catalog;
  std::string events;
  std::map<std::uint64_t, OfDiagnostic> diagnostics;  ///< By id; only those that have any.
  bool operator==(const UnknownOfRuntime&) const = default;
};

/// A Worker's line in the catalog, and the content of its worker.json: the same bytes.
struct CatalogRecord {
  WorkerRecord record;
  std::optional<BodyDigest> create_digest;
  LogWatermark transcript;
  std::string create;  ///< The create request as a JSON object.
  UnknownOfWorker unknown;
};

/// Which catalog is in force, and how far.
struct CatalogPosition {
  Lsn lsn;                          ///< The catalog's name.
  std::uint64_t bytes = 0;          ///< Its durable length.
  std::uint64_t lines = 0;          ///< Lines below that, the header included.
  std::uint32_t live_checksum = 0;  ///< Exclusive or of the checksums of the lines in force.
  bool operator==(const CatalogPosition&) const = default;
};

/// runtime.json.
struct RuntimeSnapshot {
  RuntimeRecord record;  ///< record.lsn is the checkpoint LSN.
  Epoch epoch;
  Timestamp created_at;
  CatalogPosition catalog;
  LogWatermark events;
  std::vector<Diagnostic> diagnostics;
  std::uint64_t diagnostics_total = 0;
  bool repairing = false;  ///< A repair was begun and not finished: nothing else may be relied on.
  UnknownOfRuntime unknown;
};

/// The first line of a journal segment.
struct SegmentHeader {
  Lsn first_lsn;
  RuntimeId runtime_id;
  Epoch epoch;
  Durability durability = Durability::sync;
  std::uint32_t previous = 0;  ///< Checksum of the record before first_lsn; 0 before the first.
};

/// A journal record without its changes.
struct RecordHead {
  Lsn lsn;
  Epoch epoch;
  Lsn durable;  ///< The highest LSN known durable when it was written.
  std::uint32_t previous =
      0;  ///< Checksum of the record before it, in this segment or the one before.
};

void encode(std::string& out, const Event& event, const RuntimeId& runtime_id);
void encode(std::string& out, const TranscriptEntry& entry);
void encode(std::string& out, const CreateRequest& request);
void encode(std::string& out, const CatalogRecord& record, const RuntimeId& runtime_id);
void encode(std::string& out, const Tombstone& tombstone, const RuntimeId& runtime_id);
/// {"lsn":...,"schema_version":...,"runtime_id":...}: the first line of a catalog.
void encode_catalog_header(std::string& out, Lsn lsn, const RuntimeId& runtime_id);
void encode(std::string& out, const RuntimeSnapshot& snapshot);
void encode(std::string& out, const SegmentHeader& header);
/// {"lsn":...,"epoch":...,"durable":...,"previous":"...","changes":[...]}. `changes` is
/// encode_changes()'s.
void encode(std::string& out, const RecordHead& head, std::string_view changes);
/// [{"event":{...},"entry":{...},"create":{...},"stopped_workers":N},...], or
/// {"trim":{"worker_id":...,"first_kept":N}} for a trim, {"redaction":{...}} with the entry as
/// it is from there on.
/// Events and entries are taken from the commit's `lines` for the logs.
void encode_changes(std::string& out, const Commit& commit, std::span<const LogLine> lines);

struct DecodedRecord {
  RecordHead head;
  Commit commit;
};

enum class Requests : std::uint8_t { read, skip };

/// The first line of a catalog.
struct CatalogHeader {
  Lsn lsn;  ///< In the file's name too.
  RuntimeId runtime_id;
};

/// A catalog line: one of the two.
struct CatalogLine {
  std::optional<CatalogRecord> record;
  std::optional<Tombstone> tombstone;
  RuntimeId runtime_id;
};

/// Reads lines; keeps its parser and buffers from call to call. One thread at a time. Errors are
/// `store_corrupt` (the caller adds the place) or `store_version`.
class Decoder {
 public:
  Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  /// The runtime that a line of the event log names comes back in `runtime_id` if that is not null.
  Result<Event> event(std::string_view line, RuntimeId* runtime_id = nullptr);
  Result<TranscriptEntry> entry(std::string_view line);
  Result<CreateRequest> create_request(std::string_view object);
  Result<CatalogHeader> catalog_header(std::string_view line);
  Result<CatalogLine> catalog_line(std::string_view line, Requests requests);
  Result<RuntimeSnapshot> runtime_snapshot(std::string_view line);
  Result<SegmentHeader> segment_header(std::string_view line);
  Result<DecodedRecord> record(std::string_view line);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace worker_runtime::fs_store
