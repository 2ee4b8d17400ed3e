// Going on in the journal of a running writer, from the place where a reader stands.
//
// Only what the writer has marked as durable is read, so there is no end to be found here: each
// record up to the mark is there, whole, and follows the one before it. Where that does not hold,
// the files have changed under the reader (a checkpoint dropped the segment, another writer has
// opened, something is damaged): the reader loads the store anew, which judges it by the rules of
// recovery.
#pragma once

#include <cstdint>

#include "codec.h"
#include "file_system.h"
#include "journal.h"
#include "journal_reader.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// A place behind a record.
struct JournalPlace {
  Lsn segment;               ///< The first LSN of the segment.
  std::uint64_t offset = 0;  ///< Of the next line in it.
  std::uint64_t bytes = 0;   ///< Of all segments read so far, up to here.
  JournalEnd end;            ///< The record before.
};

/// What has to be so for a reader to go on.
struct TailLimits {
  RuntimeId runtime_id;
  Epoch epoch;  ///< Of the writer.
  Lsn last;     ///< Marked by it as durable.
};

enum class Followed : std::uint8_t { yes, lost };

/// Visits the records behind `place` up to `limits.last`, and moves `place` on, record by record.
/// `lost`: it can't be gone on from here. Errors: those of the visitor, and `store_io`.
Result<Followed> follow_journal(FileSystem& file_system, Decoder& decoder, const TailLimits& limits,
                                JournalPlace& place, const RecordVisitor& visitor);

}  // namespace worker_runtime::fs_store
