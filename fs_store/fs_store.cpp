// The store behind a Runtime: restore, commit, read, close. See fs_store.h.
#include "fs_store.h"

#include <algorithm>
#include <utility>

#include "checked_line.h"
#include "handle_retry.h"
#include "layout.h"
#include "pages.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// While a commit waits for the logs.
constexpr std::chrono::milliseconds logs_looked_at{1};

/// Stop, cancel, delete and trim must always go through: they are how room is made.
Growth growth_of(const Commit& commit) {
  for (const Change& change : commit.changes) {
    if (change.trim) continue;
    switch (change.event.kind) {
      case EventKind::worker_stopped:
      case EventKind::worker_cancelled:
      case EventKind::worker_deleted:
      case EventKind::runtime_stopped:
        break;
      default:
        return Growth::grows;
    }
  }
  return Growth::makes_room;
}

}  // namespace

FsStore::FsStore(StoreOptions options, RuntimeId runtime_id,
                 std::unique_ptr<FileSystem> file_system, std::unique_ptr<FileLock> lock,
                 std::optional<std::string> unsafe, const SegmentSizes& sizes,
                 std::size_t views_at_a_time)
    : options_(std::move(options)),
      runtime_id_(std::move(runtime_id)),
      sizes_(sizes),
      views_at_a_time_(views_at_a_time),
      file_system_(
          make_handle_retry(std::move(file_system), [this] { return logs_.give_up_handles(); })),
      lock_(std::move(lock)),
      unsafe_(std::move(unsafe)),
      logs_(*file_system_, options_.log_part_bytes),
      catalog_(*file_system_) {}

FsStore::~FsStore() { stop_background(); }

// ---- restore

Result<Restored> FsStore::restore() {
  Decoder decoder;
  LoadLimits limits;
  const auto mark = read_durable_mark(*file_system_);
  if (mark && mark->durability == Durability::sync) limits.proof = mark->lsn;
  auto loaded = load(*file_system_, decoder, runtime_id_, limits, catalog_, logs_);
  if (!loaded) return std::move(loaded).error();
  // A process that died may have replaced runtime.json without having made that durable. What is
  // removed from here on, catalogs and segments, is removed because of the one that was read: it
  // must not be undone by a power cut.
  auto durable = file_system_->sync_directory("");
  if (!durable) return std::move(durable).error();
  // A checkpoint that was cut off leaves a catalog that nobody names: Workers that are deleted
  // since may stand in it. It also takes room that the rest may need.
  auto removed = catalog_.remove_old();
  if (!removed) return std::move(removed).error();
  auto settled =
      settle(*file_system_, runtime_id_, {options_.durability, sizes_, &reserve_}, *loaded, logs_);
  if (!settled) return full_as_such(std::move(settled).error());

  const RuntimeSnapshot& snapshot = loaded->snapshot;
  diagnostics_ = std::make_shared<DiagnosticLog>(snapshot.record.limits.diagnostics_kept);
  diagnostics_->restore(snapshot.diagnostics, snapshot.diagnostics_total);
  if (options_.log) diagnostics_->set_log(options_.log);
  epoch_ = settled->epoch;
  created_at_ = snapshot.created_at;
  unknown_ = snapshot.unknown;
  tell_what_recovery_did(*settled, loaded->journal.records);

  catalog_needs_rewrite_ = !loaded->catalog_repairs.empty();

  const std::lock_guard lock(commit_mutex_);
  journal_ = std::move(settled->journal);
  changes_ = std::move(loaded->changes);
  changes_.runtime_changed =
      changes_.runtime_changed || diagnostics_->total() != snapshot.diagnostics_total;
  record_ = loaded->state.runtime();
  for (const auto& [worker_id, record] : changes_.workers) {
    if (!record.create.empty()) creates_[worker_id] = record.create;
    if (record.worker) unfinished_views_.insert(worker_id);
  }
  auto marked = write_mark(DurableMark::Writer::open);
  if (!marked && !is_full(marked.error())) return std::move(marked).error();
  // Only now: the mark before was that of a writer that may have died behind a commit that it had
  // no time to mark. Readers have shown that one since; beside a writer they would go back to the
  // mark.
  auto announced = lock_->announce();
  if (!announced) return std::move(announced).error();
  if (journal_->is_short())
    set_full(journal_full_, true, "the disk is full: there is no space for the journal to grow");
  {
    const std::lock_guard state_lock(state_mutex_);
    checkpoint_lsn_ = snapshot.record.lsn;
    durable_lsn_ = journal_->last_lsn();
    journal_bytes_ = journal_->bytes();
    diagnostics_at_checkpoint_ = snapshot.diagnostics_total;
    work_is_waiting_ = true;
    removal_is_waiting_ = changes_.has_deletions;
    if (!changes_.empty()) changed_since_ = std::chrono::steady_clock::now();
  }
  background_ = std::jthread([this](const std::stop_token& stop) { background(stop); });
  return Restored{std::move(loaded->state), diagnostics_, epoch_, std::move(settled->damaged)};
}

