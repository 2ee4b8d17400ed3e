// The readable files beside the journal: the event log and the transcripts.
//
// A committed line is in the journal first. It waits here, in memory, until it is appended to its
// log; readers take it from here until then, so what they see never depends on how far the files
// are. Files are written by one thread at a time (the background thread, or close), at known
// offsets, and synced only by a checkpoint.
//
// Invariants. A log's file holds lines `end.first`..`end.last` in its first `end.bytes` bytes; the
// lines behind are `pending`, dense. A line is in a file only if its commit is durable (in sync
// mode): that makes it a proof.
//
// What a crash may leave: any prefix of the pending lines behind the watermark of the last
// checkpoint, whole or torn (after a power cut: anything there, NULs included); a part that was
// rolled since; a directory without a transcript; the directory of a Worker that is deleted.
// Recovery puts all of these right from the journal.
//
// A redacted line is written over the one that it redacts, in place and with the same length, so
// that no offset changes: by a checkpoint, before the journal lets the redaction go. Until then
// readers get it from memory, and never look at the line in the file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "append_handles.h"
#include "codec.h"
#include "file_system.h"
#include "log_file.h"
#include "log_lines.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"
#include "worker_runtime/store.h"

namespace worker_runtime::fs_store {

/// A checked line with its newline; shared, so that a reader takes it without a copy.
using LinePointer = std::shared_ptr<const std::string>;

/// A line that waits. Lines of one generation were pushed between two calls of begin_generation().
struct PendingLine {
  LinePointer text;
  std::uint64_t generation = 0;
};

struct LogState {
  LogWatermark end;
  std::uint64_t first_kept = 1;
  std::vector<PendingLine> pending;
  std::map<std::uint64_t, PendingLine> redacted;  ///< By number: what readers get instead.
  std::uint64_t redactions = 0;  ///< Grows when `redacted` changes, and with it perhaps a file.
  [[nodiscard]] std::uint64_t last() const { return end.last + pending.size(); }
  /// The line that waits under a number, or what takes its place.
  [[nodiscard]] const LinePointer& waiting(std::uint64_t number) const;
  /// Those that wait and are no younger than `generation`: at least one of them, and as many as it
  /// takes to reach `bytes_max`.
  [[nodiscard]] std::vector<LinePointer> first_lines(std::uint64_t generation,
                                                     std::size_t bytes_max) const;
};

/// Where extension and checkpoint met damage: the caller raises the diagnostic.
struct LogTrouble {
  WorkerId worker_id;
  std::string cause;
};

class Logs {
 public:
  Logs(FileSystem& file_system, std::uint64_t part_bytes)
      : file_system_(file_system), part_bytes_(part_bytes) {}

  [[nodiscard]] const FileSystem& file_system() const { return file_system_; }

  // ---- what is there; thread-safe

  /// Makes room for so many transcripts at once.
  void reserve(std::size_t workers);
  void set_events(LogWatermark end);
  void set_transcript(const WorkerId& worker_id, LogWatermark end);
  [[nodiscard]] LogWatermark events() const;
  /// The end of the Worker's transcript file; an empty one if it has none.
  [[nodiscard]] LogWatermark transcript(const WorkerId& worker_id) const;

  void push_event(std::string line);
  void push_entry(const WorkerId& worker_id, std::string line);
  /// Forgets the transcript; its files go with remove().
  void forget(const WorkerId& worker_id);

  /// From here on readers get this line in the place of the one with its number, which may be in
  /// the file or wait. overwrite_redacted() brings it into the file.
  void redact(RedactedLine line);
  /// The line that takes the place of another, as long as the file may still hold that one, or half
  /// of both. Null: there is none.
  [[nodiscard]] LinePointer redacted_line(const WorkerId& worker_id, std::uint64_t sequence) const;
  /// All of them.
  [[nodiscard]] std::map<std::uint64_t, LinePointer> redacted_lines(
      const WorkerId& worker_id) const;

  /// Lines below `first_kept` are trimmed: from here on nobody reads them. Null id: of the event
  /// log. Answers whether there are closed parts that may hold them.
  bool trim(const WorkerId* worker_id, std::uint64_t first_kept);
  [[nodiscard]] std::uint64_t first_kept(const WorkerId* worker_id) const;

  [[nodiscard]] std::uint64_t pending_bytes() const;
  [[nodiscard]] std::vector<WorkerId> pending_workers() const;
  /// The line that waits behind the file under this number, if there is one. Null id: of the event
  /// log.
  [[nodiscard]] LinePointer pending_line(const WorkerId* worker_id, std::uint64_t number) const;

