// Checkpoints: the order of the steps and its reasons stand in fs_store.h.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "checked_line.h"
#include "fs_store.h"
#include "layout.h"
#include "posix_trace.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

Result<Lsn> FsStore::run_checkpoint(Occasion occasion) {
  auto lsn = write_what_changed(occasion);
  if (!lsn && lsn.error().code() == ErrorCode::store_failed) return lsn;
  // Also where what comes behind runtime.json has failed: the records count then.
  auto renewed = write_due_views(occasion == Occasion::due ? views_at_a_time_ : due_views_.size());
  if (!lsn) return checkpoint_failed(std::move(lsn).error());
  if (!renewed) return checkpoint_failed(std::move(renewed).error());
  views_are_held_up_ = false;
  // It has extended the logs too.
  set_full(logs_full_, false, {});
  set_full(checkpoint_full_, false, {});
  diagnostics_->clear("store.checkpoint_failed");
  return lsn;
}

Result<Lsn> FsStore::write_what_changed(Occasion occasion) {
  const auto begun = std::chrono::steady_clock::now();
  // What deleted Workers held is room, and the checkpoint may need it.
  auto removed = remove_deleted();
  if (!removed) return std::move(removed).error();
  auto input = begin_checkpoint(occasion);
  if (!input) return std::move(input).error();
  if (!*input) {
    const std::lock_guard lock(state_mutex_);
    return checkpoint_lsn_;
  }
  const Lsn lsn = (*input)->record.lsn;
  trace_checkpoint_begin(lsn.value);
  auto written = write_checkpoint(**input);
  trace_checkpoint_end(lsn.value, written.has_value());
  if (!written) {
    const std::lock_guard lock(commit_mutex_);
    changes_.put_back(std::move((*input)->changes));
  }
  if (!written) return std::move(written).error();
  {
    const std::lock_guard lock(state_mutex_);
    checkpoint_lsn_ = lsn;
    journal_bytes_ = journal_->bytes();
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begun);
  diagnostics_->tell(LogLevel::debug, "checkpoint at LSN " + std::to_string(lsn.value) + " in " +
                                          std::to_string(took.count()) + " ms");
  return lsn;
}

/// What is committed is durable then: with Durability::sync it is anyway.
Result<void> FsStore::make_durable() {
  if (options_.durability == Durability::sync) return {};
  const std::lock_guard lock(commit_mutex_);
  auto synced = journal_->sync();
  return synced ? synced : fail(synced.error());
}

/// What a deleted Worker held is gone for good with its directory. With Durability::interval or
/// none its deletion may be undone by a power cut until then: it is made durable before.
Result<void> FsStore::remove_deleted() {
  std::vector<WorkerId> deleted = logs_.take_deleted();
  if (deleted.empty()) return {};
  auto durable = make_durable();
  return durable ? logs_.remove(std::move(deleted)) : durable;
}

/// A crash may leave half of a redacted line and half of the old one: the journal must have it.
/// With Durability::interval or none that takes a sync.
Result<void> FsStore::overwrite_redacted(std::uint64_t generation) {
  if (!logs_.has_redacted()) return {};
  auto durable = make_durable();
  return durable ? logs_.overwrite_redacted(generation) : durable;
}

/// The journal keeps what no checkpoint stands for: one that fails is made up for by the next.
Error FsStore::checkpoint_failed(Error cause) {
  if (cause.code() == ErrorCode::store_failed) return cause;
  {
    const std::lock_guard lock(state_mutex_);
    changed_since_ = std::chrono::steady_clock::now();
  }
  cause = full_as_such(std::move(cause));
  if (cause.code() == ErrorCode::store_full) {
    set_full(checkpoint_full_, true, cause.message());
  } else {
    diagnostics_->raise_once(system_clock()(), Severity::error, "store.checkpoint_failed",
                             cause.message());
  }
  return cause;
}

/// Fixes the LSN. None: there is nothing to write.
Result<std::optional<FsStore::CheckpointInput>> FsStore::begin_checkpoint(Occasion occasion) {
  const std::lock_guard lock(commit_mutex_);
  std::uint64_t diagnostics_before = 0;
  {
    const std::lock_guard state_lock(state_mutex_);
    diagnostics_before = diagnostics_at_checkpoint_;
  }
  const bool nothing_new = changes_.empty() && diagnostics_->total() == diagnostics_before;
  if (nothing_new) {
    if (occasion == Occasion::close) {
      auto cut = journal_->cut_filler();
      if (!cut) return fail(cut.error());
    }
    const std::lock_guard state_lock(state_mutex_);
    changed_since_.reset();
    return std::optional<CheckpointInput>();
  }
  // Commits behind C go to a segment of their own, so that everything up to C can be let go as
  // whole files.
  auto rotated = journal_->rotate(occasion == Occasion::close ? LayOut::header_only : LayOut::now);
  raise_put_back(journal_->take_put_back());
  if (!rotated) {
    if (is_refusal(rotated.error())) return std::move(rotated).error();
    return fail(rotated.error());
  }
  CheckpointInput input{record_, std::exchange(changes_, {}), logs_.begin_generation()};
  const std::lock_guard state_lock(state_mutex_);
  changed_since_.reset();
  removal_is_waiting_ = false;
  return std::optional(std::move(input));
}

