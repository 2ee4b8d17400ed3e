// The background thread of the store: extends the readable files, lays out journal space, runs
// checkpoints.
#include <algorithm>
#include <utility>

#include "fs_store.h"

namespace worker_runtime::fs_store {
namespace {

/// A delete is followed by a checkpoint that takes the last of the Worker out of every live file.
/// One that found no space is tried again after the same time.
constexpr std::chrono::milliseconds soon{1000};
/// While the disk is full, room is looked for this often.
constexpr std::chrono::milliseconds full_retry{200};
/// Views looked at between two other pieces of work.
constexpr std::size_t survey_records = 64;
constexpr std::chrono::milliseconds survey_pause{20};

}  // namespace

void FsStore::wake_background() {
  const std::lock_guard lock(state_mutex_);
  // One wake a round: while a round is due already, a commit costs no system call here.
  if (work_is_waiting_) return;
  work_is_waiting_ = true;
  wake_.notify_one();
}

void FsStore::stop_background() {
  if (!background_.joinable()) return;
  background_.request_stop();
  background_.join();
}

void FsStore::background(const std::stop_token& stop) {
  std::unique_lock lock(state_mutex_);
  while (!stop.stop_requested()) {
    const auto asked = [this] { return checkpoints_asked_ > checkpoints_done_; };
    const auto awake = [&] { return work_is_waiting_ || asked(); };
    if (logs_full_ || journal_full_ || logs_trouble_) {
      wake_.wait_for(lock, stop, full_retry, asked);
    } else if (const auto due = next_due()) {
      wake_.wait_until(lock, stop, *due, awake);
    } else {
      wake_.wait(lock, stop, awake);
    }
    if (stop.stop_requested()) return;
    // Let a few commits gather, so that a file is appended to once for all of them.
    const auto hurried = [&] { return asked() || logs_are_behind_; };
    if (work_is_waiting_ && !hurried()) {
      // The first commit behind a sync may come meanwhile: its own sync ends the gathering sooner.
      const bool was_synced = !unsynced_since_;
      wake_.wait_until(lock, stop, gathering_ends(),
                       [&] { return hurried() || (was_synced && unsynced_since_); });
      if (was_synced && unsynced_since_) wake_.wait_until(lock, stop, gathering_ends(), hurried);
    }
    if (stop.stop_requested()) return;
    if (failure_) {
      wake_.wait(lock, stop, [] { return false; });
      return;
    }
    background_round(lock);
  }
}

/// How long commits may gather for a round: until a sync is due at most.
std::chrono::steady_clock::time_point FsStore::gathering_ends() const {
  const auto extension = std::chrono::steady_clock::now() + options_.extend_interval;
  return unsynced_since_ ? std::min(extension, *unsynced_since_ + options_.sync_interval)
                         : extension;
}

/// When there is something to do even if nobody wakes this thread.
std::optional<std::chrono::steady_clock::time_point> FsStore::next_due() const {
  if (!due_views_.empty() && !views_are_held_up_) return std::chrono::steady_clock::now();
  if (!survey_.done()) return std::chrono::steady_clock::now() + survey_pause;
  std::optional<std::chrono::steady_clock::time_point> due;
  if (changed_since_) {
    const bool hurry = removal_is_waiting_ || checkpoint_full_;
    due = *changed_since_ +
          (hurry ? std::min(soon, options_.checkpoint_interval) : options_.checkpoint_interval);
  }
  if (unsynced_since_) {
    const auto sync_due = *unsynced_since_ + options_.sync_interval;
    due = due ? std::min(*due, sync_due) : sync_due;
  }
  return due;
}

void FsStore::background_round(std::unique_lock<std::mutex>& lock) {
  work_is_waiting_ = false;
  const std::uint64_t asked = checkpoints_asked_;
  journal_bytes_ = journal_->bytes();
  const bool is_asked = asked > checkpoints_done_;
  const bool checkpoint_now = is_asked || checkpoint_is_due();
  lock.unlock();
  if (checkpoint_now) {
    auto done = run_checkpoint(is_asked ? Occasion::asked : Occasion::due);
    if (!done && done.error().code() == ErrorCode::store_failed) done = fail(done.error());
    lock.lock();
    checkpoints_done_ = std::max(checkpoints_done_, asked);
    last_checkpoint_ = std::move(done);
    lock.unlock();
  } else {
    extend_logs();
    renew_some_views();
  }
  lay_out();
  if (!survey_.done() && due_views_.empty() && !failure()) {
    Decoder decoder;
    auto renewed =
        survey_.step(*file_system_, decoder, catalog_, survey_records,
                     [this](const WorkerId& worker_id) { return is_deleted(worker_id); });
    if (renewed) {
      for (const ViewSurvey::Renewed& view : *renewed) {
        if (view.was_behind) continue;
        diagnostics_->raise(system_clock()(), Severity::warning, "worker.view_renewed",
                            "worker.json was made anew from the catalog: " + view.cause,
                            WorkerRef{runtime_id_, view.worker_id});
      }
    }
  }
  raise_troubles();
  lock.lock();
  progress_.notify_all();
}

bool FsStore::checkpoint_is_due() const {
  if (!changed_since_) return false;
  const auto waited = std::chrono::steady_clock::now() - *changed_since_;
  return waited >= options_.checkpoint_interval ||
         ((removal_is_waiting_ || checkpoint_full_) && waited >= soon) ||
         journal_bytes_ >= options_.checkpoint_bytes;
}

void FsStore::extend_logs() {
  auto done = remove_deleted();
  if (done) done = logs_.extend();
  {
    const std::lock_guard lock(state_mutex_);
    const bool is_trouble = !done && !is_full(done.error());
    logs_trouble_ = is_trouble ? std::optional(done.error()) : std::nullopt;
  }
  if (done) {
    set_full(logs_full_, false, {});
    diagnostics_->clear("store.log_not_extended");
  } else if (is_full(done.error())) {
    set_full(logs_full_, true, "the disk is full: " + done.error().message());
  } else if (done.error().code() == ErrorCode::store_failed) {
    static_cast<void>(fail(done.error()));
  } else {
    diagnostics_->raise_once(system_clock()(), Severity::error, "store.log_not_extended",
                             done.error().message());
  }
}

/// Durability::interval: syncs what has waited for long enough. False if the store failed.
bool FsStore::sync_at_interval() {
  const std::lock_guard lock(commit_mutex_);
  {
    const std::lock_guard state_lock(state_mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!unsynced_since_ || now < *unsynced_since_ + options_.sync_interval) return true;
    unsynced_since_.reset();
  }
  auto synced = journal_->sync();
  if (!synced) static_cast<void>(fail(synced.error()));
  return synced.has_value();
}

void FsStore::lay_out() {
  if (failure()) return;
  if (!sync_at_interval()) return;
  auto done = journal_->lay_out_ahead(journal_full_ ? LayOut::now : LayOut::when_needed);
  const std::uint64_t bytes = journal_->bytes();
  {
    const std::lock_guard lock(state_mutex_);
    journal_bytes_ = bytes;
  }
  if (done) {
    set_full(journal_full_, false, {});
    // Without a reserve everything else goes on: it is tried again.
    auto whole = reserve_.replenish();
    if (!whole && whole.error().code() == ErrorCode::store_failed)
      static_cast<void>(fail(whole.error()));
  } else if (done.error().code() == ErrorCode::store_failed) {
    static_cast<void>(fail(done.error()));
  } else if (done.error().code() == ErrorCode::store_full) {
    set_full(journal_full_, true, done.error().message());
  }
}

void FsStore::set_full(bool& which, bool full, const std::string& detail) {
  const std::lock_guard lock(state_mutex_);
  which = full;
  if (full) {
    full_detail_ = detail;
    diagnostics_->raise_once(system_clock()(), Severity::error, "store.full", detail);
    wake_.notify_one();
  } else if (!logs_full_ && !journal_full_ && !checkpoint_full_) {
    diagnostics_->clear("store.full");
  }
}

void FsStore::raise_put_back(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    diagnostics_->raise(system_clock()(), Severity::warning, "store.put_back",
                        path +
                            " was replaced or taken away while this process wrote it. It is "
                            "there again as it was written; what stood there is in "
                            "quarantine/");
  }
}

void FsStore::raise_troubles() {
  raise_put_back(logs_.take_put_back());
  for (const LogTrouble& trouble : logs_.take_troubles()) {
    // Whatever was found good before is looked at again.
    ++logs_troubles_;
    diagnostics_->raise_once(system_clock()(), Severity::error, "worker.damaged", trouble.cause,
                             WorkerRef{runtime_id_, trouble.worker_id});
  }
}

}  // namespace worker_runtime::fs_store
