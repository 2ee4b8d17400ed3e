// The store: ties journal, logs, catalog and snapshots together.
//
// Threads. The Runtime's leader calls append() and sync(): they own the journal's writing end. One
// background thread extends the readable files, lays out the next segment and runs checkpoints.
// Readers come from any number of threads. `commit_mutex_` is held by sync() from write to
// hand-over, and by a checkpoint for the moment in which it fixes its LSN; no reader ever takes it.
//
// Checkpoint at LSN C, in this order (checkpoint.cpp):
//   1. fix C: start a new segment, take what changed since the last checkpoint
//   2. remove the directories of deleted Workers, extend the logs to C
//   3. overwrite lines that are redacted, sync logs and new directories: from here on they
//      stand for the journal up to C
//   4. append the changed records, with their new watermarks, to the catalog and sync it
//   5. write the worker.json views of new Workers, and with them their directories
//   6. replace runtime.json: from here on recovery starts at C
//   7. unlink segments at or below C, catalogs that are not in force, and closed parts of logs of
//      which the records now say that they are trimmed
//   8. renew the other views, a few at a time where nobody waits for them: a replaced file costs a
//      hundred times an appended line, and nothing relies on a view
// A crash before 6 leaves the old checkpoint in force, and the journal still has everything behind
// it. In 5 and 8 the logs are extended meanwhile if they fall behind: with many Workers both take
// longer than commits may wait.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "catalog.h"
#include "change_set.h"
#include "codec.h"
#include "file_system.h"
#include "journal.h"
#include "journal_reserve.h"
#include "logs.h"
#include "recovery.h"
#include "view_survey.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/store.h"

namespace worker_runtime::fs_store {

/// So much may wait for its log before a commit waits for the background thread: memory stays
/// bounded.
inline constexpr std::uint64_t pending_bytes_max = std::uint64_t{64} << 20U;

class FsStore final : public Store {
 public:
  FsStore(StoreOptions options, RuntimeId runtime_id, std::unique_ptr<FileSystem> file_system,
          std::unique_ptr<FileLock> lock, std::optional<std::string> unsafe,
          const SegmentSizes& sizes = {}, std::size_t views_at_a_time = 256);
  ~FsStore() override;

  [[nodiscard]] std::string_view backend() const override { return "fs_store"; }
  [[nodiscard]] Durability durability() const override { return options_.durability; }
  Result<Restored> restore() override;
  Result<void> append(const Commit& commit, std::span<const ExpandedEvent> events,
                      const Limits& limits) override;
  Result<void> sync(const RuntimeRecord& after, std::span<const ChangedWorker> changed) override;
  std::optional<Error> check_worker(const WorkerId& worker_id) override;
  Result<std::vector<Event>> read_events(const PageRange& range) const override;
  Result<std::vector<TranscriptEntry>> read_transcript(const WorkerId& worker_id,
                                                       const PageRange& range) const override;
  Result<TranscriptEntry> read_entry(const WorkerId& worker_id, Sequence sequence) const override;
  Result<std::vector<KeyedEntry>> read_keyed_entries(const WorkerId& worker_id, Sequence first,
                                                     Sequence last) const override;
  Result<CreateRequest> read_create_request(const WorkerId& worker_id) const override;
  Result<Lsn> checkpoint() override;
  Result<void> close() override;
  [[nodiscard]] std::optional<StoreHealth> health() const override;

 private:
  struct StagedCreate {
    WorkerId worker_id;
    std::string create;
  };
  /// What a checkpoint took at the moment that fixed its LSN.
  struct CheckpointInput {
    RuntimeRecord record;
    ChangeSet changes;
    std::uint64_t generation = 0;  // of the lines that belong to it
    LogWatermark events{};         // the end of the event log once it has these
  };
  enum class Occasion : std::uint8_t { due, asked, close };

  // fs_store.cpp
  void tell_what_recovery_did(const Settled& settled, std::uint64_t replayed);
  Result<void> write_and_hand_over(const RuntimeRecord& after,
                                   std::span<const ChangedWorker> changed);
  Result<void> hand_over(const RuntimeRecord& after, std::span<const ChangedWorker> changed);
  void wait_for_logs();
  Result<void> leave_journal(bool is_full);
  Result<void> write_mark(DurableMark::Writer writer);
  /// Nothing is written from here on; waiting and later calls get the cause.
  Error fail(const Error& cause);
  [[nodiscard]] std::optional<Error> failure() const;
  void wake_background();

