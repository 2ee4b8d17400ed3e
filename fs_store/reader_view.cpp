// What a reader without the lock holds of a store: see reader_view.h.
#include "reader_view.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "layout.h"

namespace worker_runtime::fs_store {
namespace {

bool same_mark(const std::optional<DurableMark>& left, const std::optional<DurableMark>& right) {
  if (!left || !right) return !left && !right;
  return left->lsn == right->lsn && left->epoch == right->epoch && left->writer == right->writer;
}

}  // namespace

View::View(FileSystem& file_system, const RuntimeId& runtime_id)
    : file_system_(file_system),
      runtime_id_(runtime_id),
      logs_(file_system, UINT64_MAX),
      catalog_(file_system) {}

bool may_pass(const Error& error) {
  return error.code() == ErrorCode::store_io || error.code() == ErrorCode::store_corrupt;
}

Result<std::shared_ptr<View>> View::load(FileSystem& file_system, const RuntimeId& runtime_id) {
  constexpr int attempts_max = 10;
  for (int attempt = 1;; ++attempt) {
    std::shared_ptr<View> view(new View(file_system, runtime_id));
    auto loaded = view->load();
    if (loaded) return view;
    if (!may_pass(loaded.error()) || attempt == attempts_max) return std::move(loaded).error();
    // tidy-allow(sleep): a few milliseconds, until the writer has made its next step
    std::this_thread::sleep_for(std::chrono::milliseconds(attempt));
  }
}

LoadLimits View::limits() const {
  LoadLimits limits;
  const bool writer_failed = mark_ && mark_->writer == DurableMark::Writer::failed;
  if (mark_ && (live_ || writer_failed)) limits.last_lsn = mark_->lsn;
  if (mark_ && mark_->durability == Durability::sync) limits.proof = mark_->lsn;
  limits.proven_alone = live_;
  return limits;
}

Result<void> View::load() {
  const std::string lock(layout::lock);
  live_ = file_system_.is_announced(lock);
  mark_ = read_durable_mark(file_system_);
  const LoadLimits limits = this->limits();
  if (!limits.last_lsn && !live_) {
    auto synced = sync_journal();
    if (!synced) return synced;
  }
  Decoder decoder;
  auto loaded = fs_store::load(file_system_, decoder, runtime_id_, limits, catalog_, logs_);
  if (!loaded) return std::move(loaded).error();
  if (!live_ && file_system_.is_announced(lock)) {
    // A writer opened meanwhile: some of what was read may be its own, and not durable yet.
    return Error(ErrorCode::store_io, "a writer opened the store while it was read");
  }
  if (mark_) durability_ = mark_->durability;
  epoch_ = std::max(loaded->snapshot.epoch, loaded->journal.epoch);
  // A writer's own segment may hold no record yet.
  if (live_ && mark_) epoch_ = std::max(epoch_, mark_->epoch);
  diagnostics_ = std::make_unique<DiagnosticLog>(loaded->snapshot.record.limits.diagnostics_kept);
  diagnostics_->restore(loaded->snapshot.diagnostics, loaded->snapshot.diagnostics_total);
  const JournalScan& journal = loaded->journal;
  oldest_segment_ = journal.segments.front().first_lsn;
  place_ = {journal.segments.back().first_lsn, journal.segments.back().bytes, journal.bytes,
            journal.end};
  loaded_.emplace(*std::move(loaded));
  return {};
}

/// Only the last segment can hold records that are not durable yet.
Result<void> View::sync_journal() {
  auto entries = file_system_.list(std::string(layout::journal));
  if (!entries) return std::move(entries).error();
  std::string last;
  for (const DirectoryEntry& entry : *entries) {
    if (layout::parse_segment(entry.name)) last = entry.name;
  }
  if (last.empty()) return {};
  auto file = file_system_.open(std::string(layout::journal) + "/" + last, OpenMode::read);
  if (!file) return std::move(file).error();
  return (*file)->sync();
}

bool View::has_its_segments() const {
  auto kind = file_system_.kind(layout::segment(oldest_segment_));
  return kind && *kind;
}

Result<View::Standing> View::advance() {
  const bool live = file_system_.is_announced(std::string(layout::lock));
  const auto mark = read_durable_mark(file_system_);
  if (!live) {
    const bool same = !live_ && same_mark(mark, mark_) && has_its_segments();
    return same ? Standing::current : Standing::lost;
  }
  if (!mark) return Standing::lost;
  if (!live_) {
    // A writer whose mark found no space. What is shown was synced, so there is no going back to
    // the older one.
    return same_mark(mark, mark_) ? Standing::current : Standing::lost;
  }
  if (mark->epoch != epoch_ || !has_its_segments()) return Standing::lost;
  return follow(mark->lsn);
}

Result<View::Standing> View::follow(Lsn last) {
  if (last < place_.end.last_lsn) return Standing::lost;
  if (last == place_.end.last_lsn) return Standing::current;
  Decoder decoder;
  const TailLimits limits{runtime_id_, epoch_, last};
  auto followed =
      follow_journal(file_system_, decoder, limits, place_, [&](const DecodedRecord& record) {
        const std::lock_guard lock(mutex_);
        ++loaded_->journal.records;
        return replay(record, runtime_id_, logs_, *loaded_);
      });
  if (!followed) {
    // A commit that does not fit is judged by the load.
    if (followed.error().code() == ErrorCode::store_corrupt) return Standing::lost;
    return std::move(followed).error();
  }
  if (*followed == Followed::lost) return Standing::lost;
  const std::lock_guard lock(mutex_);
  loaded_->changes.runtime_changed = true;
  loaded_->journal.bytes = place_.bytes;
  return Standing::current;
}

}  // namespace worker_runtime::fs_store
