// The worker.json views that a checkpoint renews: steps 5 and 8 in fs_store.h.
#include <utility>

#include "fs_store.h"
#include "layout.h"
#include "view_survey.h"

namespace worker_runtime::fs_store {
namespace {

/// Views written before it is seen to that commits need not wait.
constexpr std::size_t views_between_looks = 64;

}  // namespace

/// Of new Workers: a Worker of the catalog has a directory, which is durable before the record
/// counts.
Result<void> FsStore::write_new_views(std::span<const CatalogUpdate> updates,
                                      const ChangeSet& changes) {
  bool made_directories = false;
  std::size_t count = 0;
  for (const CatalogUpdate& update : updates) {
    if (update.tombstone || changes.workers.at(update.worker_id).create.empty()) continue;
    auto made = renew_view(update.worker_id, update.line);
    if (!made) return std::move(made).error();
    made_directories = made_directories || *made;
    if (++count % views_between_looks == 0) keep_up();
  }
  return end_views(made_directories);
}

/// Of the others. A Worker that changes again before its view is written has it written once.
void FsStore::add_due_views(std::vector<CatalogUpdate> updates, const ChangeSet& changes) {
  for (CatalogUpdate& update : updates) {
    if (update.tombstone || !changes.workers.at(update.worker_id).create.empty()) {
      due_views_.erase(update.worker_id);
    } else {
      due_views_[std::move(update.worker_id)] = std::move(update.line);
    }
  }
}

/// Some of those that are due. What fails stays due.
Result<void> FsStore::write_due_views(std::size_t count) {
  drop_deleted_views();
  bool made_directories = false;
  for (; count > 0 && !due_views_.empty(); --count) {
    const auto next = due_views_.begin();
    auto made = renew_view(next->first, next->second);
    if (!made) return std::move(made).error();
    made_directories = made_directories || *made;
    due_views_.erase(next);
    if (count % views_between_looks == 0) keep_up();
  }
  return end_views(made_directories);
}

/// Where nobody waits for it. What could not be written is tried again by the next checkpoint.
void FsStore::renew_some_views() {
  if (due_views_.empty() || views_are_held_up_ || failure()) return;
  auto done = write_due_views(views_at_a_time_);
  if (done) return;
  views_are_held_up_ = true;
  const Error cause = checkpoint_failed(std::move(done).error());
  if (cause.code() == ErrorCode::store_failed) static_cast<void>(fail(cause));
}

/// Whether that made the Worker's directory.
Result<bool> FsStore::renew_view(const WorkerId& worker_id, std::string_view line) {
  if (unfinished_views_.erase(worker_id) > 0) sweep_views(*file_system_, worker_id);
  auto written = write_view(*file_system_, worker_id, line);
  if (written) return written;
  auto kind = file_system_->kind(layout::worker_directory(worker_id));
  const bool has_no_directory = kind && *kind && **kind != EntryKind::directory;
  if (!has_no_directory) return written;
  // Somebody put a file or a link in its place. A view is derived: this one holds up nothing but
  // itself.
  diagnostics_->raise_once(system_clock()(), Severity::warning, "worker.view_not_written",
                           written.error().message(), WorkerRef{runtime_id_, worker_id});
  return false;
}

/// Of Workers that were deleted since the last checkpoint, whose directories are gone.
void FsStore::drop_deleted_views() {
  const std::lock_guard lock(commit_mutex_);
  if (!changes_.has_deletions) return;
  for (const auto& [worker_id, record] : changes_.workers) {
    if (!record.worker) due_views_.erase(worker_id);
  }
}

bool FsStore::is_deleted(const WorkerId& worker_id) const {
  const std::lock_guard lock(commit_mutex_);
  const auto found = changes_.workers.find(worker_id);
  return found != changes_.workers.end() && !found->second.worker;
}

Result<void> FsStore::end_views(bool made_directories) {
  if (made_directories) {
    auto synced = sync_worker_directories(*file_system_);
    if (!synced) return synced;
  }
  // A Worker that was deleted meanwhile may have had its directory removed before its view was
  // written, which made it again: it is removed once more.
  const std::lock_guard lock(commit_mutex_);
  if (!changes_.has_deletions) return {};
  for (const auto& [worker_id, record] : changes_.workers) {
    if (!record.worker) logs_.forget(worker_id);
  }
  return {};
}

/// Commits wait once too much waits for the logs: these are extended before it comes to that.
void FsStore::keep_up() {
  if (logs_.pending_bytes() < pending_bytes_max / 2) return;
  extend_logs();
  const std::lock_guard lock(state_mutex_);
  progress_.notify_all();
}

}  // namespace worker_runtime::fs_store