void FsStore::tell_what_recovery_did(const Settled& settled, std::uint64_t replayed) {
  const Timestamp now = system_clock()();
  std::vector<std::string> notes = settled.notes;
  if (replayed > 0) {
    notes.insert(notes.begin(), "replayed " + std::to_string(replayed) +
                                    (replayed == 1 ? " commit" : " commits") + " of the journal");
  }
  for (const std::string& note : notes) {
    diagnostics_->raise(now, Severity::info, "store.recovered", note);
    recovered_ = recovered_ ? *recovered_ + "; " + note : note;
  }
  for (const std::string& warning : settled.warnings) {
    diagnostics_->raise(now, Severity::warning, "store.record_restored", warning);
  }
  if (unsafe_) {
    diagnostics_->raise_once(now, Severity::warning, "store.unsafe_file_system",
                             "the file system (" + *unsafe_ + ") may lose acknowledged operations");
  }
}

// ---- commit

Result<void> FsStore::append(const Commit& commit, std::span<const ExpandedEvent> events,
                             const Limits& limits) {
  if (auto failed = failure()) return *std::move(failed);
  const Growth growth = growth_of(commit);
  if (growth == Growth::grows) {
    const std::lock_guard lock(state_mutex_);
    if (logs_full_) return Error(ErrorCode::store_full, full_detail_);
    if (logs_trouble_ && logs_.pending_bytes() > pending_bytes_max) return *logs_trouble_;
  }
  for (const Change& change : commit.changes) {
    if (!change.create) continue;
    const std::size_t length = layout::encode_id(change.event.worker_ref->worker_id.text()).size();
    if (length > layout::name_bytes_max) {
      return Error(ErrorCode::invalid_request,
                   "the worker id is too long for a directory name once encoded");
    }
  }
  const std::size_t staged_before = staged_lines_.size();
  append_log_lines(staged_lines_, events, runtime_id_);
  Result<void> staged;
  {
    // A checkpoint may be starting a new segment.
    const std::lock_guard lock(commit_mutex_);
    staged = journal_->stage(commit, std::span(staged_lines_).subspan(staged_before),
                             limits.commit_bytes, growth);
  }
  if (!staged) {
    staged_lines_.resize(staged_before);
    if (staged.error().code() == ErrorCode::store_full) {
      set_full(journal_full_, true, staged.error().message());
    } else if (staged.error().code() == ErrorCode::store_failed) {
      return fail(staged.error());
    }
    return staged;
  }
  append_redacted_lines(staged_redactions_, commit);
  for (const Change& change : commit.changes) {
    if (!change.create) continue;
    StagedCreate& create = staged_creates_.emplace_back();
    create.worker_id = change.event.worker_ref->worker_id;
    encode(create.create, *change.create);
  }
  return {};
}