  /// How much of a file of the log lies below the watermark: `part` is the first number of a closed
  /// part, none the file that is appended to. A crash may leave parts that were begun since the
  /// checkpoint: then the watermark's part has its closed name already.
  [[nodiscard]] Result<std::uint64_t> durable_bytes(const WorkerId* worker_id,
                                                    std::optional<std::uint64_t> part) const;

  /// Pages. The visitor gets checked lines without their newlines, and says when it has enough.
  /// Damage is `store_corrupt` if the page would start on it (with next_readable), else just ends
  /// it. One that would start on what was trimmed is `cursor_expired`.
  Result<void> read_events(const PageRange& range, const LineVisitor& visitor) const;
  Result<void> read_transcript(const WorkerId& worker_id, const PageRange& range,
                               const LineVisitor& visitor) const;

  /// Says what is wrong with a line, if anything is.
  using LineJudge = std::function<std::optional<std::string>(std::string_view line)>;
  /// Looks at the end of the transcript file: its size and its last line, of which `judge` has the
  /// last word. None: it can be extended.
  [[nodiscard]] Result<std::optional<std::string>> check_end(const WorkerId& worker_id,
                                                             const LineJudge& judge) const;

  /// Whether a closed part begins with the same number as the file that is appended to. A writer
  /// never makes one but by close_damaged(), of a file of which nothing was checkpointed.
  [[nodiscard]] Result<bool> has_closed_twin(const WorkerId& worker_id) const;

  // ---- writing files: one thread at a time

  /// The log goes on with number `first`, in a part of its own: what lies between is trimmed.
  /// Nothing of the log waits. Null id: the event log.
  Result<void> skip_to(const WorkerId* worker_id, std::uint64_t first);

  /// Ends a generation of lines and answers it: a checkpoint extends the logs to exactly its own
  /// LSN.
  std::uint64_t begin_generation();
  /// Appends the lines that wait, of generations up to `generation`. Stops at the first failure,
  /// with every file ending in a whole line.
  Result<void> extend(std::uint64_t generation = UINT64_MAX);
  /// Writes redacted lines, of generations up to `generation`, over those that they redact, and
  /// makes that durable. The journal must hold them, durably, until then: a crash may leave half of
  /// both lines. extend() comes before.
  Result<void> overwrite_redacted(std::uint64_t generation);
  [[nodiscard]] bool has_redacted() const;
  /// Makes what was appended durable, with the names of new files and directories.
  Result<void> sync();
  /// The Workers forgotten since, whose directories are there still.
  std::vector<WorkerId> take_deleted();
  /// Removes the directories of these, for good: that they are deleted has to be durable. Those
  /// that are left where it fails are taken again.
  Result<void> remove(std::vector<WorkerId> deleted);
  /// Removes the closed parts that hold nothing but lines below `first_kept`: that these are
  /// trimmed has to be durable in the records. A crash may leave any of them; the next checkpoint
  /// that writes the record removes them.
  Result<void> remove_trimmed(const WorkerId* worker_id, std::uint64_t first_kept);
  [[nodiscard]] std::vector<LogTrouble> take_troubles();
  /// The paths of files that were replaced or taken away, and are there again.
  [[nodiscard]] std::vector<std::string> take_put_back();
  /// Closes all handles that are kept for appending; false if there were none. Thread-safe.
  bool give_up_handles() { return handles_.give_up(); }

  /// Directories of Workers that a process that died has made may not be durable: the next sync()
  /// makes them so.
  void distrust_directories();

  // ---- for recovery: the log as it is found, with what waits behind the watermark

  struct Settled {
    std::uint64_t torn_bytes = 0;  ///< Moved to quarantine.
    std::string path;
  };
  /// Whether commits that were shown may be gone: not in sync mode.
  enum class Loss : std::uint8_t { impossible, allowed };
  /// Cuts the log to its watermark; what waits is appended again, whatever the file had of it:
  /// after a failed sync the page cache may show lines that the disk does not have. Bytes there
  /// that are no good line go to quarantine. `store_corrupt` if a good line lies beyond all that
  /// waits (the journal has lost it), or if the log ends before its watermark.
  Result<Settled> settle_events(Loss loss);
  Result<Settled> settle_transcript(const WorkerId& worker_id, Loss loss);
  /// Makes a closed part of a transcript that can't be appended to, so that what waits still finds
  /// a place.
  Result<void> close_damaged(const WorkerId& worker_id);

 private:
  /// A log by its name and key: what the functions below need beside the state.
  struct Name {
    std::string stem;
    std::string_view key;
  };

  /// The parts of a read that were taken under the lock.
  struct View {
    LogWatermark end;
    std::uint64_t first_kept = 1;
    // In the order of the direction: those that wait, and those that are read instead of the
    // file's.
    std::vector<LinePointer> pending;
    std::vector<std::pair<std::uint64_t, LinePointer>> redacted;
    std::uint64_t redactions = 0;
  };