Result<void> FsStore::write_checkpoint(CheckpointInput& input) {
  auto done = remove_deleted();
  if (done) done = logs_.extend(input.generation);
  if (!done) {
    if (is_full(done.error()))
      set_full(logs_full_, true, "the disk is full: " + done.error().message());
    return done;
  }
  done = overwrite_redacted(input.generation);
  if (done) done = logs_.sync();
  raise_troubles();  // here, so that this checkpoint stores what it met
  if (!done) return done;
  input.events = logs_.events();
  auto updates = catalog_updates(input.changes);
  if (!updates) return std::move(updates).error();
  // Nothing of a deleted Worker may stay in a live file: the catalog is written anew without it.
  auto position = catalog_.update(*updates, input.record.lsn, runtime_id_,
                                  input.changes.has_deletions || catalog_needs_rewrite_);
  raise_put_back(catalog_.take_put_back());
  if (!position) return std::move(position).error();
  done = write_new_views(*updates, input.changes);
  if (done) done = write_runtime_json(input);
  if (!done) return done;
  catalog_needs_rewrite_ = false;
  done = catalog_.remove_old();
  if (done) done = journal_->drop_below(input.record.lsn);
  if (done) done = remove_trimmed(input);
  add_due_views(*std::move(updates), input.changes);
  const std::lock_guard lock(creates_mutex_);
  for (const auto& [worker_id, record] : input.changes.workers) {
    if (!record.create.empty()) creates_.erase(worker_id);
  }
  return done;
}

/// The records that say what is trimmed are in force: before that, a power cut would bring back
/// some that miss what is removed here.
Result<void> FsStore::remove_trimmed(const CheckpointInput& input) {
  auto done = logs_.remove_trimmed(nullptr, input.record.first_event_id.value);
  for (const auto& [worker_id, record] : input.changes.workers) {
    if (!done) return done;
    if (record.worker && record.worker->record.first_sequence.value > 1)
      done = logs_.remove_trimmed(&worker_id, record.worker->record.first_sequence.value);
  }
  return done;
}

Result<std::vector<CatalogUpdate>> FsStore::catalog_updates(const ChangeSet& changes) {
  std::vector<CatalogUpdate> updates;
  updates.reserve(changes.workers.size());
  for (const auto& [worker_id, record] : changes.workers) {
    auto update = record_update(worker_id, record);
    if (!update) return std::move(update).error();
    if (*update) updates.push_back(std::move(**update));
  }
  // In the order of the commits: a catalog can be read as a history.
  std::sort(updates.begin(), updates.end(),
            [](const CatalogUpdate& left, const CatalogUpdate& right) {
              return line_number(left.line, "lsn") < line_number(right.line, "lsn");
            });
  return updates;
}

Result<std::optional<CatalogUpdate>> FsStore::record_update(const WorkerId& worker_id,
                                                            const ChangedRecord& record) {
  CatalogUpdate update{worker_id, {}, !record.worker};
  std::string object;
  if (!record.worker) {
    if (record.tombstone) {
      encode(object, *record.tombstone, runtime_id_);
      append_checked_line(update.line, object);
    }
    return std::optional(std::move(update));
  }
  auto line = next_record(catalog_, *record.worker, logs_.transcript(worker_id), record.create);
  if (!line) return std::move(line).error();
  encode(object, *line, runtime_id_);
  append_checked_line(update.line, object);
  return std::optional(std::move(update));
}

Result<void> FsStore::write_runtime_json(const CheckpointInput& input) {
  RuntimeSnapshot snapshot;
  snapshot.record = input.record;
  snapshot.epoch = epoch_;
  snapshot.created_at = created_at_;
  snapshot.catalog = catalog_.position();
  snapshot.events = input.events;
  snapshot.diagnostics = diagnostics_->snapshot();
  snapshot.diagnostics_total = diagnostics_->total();
  snapshot.unknown = unknown_;
  std::string object;
  encode(object, snapshot);
  auto replaced = write_snapshot(*file_system_, std::string(layout::runtime_json), object);
  if (!replaced) return replaced;
  const std::lock_guard lock(state_mutex_);
  diagnostics_at_checkpoint_ = snapshot.diagnostics_total;
  return {};
}

}  // namespace worker_runtime::fs_store