Result<void> FsStore::sync(const RuntimeRecord& after, std::span<const ChangedWorker> changed) {
  if (auto failed = failure()) return *std::move(failed);
  auto durable = write_and_hand_over(after, changed);
  if (durable) wait_for_logs();
  return durable;
}

Result<void> FsStore::write_and_hand_over(const RuntimeRecord& after,
                                          std::span<const ChangedWorker> changed) {
  const std::lock_guard lock(commit_mutex_);
  if (journal_->group_is_empty()) {
    record_ = after;
    changes_.runtime_changed = true;
    return {};
  }
  auto written = journal_->write_group();
  raise_put_back(journal_->take_put_back());
  if (!written) {
    staged_lines_.clear();
    staged_redactions_.clear();
    staged_creates_.clear();
    if (written.error().code() == ErrorCode::store_full)
      set_full(journal_full_, true, written.error().message());
    if (is_refusal(written.error())) return written;
    return fail(written.error());
  }
  return hand_over(after, changed);
}

/// The group is durable: from here on readers of other processes may see it, and then the logs may
/// have it.
Result<void> FsStore::hand_over(const RuntimeRecord& after,
                                std::span<const ChangedWorker> changed) {
  auto marked = write_mark(DurableMark::Writer::open);
  if (!marked && !is_full(marked.error())) return fail(marked.error());
  for (LogLine& line : staged_lines_) {
    if (line.worker_id) {
      logs_.push_entry(*line.worker_id, std::move(line.line));
    } else {
      logs_.push_event(std::move(line.line));
    }
  }
  staged_lines_.clear();
  const bool redacts = !staged_redactions_.empty();
  for (RedactedLine& line : staged_redactions_) logs_.redact(std::move(line));
  staged_redactions_.clear();
  // Before the Runtime shows what is trimmed: a reader that is on its way is told so by the logs,
  // and takes no part that is gone for damage.
  bool frees_parts = logs_.trim(nullptr, after.first_event_id.value);
  for (const ChangedWorker& worker : changed) {
    changes_.add(worker);
    if (!worker.worker) {
      logs_.forget(worker.worker_id);
      checked_.erase(worker.worker_id);
    } else if (const Sequence first = worker.worker->record.first_sequence; first.value > 1) {
      frees_parts = logs_.trim(&worker.worker_id, first.value) || frees_parts;
    }
  }
  bool deleted = std::any_of(changed.begin(), changed.end(),
                             [](const auto& worker) { return !worker.worker; });
  if (!staged_creates_.empty() || deleted) {
    const std::lock_guard lock(creates_mutex_);
    for (StagedCreate& create : staged_creates_) {
      const auto found = changes_.workers.find(create.worker_id);
      if (found == changes_.workers.end() || !found->second.worker)
        continue;  // deleted in the same group
      found->second.create = create.create;
      creates_[create.worker_id] = std::move(create.create);
    }
    for (const ChangedWorker& worker : changed) {
      if (!worker.worker) creates_.erase(worker.worker_id);
    }
  }
  staged_creates_.clear();
  record_ = after;
  changes_.runtime_changed = true;
  {
    const std::lock_guard lock(state_mutex_);
    durable_lsn_ = journal_->last_lsn();
    removal_is_waiting_ = removal_is_waiting_ || deleted || frees_parts || redacts;
    if (!changed_since_) changed_since_ = std::chrono::steady_clock::now();
    if (options_.durability == Durability::interval && !unsynced_since_) {
      unsynced_since_ = std::chrono::steady_clock::now();
      wake_.notify_one();  // a gathering that has begun has to end in time
    }
  }
  wake_background();
  return {};
}