  [[nodiscard]] static Name name_of(const WorkerId* worker_id);
  [[nodiscard]] static Name event_log();
  [[nodiscard]] static Name transcript_log(const WorkerId& worker_id);

  [[nodiscard]] View view(const WorkerId* worker_id, const PageRange& range) const;
  Result<void> read(const Name& name, const WorkerId* worker_id, const PageRange& range,
                    const LineVisitor& visitor) const;
  Result<void> read_around_redacted(const Name& name, const View& seen, const PageRange& range,
                                    const LineVisitor& visitor) const;
  Result<void> overwrite(const RedactedLine& line);
  Result<void> read_files(const Name& name, LogWatermark end, const PageRange& range,
                          const LineVisitor& visitor) const;
  struct Part {
    std::string path;
    Extent extent;
  };
  /// The first numbers of the closed parts before `end`, in order.
  Result<std::vector<std::uint64_t>> closed_parts(const Name& name, const LogWatermark& end) const;
  Result<Part> find_part(const Name& name, const LogWatermark& end, std::uint64_t number) const;
  /// Whether the part ends in its last line: the cause if not.
  Result<std::optional<std::string>> check_part_end(const WorkerId& worker_id, Part part,
                                                    const LineJudge& judge) const;
  Result<std::unique_ptr<File>> open_part(const Name& name, Part& part, std::uint64_t number,
                                          OpenMode mode = OpenMode::read) const;

  /// Where the last line of the log ends. Its record says it, but somebody may have edited the file
  /// since, and a line before it has another length: cutting there, or going on there, would take
  /// acknowledged lines apart. None if the line is not there.
  static Result<std::optional<std::uint64_t>> find_end(const Name& name, const File& file,
                                                       std::uint64_t size, const LogWatermark& end);
  /// Closes the part at its end, whatever the file has, and also if it is gone.
  Result<void> begin_part(const Name& name, const WorkerId* worker_id);
  /// Lines up to the end are lost, or not where they were. What is still to come is not: it goes
  /// into a new part, and the gap is told.
  Result<std::shared_ptr<File>> begin_behind_damage(const Name& name, const WorkerId* worker_id,
                                                    const std::string& cause);
  Result<std::shared_ptr<File>> new_handle(const Name& name, const WorkerId* worker_id);
  Result<void> extend_log(const Name& name, const WorkerId* worker_id, std::uint64_t generation);
  Result<std::shared_ptr<File>> append_handle(const Name& name, const LogWatermark& end,
                                              const WorkerId* worker_id);
  /// Moves what stands in place of the Worker's directory or transcript, and is none, to
  /// quarantine. False: nothing does.
  Result<bool> move_stray_aside(const std::string& stem);
  Result<std::unique_ptr<File>> make_log_file(const Name& name, const WorkerId* worker_id);
  Result<void> make_worker_directory(const std::string& directory);
  Result<void> roll(const Name& name, const WorkerId* worker_id);
  /// Before the journal lets go what was appended, and before the name is given to a closed part.
  Result<void> put_back_replaced();
  Result<void> put_back_if_replaced(const std::string& stem);
  LogState* state_of(const WorkerId* worker_id);
  [[nodiscard]] const LogState* state_of(const WorkerId* worker_id) const;
  Result<Settled> settle(const Name& name, const WorkerId* worker_id, Loss loss);
  /// Answers how many bytes went to quarantine.
  Result<std::uint64_t> undo_roll(const Name& name, const LogWatermark& end, std::uint64_t last,
                                  Loss loss);
  Result<void> remove_part(const std::string& path, std::uint64_t torn_bytes);
  Result<std::uint64_t> inspect_tail(const Name& name, const std::string& path, const File& file,
                                     std::uint64_t from, std::uint64_t last, Loss loss) const;

  FileSystem& file_system_;
  const std::uint64_t part_bytes_;

  mutable std::mutex mutex_;  // guards what follows, up to the next comment
  LogState events_;
  std::unordered_map<WorkerId, LogState> transcripts_;
  std::unordered_set<WorkerId> waiting_;   // Workers with pending entries
  std::unordered_set<WorkerId> redacted_;  // Workers with redacted lines
  std::uint64_t pending_bytes_ = 0;
  std::uint64_t generation_ = 1;
  std::vector<WorkerId> deleted_;
  std::vector<LogTrouble> troubles_;
  std::vector<std::string> put_back_;

  AppendHandles handles_;  // synchronised by itself

  // Owned by the writing thread.
  std::unordered_set<std::string> unsynced_;              // stems appended to since the last sync
  std::unordered_set<std::string> unsynced_directories_;  // with entries made or renamed since
};

}  // namespace worker_runtime::fs_store
