// The leader's work: one group from planning to answers.
#include <algorithm>
#include <cassert>
#include <utility>

#include "runtime_implementation.h"
#include "validate.h"

namespace worker_runtime {
namespace {

constexpr std::int64_t clock_behind_tolerated = 1'000'000;  // microseconds

/// A failure here means that planning and applying disagree: going on would record something that
/// can't be recovered.
void require(const Result<void>& applied) {
  if (!applied) std::abort();
}

}  // namespace

void Runtime::Implementation::execute_group(const std::vector<Submission*>& group) {
  Head head(state_.implementation());
  bool any_commit = false;
  for (Submission* const submission : group) {
    if (submission->error) continue;
    if (submission->is_batch) {
      execute_batch(*submission, head);
    } else {
      execute_one(*submission, head);
    }
    any_commit = any_commit || submission->has_commit;
  }
  if (any_commit) {
    // The one sync of the group, with no lock held that a reader needs.
    auto synced = store_->sync(head.runtime(), head.changed());
    if (!synced) {
      if (synced.error().code() == ErrorCode::store_failed) failure_ = synced.error();
      // A refusal or a replay in this group may rest on a commit that is not durable now: it is not
      // told.
      for (Submission* const submission : group) submission->error = synced.error();
      return;
    }
  }
  publish(head, group);
}

Timestamp Runtime::Implementation::event_time(const Head& head) {
  const Timestamp now = clock_();
  const Timestamp last = head.runtime().last_at;
  if (now.microseconds + clock_behind_tolerated < last.microseconds) {
    diagnostics_->raise_once(
        last, Severity::warning, "clock.behind",
        "the clock is behind the last event: " + to_string(now) + ", not " + to_string(last));
  } else if (now >= last) {
    diagnostics_->clear("clock.behind");
  }
  return std::max(now, last);
}

Result<const KeyedEntry*> Runtime::Implementation::find_keyed_entry(const Head& head,
                                                                    const Mutation& operation) {
  const std::string* const key = entry_key_of(operation);
  const WorkerRef* const worker_ref = worker_of(operation);
  const KeyedEntry* none = nullptr;
  if (key == nullptr || worker_ref->runtime_id != head.runtime().runtime_id) return none;
  const WorkerPointer worker = head.find(worker_ref->worker_id);
  if (!worker) return none;
  const Sequence last = worker->record.last_sequence;
  if (const KeyedEntry* const entry = head.find_entry_key(worker_ref->worker_id, *key))
    return entry;
  const WorkerPointer durable = state_.find(worker_ref->worker_id);
  return key_windows_.find(*store_, worker_ref->worker_id, *key,
                           durable ? durable->record.last_sequence : Sequence{}, last);
}

/// The cause if the Worker of an entry is damaged: known before, or found now.
Result<std::optional<std::string>> Runtime::Implementation::find_damage(const Head& head,
                                                                        const Mutation& operation) {
  const bool is_entry = std::holds_alternative<SendInput>(operation) ||
                        std::holds_alternative<AppendOutput>(operation);
  const WorkerRef* const worker_ref = worker_of(operation);
  if (!is_entry || worker_ref->runtime_id != head.runtime().runtime_id)
    return std::optional<std::string>();
  const WorkerId& worker_id = worker_ref->worker_id;
  if (!head.find(worker_id)) return std::optional<std::string>();
  {
    const std::shared_lock lock(state_mutex_);
    if (const auto known = damaged_.find(worker_id); known != damaged_.end())
      return std::optional(known->second);
  }
  auto damage = store_->check_worker(worker_id);
  if (!damage) return std::optional<std::string>();
  if (damage->code() != ErrorCode::store_corrupt) return *std::move(damage);
  mark_damaged(worker_id, damage->message());
  return std::optional(damage->message());
}

Result<Step> Runtime::Implementation::plan_operation(const Head& head, Mutation& operation) {
  if (failure_) return *failure_;
  PlanContext context;
  context.at = event_time(head);
  auto damage = find_damage(head, operation);
  if (!damage) return std::move(damage).error();
  if (*damage) context.damage = &**damage;
  auto known = find_keyed_entry(head, operation);
  if (!known) {
    if (known.error().code() != ErrorCode::store_corrupt) return std::move(known).error();
    // Whether the key was used can't be told any more: the entry must not be doubled.
    const WorkerId& worker_id = worker_of(operation)->worker_id;
    mark_damaged(worker_id, known.error().message());
    return Error(ErrorCode::worker_damaged,
                 "worker " + worker_id.text() + " is damaged: " + known.error().message());
  }
  context.known_entry = *known;
  return plan(head, operation, context);
}

void Runtime::Implementation::take_answer(Submission& submission, Step& step) {
  if (step.replayed_create) {
    submission.replayed_creates.emplace_back(submission.answers.size(), *step.replayed_create);
  }
  if (step.change && step.change->create) submission.created.push_back(submission.answers.size());
  submission.answers.push_back(std::move(step.answer));
}

Result<void> Runtime::Implementation::append(const Commit& commit,
                                             const std::vector<ExpandedEvent>& events,
                                             Submission& submission) {
  auto appended = store_->append(commit, events, state_.runtime().limits);
  if (!appended && appended.error().code() == ErrorCode::store_failed) failure_ = appended.error();
  submission.has_commit = appended.has_value();
  return appended;
}

void Runtime::Implementation::execute_one(Submission& submission, Head& head) {
  auto step = plan_operation(head, submission.operations.front());
  if (!step) {
    submission.error = std::move(step).error();
    return;
  }
  take_answer(submission, *step);
  if (!step->change) return;
  Commit commit{head.runtime().lsn.next(), {}};
  commit.changes.push_back(std::move(*step->change));
  std::vector<ExpandedEvent> events;
  head.expand(commit.changes.front(), events);
  auto appended = append(commit, events, submission);
  if (!appended) {
    submission.error = std::move(appended).error();
    return;
  }
  require(head.apply(commit.changes.front(), commit.lsn));
  head.set_lsn(commit.lsn);
}

void Runtime::Implementation::execute_batch(Submission& submission, Head& head) {
  Commit commit{head.runtime().lsn.next(), {}};
  commit.changes.reserve(submission.operations.size());  // the events point into it
  std::vector<ExpandedEvent> events;
  head.begin_unit();
  for (std::size_t index = 0; index < submission.operations.size(); ++index) {
    Mutation& operation = submission.operations[index];
    auto valid = validate(operation, state_.runtime().limits);
    auto step = valid ? plan_operation(head, operation) : Result<Step>(std::move(valid).error());
    if (!step) {
      submission.error = std::move(step).error().set_index(index);
      head.roll_back();
      return;
    }
    take_answer(submission, *step);
    if (!step->change) continue;
    const Change& change = commit.changes.emplace_back(std::move(*step->change));
    head.expand(change, events);
    require(head.apply(change, commit.lsn));
  }
  if (!commit.changes.empty()) {
    auto appended = append(commit, events, submission);
    if (!appended) {
      submission.error = std::move(appended).error();
      head.roll_back();
      return;
    }
    head.set_lsn(commit.lsn);
  }
  head.end_unit();
}

void Runtime::Implementation::raise_create_diagnostics(const WorkerDetail& detail) {
  if (!detail.request->config_bundle) {
    diagnostics_->raise(detail.summary.created_at, Severity::info,
                        "runtime.local_default_resources",
                        "no config bundle was given: the runtime's own resources are used",
                        detail.summary.worker_ref);
  }
  if (detail.request->requested_capabilities.empty()) {
    diagnostics_->raise(detail.summary.created_at, Severity::info, "worker.tools_less",
                        "no capability was requested: the worker has no tools",
                        detail.summary.worker_ref);
  }
}

/// The group is durable: now it is shown.
void Runtime::Implementation::publish(Head& head, const std::vector<Submission*>& group) {
  const std::uint64_t last_event = head.runtime().last_event_id.value;
  for (const auto& [worker_id, entry] : head.keyed_entries()) key_windows_.add(worker_id, entry);
  std::vector<WorkerId> deleted;
  for (const ChangedWorker& changed : head.changed()) {
    if (!changed.worker) deleted.push_back(changed.worker_id);
  }
  {
    const std::unique_lock lock(state_mutex_);
    head.merge_into(state_.implementation());
    for (const WorkerId& worker_id : deleted) damaged_.erase(worker_id);
  }
  for (const WorkerId& worker_id : deleted) {
    key_windows_.forget(worker_id);
    diagnostics_->clear("worker.damaged", WorkerRef{state_.runtime().runtime_id, worker_id});
  }
  last_event_ = last_event;
  if (waiters_ > 0) {
    const std::lock_guard lock(wait_mutex_);
    events_arrived_.notify_all();
  }
  for (Submission* const submission : group) {
    if (submission->error) continue;
    for (const std::size_t index : submission->created) {
      raise_create_diagnostics(std::get<WorkerDetail>(submission->answers[index]));
    }
    for (const auto& [index, worker_id] : submission->replayed_creates) {
      const WorkerPointer worker = state_.find(worker_id);
      if (worker) {
        submission->answers[index] = make_detail(*worker);
      } else {
        submission->error =
            Error(ErrorCode::worker_not_found, "there is no worker " + worker_id.text());
      }
    }
  }
}

}  // namespace worker_runtime