/// What waits for its log is bounded, unless the disk is full: then growth is refused anyway. The
/// background thread needs the commit lock for a round: it must not be held here.
void FsStore::wait_for_logs() {
  if (logs_.pending_bytes() <= pending_bytes_max) return;
  std::unique_lock lock(state_mutex_);
  logs_are_behind_ = true;
  wake_.notify_one();
  const auto may_go_on = [this] {
    return logs_.pending_bytes() <= pending_bytes_max || logs_full_ || logs_trouble_ ||
           failure_.has_value();
  };
  // Looked at again and again: the end of a round, which is told, may be seconds away where each of
  // many Workers has a line, and commits are to go on at the pace of the logs, not in leaps.
  while (!may_go_on()) progress_.wait_for(lock, logs_looked_at, may_go_on);
  logs_are_behind_ = false;
}

Result<void> FsStore::write_mark(DurableMark::Writer writer) {
  if (!mark_file_) {
    const std::string path(layout::durable);
    auto file = file_system_->open(path, OpenMode::write);
    if (!file && is_missing(file.error())) file = file_system_->open(path, OpenMode::create_new);
    if (!file) return std::move(file).error();
    mark_file_ = std::move(*file);
    // Overwritten in place, never emptied first: a reader that finds no mark does not know where to
    // stop, and a full disk has no block to give back.
    const std::uint64_t length = durable_mark_text({}).size();
    auto size = mark_file_->size();
    if (!size) return std::move(size).error();
    if (*size > length) {
      auto cut = mark_file_->truncate(length);
      if (!cut) return cut;
    }
  }
  return mark_file_->write(
      0, durable_mark_text({journal_->last_lsn(), epoch_, writer, options_.durability}));
}

Error FsStore::fail(const Error& cause) {
  const std::lock_guard lock(state_mutex_);
  if (!failure_) {
    FileFields fields;
    if (const auto* const known = cause.get<FileFields>()) fields = *known;
    failure_ =
        Error(ErrorCode::store_failed,
              "the store failed; the outcome is unknown until it is reopened: " + cause.message(),
              std::move(fields));
    diagnostics_->raise_once(system_clock()(), Severity::error, "store.failed",
                             failure_->message());
  }
  progress_.notify_all();
  return *failure_;
}

std::optional<Error> FsStore::failure() const {
  const std::lock_guard lock(state_mutex_);
  return failure_;
}

// ---- reads

std::optional<Error> FsStore::check_worker(const WorkerId& worker_id) {
  if (const std::uint64_t troubles = logs_troubles_; troubles != troubles_seen_) {
    troubles_seen_ = troubles;
    checked_.clear();
  }
  if (checked_.contains(worker_id)) return std::nullopt;
  auto cause = check_transcript(logs_, {runtime_id_, worker_id});
  if (!cause) return std::move(cause).error();
  if (!*cause) {
    // An earlier open found the file damaged. Its lines are acknowledged, and their numbers taken.
    auto twin = logs_.has_closed_twin(worker_id);
    if (!twin) return std::move(twin).error();
    if (*twin) *cause = "its file was damaged, and closed with lines that the journal has lost";
  }
  if (*cause) {
    return corrupt(*file_system_, layout::log_file(layout::transcript(worker_id)), **cause);
  }
  checked_.insert(worker_id);
  return std::nullopt;
}

Result<std::vector<Event>> FsStore::read_events(const PageRange& range) const {
  return read_event_page(logs_, range);
}

Result<std::vector<TranscriptEntry>> FsStore::read_transcript(const WorkerId& worker_id,
                                                              const PageRange& range) const {
  return read_transcript_page(logs_, {runtime_id_, worker_id}, range);
}

