// The leader's work: one group from planning to answers.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime_implementation.h"

namespace worker_runtime {
namespace {

constexpr std::int64_t clock_behind_tolerated = 1'000'000;  // microseconds

/// A failure here means that planning and applying disagree: going on would record something that
/// can't be recovered.
void require(const Result<void>& applied) {
  if (!applied) std::abort();
}

bool is_entry(const Mutation& operation) {
  return std::holds_alternative<SendInput>(operation) ||
         std::holds_alternative<AppendOutput>(operation);
}

bool is_damage(const Error& error) {
  return error.code() == ErrorCode::worker_damaged || error.code() == ErrorCode::store_corrupt;
}

}  // namespace

void Runtime::Implementation::execute_group() {
  head_.reset();
  sync_time_.reset();
  bool any_commit = false;
  for (Submission* const submission : group_) {
    if (submission->error) continue;
    if (failure_) {
      submission->error = failure_;
      continue;
    }
    submission->is_planned = true;
    if (submission->is_batch) {
      execute_batch(*submission);
    } else {
      execute_one(*submission);
    }
    any_commit = any_commit || submission->has_commit;
  }
  if (!any_commit) return;
  // The one sync of the group, with no lock held that a reader needs.
  const auto began = std::chrono::steady_clock::now();
  auto synced = store_->sync(head_.runtime(), head_.changed());
  if (synced) {
    sync_time_ = std::chrono::steady_clock::now() - began;
    publish();
    return;
  }
  if (synced.error().code() == ErrorCode::store_failed) failure_ = synced.error();
  // A refusal or a replay in this group may rest on a commit that is not durable now: it is not
  // told. What the request alone decided stays.
  for (Submission* const submission : group_) {
    if (submission->is_planned) submission->error = synced.error();
  }
}

// ---- one operation

Timestamp Runtime::Implementation::event_time() {
  const Timestamp time = now();
  const Timestamp last = head_.runtime().last_at;
  if (time.microseconds + clock_behind_tolerated < last.microseconds) {
    clock_is_behind_ = true;
    diagnostics_->raise_once(
        last, Severity::warning, "clock.behind",
        "the clock is behind the last event: " + to_string(time) + ", not " + to_string(last));
  } else if (clock_is_behind_ && time >= last) {
    clock_is_behind_ = false;
    diagnostics_->clear("clock.behind");
  }
  return std::max(time, last);
}

/// The Worker that the operation is about, if there is one.
const WorkerState* Runtime::Implementation::find_existing(const Mutation& operation) const {
  const WorkerRef* const worker_ref = worker_of(operation);
  if (worker_ref == nullptr || worker_ref->runtime_id != head_.runtime().runtime_id) return nullptr;
  return head_.find(worker_ref->worker_id);
}

/// The entry of the Worker that carries the key, if there is one.
Result<const KeyedEntry*> Runtime::Implementation::find_keyed_entry(const WorkerRecord& record,
                                                                    const std::string& key) {
  const KeyedEntry* const entry = head_.find_entry_key(record.worker_id, key);
  if (entry != nullptr) return entry->sequence >= first_keyed(record) ? entry : nullptr;
  const WorkerPointer durable = state_.find(record.worker_id);
  return key_windows_.find(*store_, record, key, durable ? &durable->record : nullptr);
}

/// The cause if the Worker is damaged, for an entry: known before, or found now.
Result<std::optional<std::string>> Runtime::Implementation::find_damage(
    const WorkerRecord& record) {
  std::optional<std::string> cause = damage_of(record.worker_id);
  // The files are looked at only where everything else lets the entry in.
  if (cause || record.status != WorkerStatus::running ||
      head_.runtime().status != RuntimeStatus::running) {
    return cause;
  }
  auto damage = store_->check_worker(record.worker_id);
  if (!damage) return cause;
  if (!is_damage(*damage)) return *std::move(damage);
  mark_damaged(record.worker_id, damage->message());
  return std::optional(damage->message());
}

/// What the operation changes comes behind the changes of `commit_`.
Result<Answer> Runtime::Implementation::plan_operation(Mutation& operation) {
  PlanContext context;
  context.at = event_time();
  context.worker = find_existing(operation);
  std::optional<std::string> cause;
  if (context.worker != nullptr && is_entry(operation)) {
    const WorkerRecord& record = context.worker->record;
    auto damage = find_damage(record);
    if (!damage) return std::move(damage).error();
    cause = *std::move(damage);
    if (cause) context.damage = &*cause;
    if (const std::string* const key = entry_key_of(operation)) {
      auto known = find_keyed_entry(record, *key);
      if (!known) return unreadable(record.worker_id, known.error());
      context.known_entry = *known;
    }
  }
  std::optional<TranscriptEntry> redacted;
  if (const auto* const request = std::get_if<Redact>(&operation);
      request != nullptr && context.worker != nullptr) {
    auto found = find_redacted(*request, context.worker->record);
    if (!found) return unreadable(context.worker->record.worker_id, found.error());
    redacted = *std::move(found);
    context.redacted = &*redacted;
  }
  auto answer = plan(head_, operation, context, commit_.changes);
  if (!answer) return answer;
  if (auto* const detail = std::get_if<WorkerDetail>(&*answer))
    detail->summary.damaged = damage_of(detail->summary.worker_ref.worker_id);
  return answer;
}

/// The entry that is to be redacted: of the batch that is being planned, or of the store. An empty
/// one if there is none: planning tells why.
Result<TranscriptEntry> Runtime::Implementation::find_redacted(const Redact& request,
                                                               const WorkerRecord& record) const {
  if (request.sequence < record.first_sequence || request.sequence > record.last_sequence)
    return TranscriptEntry();
  const auto is_it = [&](const TranscriptEntry& entry) {
    return entry.sequence == request.sequence && entry.worker_ref == request.worker_ref;
  };
  for (const Change& change : commit_.changes) {
    if (change.entry && is_it(*change.entry)) return *change.entry;
    if (!change.history) continue;
    const auto found = std::find_if(change.history->begin(), change.history->end(), is_it);
    if (found != change.history->end()) return *found;
  }
  return store_->read_entry(record.worker_id, request.sequence);
}

/// Whether a key was used can't be told, and an entry must not be doubled; or what is to be
/// redacted can't be read.
Error Runtime::Implementation::unreadable(const WorkerId& worker_id, const Error& cause) const {
  if (!is_damage(cause)) return cause;
  mark_damaged(worker_id, cause.message());
  return {ErrorCode::worker_damaged,
          "worker " + worker_id.text() + " is damaged: " + cause.message()};
}

/// Hands `commit_` to the store.
Result<void> Runtime::Implementation::append(Submission& submission) {
  auto appended = store_->append(commit_, expansion_.events, limits_);
  if (!appended && appended.error().code() == ErrorCode::store_failed) failure_ = appended.error();
  submission.has_commit = appended.has_value();
  return appended;
}

void Runtime::Implementation::begin_commit() {
  commit_.lsn = head_.runtime().lsn.next();
  commit_.changes.clear();
  expansion_.events.clear();
  expansion_.made.clear();
}

void Runtime::Implementation::execute_one(Submission& submission) {
  begin_commit();
  auto answer = plan_operation(submission.operation);
  if (!answer) {
    submission.error = std::move(answer).error();
    return;
  }
  submission.answer = *std::move(answer);
  if (commit_.changes.empty()) return;
  head_.expand(commit_.changes.front(), expansion_);
  auto appended = append(submission);
  if (!appended) {
    submission.error = std::move(appended).error();
    return;
  }
  require(head_.apply(commit_.changes.front(), commit_.lsn));
  head_.set_lsn(commit_.lsn);
}

// ---- a batch

/// Plans and applies one by one, so that later operations see earlier ones.
Result<void> Runtime::Implementation::plan_batch(Submission& submission) {
  for (std::size_t index = 0; index < submission.batch.size(); ++index) {
    if (submission.fault && submission.fault->first == index)
      return std::move(submission.fault->second);
    const std::size_t changes_before = commit_.changes.size();
    auto answer = plan_operation(submission.batch[index]);
    if (!answer) return std::move(answer).error().set_index(index);
    if (commit_.changes.size() > changes_before) {
      const Change& change = commit_.changes.back();
      if (change.create) submission.created.push_back(index);
      head_.expand(change, expansion_);
      require(head_.apply(change, commit_.lsn));
    }
    submission.answers.push_back(*std::move(answer));
  }
  if (commit_.changes.empty()) return {};
  return append(submission);
}

void Runtime::Implementation::execute_batch(Submission& submission) {
  begin_commit();
  commit_.changes.reserve(submission.batch.size());  // the events point into it
  head_.begin_unit();
  auto planned = plan_batch(submission);
  if (!planned) {
    submission.error = std::move(planned).error();
    head_.roll_back();
    return;
  }
  if (submission.has_commit) head_.set_lsn(commit_.lsn);
  head_.end_unit();
}

// ---- after the sync

void Runtime::Implementation::raise_create_diagnostics(const Answer& created) {
  const auto* const detail = std::get_if<WorkerDetail>(&created);
  if (detail == nullptr) return;
  if (!detail->request->config_bundle) {
    diagnostics_->raise(detail->summary.created_at, Severity::info,
                        "runtime.local_default_resources",
                        "no config bundle was given: the runtime's own resources are used",
                        detail->summary.worker_ref);
  }
  if (detail->request->requested_capabilities.empty()) {
    diagnostics_->raise(detail->summary.created_at, Severity::info, "worker.tools_less",
                        "no capability was requested: the worker has no tools",
                        detail->summary.worker_ref);
  }
}

/// The group is durable: now it is shown.
void Runtime::Implementation::publish() {
  const std::uint64_t last_event = head_.runtime().last_event_id.value;
  for (const auto& [worker_id, entry] : head_.keyed_entries()) key_windows_.add(worker_id, entry);
  // What their windows know of these is out of date: they are loaded again.
  for (const auto& [worker_id, sequence] : head_.redacted()) key_windows_.forget(worker_id);
  std::vector<WorkerId> deleted = head_.deleted();
  {
    const std::unique_lock lock(state_mutex_);
    head_.merge_into(state_.implementation());
    for (const WorkerId& worker_id : deleted) damaged_.erase(worker_id);
    damaged_count_ = damaged_.size();
  }
  for (const WorkerId& worker_id : deleted) {
    key_windows_.forget(worker_id);
    diagnostics_->clear("worker.damaged", WorkerRef{state_.runtime().runtime_id, worker_id});
  }
  last_event_ = last_event;
  if (waiters_ > 0) wake_event_waiters();
  for (const Submission* const submission : group_) {
    if (submission->error || !submission->has_commit) continue;
    if (submission->answer) raise_create_diagnostics(*submission->answer);
    for (const std::size_t index : submission->created)
      raise_create_diagnostics(submission->answers[index]);
  }
}

}  // namespace worker_runtime
