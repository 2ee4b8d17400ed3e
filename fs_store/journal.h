// The journal: the record of commits that decides.
//
// Why segments. The journal is a sequence of files, journal/<first lsn>.jsonl, so that a checkpoint
// can let go of its oldest part by unlinking whole files, and so that each file can be laid out
// ahead: filled with newlines and synced before its first record. A record then overwrites filler
// in place, and the sync that makes it durable has no size and no block allocation to commit with
// it.
//
// What a segment holds. Line 1 is its header (first LSN, epoch of the open that made it, checksum
// of the record before). Then one checked line a commit: LSN, epoch, the highest LSN that was known
// durable when it was written, the checksum of the record before it, the changes. Then filler. LSNs
// are dense across segments.
//
// What a crash may leave.
//   - A temporary file: a segment that never got its name. Swept at open.
//   - A segment with its header and no record: nothing was committed in it.
//   - Behind the last acknowledged record: records whole, torn or absent, in any mixture, of the
//     one group that was being written. journal_reader.h tells how that end is found.
//   - Segments below the checkpoint that were to be unlinked: all their LSNs are at or below it.
//     Readers pass over them, the next open unlinks them.
//
// Who may continue what. An open never appends to a segment that it found: behind the last record
// it read, an old record may lie that the page cache shows or a torn group left, and would come
// back once the records before it are rewritten. An open starts a segment of its own, with a higher
// epoch, which begins behind the last proof of durability; records above that proof are copied into
// it and are durable, with the segment's name, before anything is shown. If a segment with the same
// first LSN exists, it is replaced by rename.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec.h"
#include "file_system.h"
#include "journal_reserve.h"
#include "worker_runtime/commit.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/options.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// The first segment of an open is small: laying out costs time before the first commit.
inline constexpr std::uint64_t first_segment_bytes = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t segment_bytes = std::uint64_t{16} << 20U;
/// This much of the last segment at hand is kept for what makes room: stop, cancel, delete.
inline constexpr std::uint64_t reserve_bytes = std::uint64_t{128} << 10U;

/// What is laid out at once. Others than these are for tests, which come to a segment's end sooner.
struct SegmentSizes {
  std::uint64_t first = first_segment_bytes;
  std::uint64_t later = segment_bytes;
  std::uint64_t reserve = reserve_bytes;
};

/// What the next record needs to know of those before it.
struct JournalEnd {
  Lsn last_lsn;
  std::uint32_t checksum = 0;  ///< Of record last_lsn; 0 if there is none.
};

struct SegmentInfo {
  Lsn first_lsn;
  std::uint64_t bytes = 0;  ///< Of its records and header.
};

/// Whether an error of the journal says that nothing happened and nothing is in doubt: the disk is
/// full, or there is no handle left.
inline bool is_refusal(const Error& error) {
  return error.code() == ErrorCode::store_full || is_out_of_handles(error);
}

enum class Growth : std::uint8_t { grows, makes_room };
enum class LayOut : std::uint8_t { when_needed, now, header_only };

/// The writing end. One thread at a time calls stage(), write_group(), sync(), rotate(),
/// cut_filler() and take_put_back(); the rest may be called beside them, by one other thread.
class Journal {
 public:
  /// Starts this open's first segment at `end.last_lsn + 1 - copies`: `copied` are the lines of the
  /// last records, newlines included, of which `end` is the last. All of it is durable on return.
  struct Start {
    RuntimeId runtime_id;
    Epoch epoch;
    Durability durability = Durability::sync;
    Lsn first_lsn{1};
    std::uint32_t previous = 0;  ///< Checksum of the record before first_lsn.
    std::string copied;
    JournalEnd end;
    std::deque<SegmentInfo> older;  ///< Segments that lie before it.
    SegmentSizes sizes = {};
    JournalReserve* reserve = nullptr;  ///< For a full disk; only used by start().
  };
  static Result<std::unique_ptr<Journal>> start(FileSystem& file_system, Start start);