Result<TranscriptEntry> FsStore::read_entry(const WorkerId& worker_id, Sequence sequence) const {
  const auto staged =
      std::find_if(staged_lines_.begin(), staged_lines_.end(), [&](const LogLine& line) {
        return line.worker_id == worker_id && line_number(line.line, "sequence") == sequence.value;
      });
  if (staged != staged_lines_.end()) return Decoder().entry(without_newline(staged->line));
  auto page = read_transcript(worker_id, {sequence.value, sequence.value});
  if (!page) return std::move(page).error();
  if (!page->empty()) return std::move(page->front());
  return corrupt(*file_system_, layout::log_file(layout::transcript(worker_id)),
                 "sequence " + std::to_string(sequence.value) + " is missing");
}

Result<std::vector<KeyedEntry>> FsStore::read_keyed_entries(const WorkerId& worker_id,
                                                            Sequence first, Sequence last) const {
  return fs_store::read_keyed_entries(logs_, worker_id, first, last);
}

Result<CreateRequest> FsStore::read_create_request(const WorkerId& worker_id) const {
  Decoder decoder;
  {
    const std::lock_guard lock(creates_mutex_);
    const auto found = creates_.find(worker_id);
    if (found != creates_.end()) return decoder.create_request(found->second);
  }
  return read_create(catalog_, decoder, worker_id);
}

// ---- the rest

Result<Lsn> FsStore::checkpoint() {
  std::unique_lock lock(state_mutex_);
  const std::uint64_t mine = ++checkpoints_asked_;
  wake_.notify_one();
  progress_.wait(lock, [&] { return checkpoints_done_ >= mine || failure_.has_value(); });
  if (checkpoints_done_ < mine) return *failure_;
  return last_checkpoint_;
}

Result<void> FsStore::close() {
  stop_background();
  if (!journal_) {
    lock_.reset();
    return {};
  }
  if (auto failed = failure()) {
    const std::lock_guard lock(commit_mutex_);
    static_cast<void>(
        write_mark(DurableMark::Writer::failed).has_value());  // the store has failed already
    lock_.reset();
    return *std::move(failed);
  }
  auto done = run_checkpoint(Occasion::close);
  const bool is_full_disk = !done && done.error().code() == ErrorCode::store_full;
  if (done || is_full_disk) {
    auto left = leave_journal(is_full_disk);
    if (!left) done = fail(left.error());
  }
  {
    const std::lock_guard lock(commit_mutex_);
    closed_ = true;
    if (done) {
      auto marked = write_mark(DurableMark::Writer::closed);
      if (!marked && !is_full(marked.error())) done = std::move(marked).error();
    }
  }
  logs_.give_up_handles();
  lock_.reset();
  // On a full disk there is no checkpoint, but everything is in the journal: the next open replays
  // it.
  if (!done && done.error().code() != ErrorCode::store_full) return std::move(done).error();
  return {};
}

/// The last steps in journal/. On a full disk there is no checkpoint: the journal is made durable
/// as it is, and what was laid out ahead goes back to the disk.
Result<void> FsStore::leave_journal(bool is_full) {
  const std::lock_guard lock(commit_mutex_);
  if (is_full) {
    auto done = journal_->sync();
    if (done) done = journal_->cut_filler();
    if (!done) return done;
  }
  // A store without its reserve is closed all the same; the next open tries again.
  auto whole = reserve_.replenish();
  if (!whole && whole.error().code() == ErrorCode::store_failed) return whole;
  return {};
}

std::optional<StoreHealth> FsStore::health() const {
  StoreHealth health;
  auto space = file_system_->space();
  if (space) health.free_bytes = space->free_bytes;
  health.recovered = recovered_;
  const std::lock_guard lock(state_mutex_);
  health.durable_lsn = durable_lsn_;
  health.checkpoint_lsn = checkpoint_lsn_;
  health.journal_bytes = journal_bytes_;
  if (logs_full_ || journal_full_ || checkpoint_full_) {
    health.state = StoreHealth::Condition::full;
    health.detail = full_detail_;
  }
  if (failure_) {
    health.state = StoreHealth::Condition::failed;
    health.detail = failure_->message();
  }
  return health;
}

}  // namespace worker_runtime::fs_store