  // background.cpp
  void background(const std::stop_token& stop);
  void background_round(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool checkpoint_is_due() const;
  [[nodiscard]] std::chrono::steady_clock::time_point gathering_ends() const;
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_due() const;
  void extend_logs();
  bool sync_at_interval();
  void lay_out();
  void set_full(bool& which, bool full, const std::string& detail);
  void raise_troubles();
  void raise_put_back(const std::vector<std::string>& paths);
  void stop_background();

  // checkpoint.cpp
  Result<Lsn> run_checkpoint(Occasion occasion);
  Result<Lsn> write_what_changed(Occasion occasion);
  Result<void> make_durable();
  Result<void> remove_deleted();
  Result<void> overwrite_redacted(std::uint64_t generation);
  Error checkpoint_failed(Error cause);
  Result<std::optional<CheckpointInput>> begin_checkpoint(Occasion occasion);
  Result<void> write_checkpoint(CheckpointInput& input);
  Result<void> remove_trimmed(const CheckpointInput& input);
  Result<std::vector<CatalogUpdate>> catalog_updates(const ChangeSet& changes);
  Result<std::optional<CatalogUpdate>> record_update(const WorkerId& worker_id,
                                                     const ChangedRecord& record);

  // checkpoint_views.cpp
  Result<void> write_new_views(std::span<const CatalogUpdate> updates, const ChangeSet& changes);
  void add_due_views(std::vector<CatalogUpdate> updates, const ChangeSet& changes);
  Result<void> write_due_views(std::size_t count);
  void renew_some_views();
  Result<bool> renew_view(const WorkerId& worker_id, std::string_view line);
  void drop_deleted_views();
  /// Whether a commit behind the last checkpoint deleted the Worker.
  bool is_deleted(const WorkerId& worker_id) const;
  Result<void> end_views(bool made_directories);
  void keep_up();
  Result<void> write_runtime_json(const CheckpointInput& input);

  // Constant after construction or restore.
  const StoreOptions options_;
  const RuntimeId runtime_id_;
  const SegmentSizes sizes_;
  const std::size_t views_at_a_time_;  // renewed between two other pieces of work
  const std::unique_ptr<FileSystem> file_system_;
  JournalReserve reserve_{*file_system_};  // used by restore, the background thread, close in turn
  std::unique_ptr<FileLock> lock_;
  const std::optional<std::string>
      unsafe_;  // the kind of file system, if it can't keep the promises
  Epoch epoch_;
  Timestamp created_at_;
  std::shared_ptr<DiagnosticLog> diagnostics_;
  std::optional<std::string> recovered_;

  // Synchronised by themselves.
  Logs logs_;
  Catalog catalog_;

  // Owned by the Runtime's leader.
  std::vector<LogLine> staged_lines_;
  std::vector<RedactedLine> staged_redactions_;
  std::vector<StagedCreate> staged_creates_;
  std::unordered_set<WorkerId> checked_;
  std::uint64_t troubles_seen_ = 0;

  std::atomic<std::uint64_t> logs_troubles_ = 0;  // damage that the background thread has met

  mutable std::mutex commit_mutex_;  // guards what follows, up to the next comment
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<File> mark_file_;
  ChangeSet changes_;
  RuntimeRecord record_;
  bool closed_ = false;

  mutable std::mutex
      state_mutex_;  // guards what follows, up to the next comment; taken inside commit_mutex_
  std::condition_variable_any wake_;
  std::condition_variable_any progress_;
  std::optional<Error> failure_;
  bool logs_full_ = false;
  std::optional<Error> logs_trouble_;  // why a log can't be extended, if not for want of space
  bool journal_full_ = false;
  bool checkpoint_full_ = false;  // refuses nothing: growth goes on while journal and logs can
  std::string full_detail_;
  bool work_is_waiting_ = false;
  bool logs_are_behind_ = false;     // a commit waits for them
  bool removal_is_waiting_ = false;  // of deleted Workers, or of parts that are trimmed
  std::optional<std::chrono::steady_clock::time_point>
      changed_since_;  // first commit after the checkpoint
  std::optional<std::chrono::steady_clock::time_point>
      unsynced_since_;  // first commit after a sync; Durability::interval alone
  std::uint64_t journal_bytes_ = 0;
  std::uint64_t checkpoints_asked_ = 0;
  std::uint64_t checkpoints_done_ = 0;
  Result<Lsn> last_checkpoint_{Lsn{}};
  std::uint64_t diagnostics_at_checkpoint_ = 0;
  Lsn checkpoint_lsn_;
  Lsn durable_lsn_;

  // Create requests that are not in the catalog yet, for readers.
  mutable std::mutex creates_mutex_;
  std::unordered_map<WorkerId, std::string> creates_;

  // Owned by the thread that runs checkpoints.
  UnknownOfRuntime unknown_;  // of runtime.json
  bool catalog_needs_rewrite_ = false;
  /// Workers whose views the writer before this one may have been about to write when it was
  /// killed: those it had changed since its last checkpoint.
  std::unordered_set<WorkerId> unfinished_views_;
  std::unordered_map<WorkerId, std::string> due_views_;  // the lines that views are to have
  bool views_are_held_up_ = false;                       // until the next checkpoint tries again
  ViewSurvey survey_;

  std::jthread background_;
};

}  // namespace worker_runtime::fs_store