  /// Encodes a commit, with its lines for the logs, behind those staged. `limit_exceeded` or
  /// `store_full` leave the group as it was.
  Result<void> stage(const Commit& commit, std::span<const LogLine> lines,
                     std::uint64_t commit_bytes_max, Growth growth);
  [[nodiscard]] bool group_is_empty() const { return group_.empty(); }

  /// Writes the group and syncs it once. A refusal: nothing of it is in the journal. Any other
  /// error: the outcome is unknown, and nothing may be written any more.
  Result<void> write_group();

  /// The LSN up to which everything is durable (Durability::sync), or written.
  [[nodiscard]] Lsn last_lsn() const { return end_.last_lsn; }

  /// Syncs what was written without one.
  Result<void> sync();

  /// Ends the segment: the next record starts a new one, which is durable with its name on return;
  /// with LayOut::header_only it has no filler. A segment without records is kept as it is.
  Result<void> rotate(LayOut lay_out);

  /// Unlinks the segments whose records all are at or below `lsn`, but never the current one.
  Result<void> drop_below(Lsn lsn);

  /// Prepares the next segment, if it will be needed soon or at once. To be called beside the
  /// writer.
  Result<void> lay_out_ahead(LayOut lay_out);

  /// Cuts the filler off the current segment.
  Result<void> cut_filler();

  /// The paths of segments that were replaced or taken away, and are there again.
  [[nodiscard]] std::vector<std::string> take_put_back() { return std::exchange(put_back_, {}); }

  /// Whether start() had to do with less than it wanted: the disk was full.
  [[nodiscard]] bool is_short() const { return is_short_; }

  /// Bytes of records in all segments.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Spare {
    std::string path;
    std::unique_ptr<File> file;
    std::uint64_t size = 0;
  };

  Journal(FileSystem& file_system, Start start);
  Result<Spare> make_spare(std::uint64_t size);
  Result<Spare> make_large_spare(std::uint64_t size);
  Result<Spare> make_first_spare(std::uint64_t copied_bytes, JournalReserve* reserve);
  Result<void> begin_segment(Spare spare, std::string_view first_lines, Lsn first_lsn,
                             std::uint32_t previous);
  Result<void> switch_segment(std::uint64_t needed);
  /// Somebody may have removed the current segment, or saved another one under its name: what was
  /// acknowledged has its name again before anything is put behind it, here or in the next segment.
  Result<void> keep_name();
  [[nodiscard]] bool has_room(std::uint64_t more, Growth growth);
  Result<void> make_room(std::uint64_t length, Growth growth);
  Result<void> traced_sync(std::uint64_t last_lsn);
  Result<void> undo(std::uint64_t offset, std::uint64_t count, Error cause);

  FileSystem& file_system_;
  const RuntimeId runtime_id_;
  const Epoch epoch_;
  const Durability durability_;
  const SegmentSizes sizes_;

  // The current segment; owned by the writing thread.
  std::unique_ptr<File> file_;
  std::string path_;
  std::uint64_t size_ = 0;    // laid out
  std::uint64_t offset_ = 0;  // the next record goes here
  JournalEnd end_;            // the last record written
  JournalEnd staged_end_;     // the last record staged
  Lsn durable_;
  std::string group_;
  std::string changes_;  // scratch
  std::string record_;   // scratch
  bool is_short_ = false;
  std::vector<std::string> put_back_;

  // Held while a spare is made for a later segment: who needs one waits for the one that is being
  // made. Two at a time could take the room of each other on a disk that has room for one.
  std::mutex making_mutex_;

  mutable std::mutex mutex_;
  std::deque<SegmentInfo> segments_;  // guarded by mutex_; the last one is the current
  std::optional<Spare> spare_;        // guarded by mutex_
  bool half_used_ = false;            // guarded by mutex_
};

}  // namespace worker_runtime::fs_store
