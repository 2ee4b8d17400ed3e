// Reading the journal: every commit behind the checkpoint, and where it ends.
//
// The end is the hard case: a flipped bit in the last acknowledged record looks like a torn one.
// What decides is the highest proof of durability: the `durable` LSN that any record carries, also
// one behind the bad place (records behind it prove nothing else: the sectors of a group may reach
// the disk in any order); the first LSN of the next segment; the `durable` file of a writer in sync
// mode. A bad place at or below the proof is damage; one above it is a torn tail. The readable logs
// are a further proof, checked by recovery: they are extended only after the sync, so the replay
// must reach every good line in them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codec.h"
#include "file_system.h"
#include "journal.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// What the writer last said of its progress, in journal/durable.
struct DurableMark {
  Lsn lsn;
  Epoch epoch;
  enum class Writer : std::uint8_t { open, closed, failed } writer = Writer::open;
  Durability durability = Durability::sync;
};
/// One line of fixed width, overwritten in place.
std::string durable_mark_text(const DurableMark& mark);
/// None if it is missing, torn, or foreign: then it proves nothing.
std::optional<DurableMark> read_durable_mark(FileSystem& file_system);

struct TornTail {
  std::string path;
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  ///< To the last byte that is not filler.
};

struct JournalScan {
  JournalEnd end;  ///< The last good record, or what the first header says of the one before.
  Epoch epoch;     ///< The highest found.
  Durability durability = Durability::sync;  ///< Of the last segment.
  Lsn proven;                                ///< Everything up to here was durable for sure.
  JournalEnd
      proven_end;  ///< The same with its checksum, as far as known: where a new segment may begin.
  std::string above_proven;   ///< The lines of the records above it.
  std::uint64_t records = 0;  ///< Replayed.
  std::uint64_t bytes = 0;    ///< Of all segments, filler left out.
  std::deque<SegmentInfo>
      segments;  ///< From the one that holds the first record behind the checkpoint on.
  std::vector<std::string> obsolete;  ///< Segments below the checkpoint.
  std::optional<TornTail> torn;
};

struct ScanLimits {
  Lsn checkpoint;  ///< Records up to here are passed over.
  RuntimeId runtime_id;
  std::optional<Lsn> last_lsn;  ///< Stop behind this record: a reader beside a writer.
  std::optional<Lsn> proof;     ///< A proof of durability from elsewhere.
};

/// Gets each record behind the checkpoint, in order, with its place for errors.
using RecordVisitor = std::function<Result<void>(const DecodedRecord& record)>;

/// `store_corrupt` with file, line and offset for damage; `store_version` for a newer schema;
/// `store_io`.
Result<JournalScan> scan_journal(FileSystem& file_system, Decoder& decoder,
                                 const ScanLimits& limits, const RecordVisitor& visitor);

}  // namespace worker_runtime::fs_store
