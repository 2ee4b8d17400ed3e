// Applying changes: the one code that planning, committing and recovery share. See state.h.
#include <algorithm>
#include <utility>

#include "counters.h"
#include "state.h"

namespace worker_runtime {
namespace {

/// A group touches few Workers as a rule: so many are looked through without an index.
constexpr std::size_t unindexed_max = 8;

Error misfit(std::string message) { return {ErrorCode::store_corrupt, std::move(message)}; }

/// A copy of the Worker with what every change of it changes.
std::shared_ptr<WorkerState> changed_copy(const WorkerState& worker, const Event& event, Lsn lsn) {
  auto copy = std::make_shared<WorkerState>(worker);
  copy->record.updated_at = event.at;
  copy->record.last_event_id = event.id;
  copy->record.lsn = lsn;
  return copy;
}

std::uint64_t& count_of(RuntimeRecord& runtime, WorkerStatus status) {
  switch (status) {
    case WorkerStatus::stopped:
      return runtime.stopped_workers;
    case WorkerStatus::cancelled:
      return runtime.cancelled_workers;
    default:
      return runtime.running_workers;
  }
}

}  // namespace

// ---- looking

const ChangedWorker* Head::find_touched(const WorkerId& worker_id) const {
  if (touched_.size() <= unindexed_max) {
    const auto found =
        std::find_if(touched_.begin(), touched_.end(),
                     [&](const ChangedWorker& changed) { return changed.worker_id == worker_id; });
    return found == touched_.end() ? nullptr : &*found;
  }
  const auto found = touched_index_.find(worker_id);
  return found == touched_index_.end() ? nullptr : &touched_[found->second];
}

const WorkerState* Head::find(const WorkerId& worker_id) const {
  if (const ChangedWorker* const touched = find_touched(worker_id)) return touched->worker.get();
  const auto found = base_.workers.find(worker_id);
  return found == base_.workers.end() ? nullptr : found->second.get();
}

bool Head::is_taken(const WorkerId& worker_id) const {
  if (find_touched(worker_id) != nullptr || base_.workers.contains(worker_id) ||
      base_.tombstones.contains(worker_id)) {
    return true;
  }
  const auto number = generated_worker_number(worker_id);
  return number && *number > 0 && *number < runtime_.next_worker;
}

std::optional<CreateKeyTarget> Head::find_create_key(const std::string& key) const {
  std::optional<CreateKeyTarget> target;
  if (const auto found = create_keys_.find(key); found != create_keys_.end()) {
    target = found->second;
  } else if (const auto known = base_.create_keys.find(key); known != base_.create_keys.end()) {
    target = known->second;
  }
  if (target) target->deleted = find(target->worker_id) == nullptr;
  return target;
}

const KeyedEntry* Head::find_entry_key(const WorkerId& worker_id, const std::string& key) const {
  if (keyed_.empty()) return nullptr;
  const auto found = newest_keyed_.find({worker_id, key});
  return found == newest_keyed_.end() ? nullptr : &keyed_[found->second].second;
}

bool Head::is_redacted(const WorkerId& worker_id, Sequence sequence) const {
  return std::any_of(redacted_.begin(), redacted_.end(), [&](const auto& redacted) {
    return redacted.first == worker_id && redacted.second == sequence;
  });
}

std::vector<WorkerId> Head::running() const {
  std::vector<WorkerId> ids;
  for (const WorkerId* const worker_id : base_.order) {
    if (find_touched(*worker_id) != nullptr) continue;
    if (base_.workers.at(*worker_id)->record.status == WorkerStatus::running)
      ids.push_back(*worker_id);
  }
  for (const ChangedWorker& touched : touched_) {
    if (touched.worker && touched.worker->record.status == WorkerStatus::running)
      ids.push_back(touched.worker_id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void Head::expand(const Change& change, Expansion& expansion) const {
  if (change.trim || change.redaction) return;
  if (change.event.kind == EventKind::runtime_stopped && change.stopped_workers > 0) {
    const std::vector<WorkerId> ids = running();
    Event event = change.event;
    event.kind = EventKind::worker_stopped;
    event.message = "worker stopped";
    event.id = EventId{change.event.id.value - ids.size()};
    for (const WorkerId& worker_id : ids) {
      event.worker_ref = WorkerRef{runtime_.runtime_id, worker_id};
      expansion.events.push_back({&expansion.made.emplace_back(event), {}});
      ++event.id.value;
    }
  }
  ExpandedEvent& last = expansion.events.emplace_back();
  last.event = &change.event;
  if (change.entry) last.entries = {&*change.entry, 1};
  if (change.history) last.entries = *change.history;
}

// ---- changing

/// What must hold for a change of whatever kind.
Result<void> Head::check(const Change& change) const {
  const Event& event = change.event;
  if (event.id.value != runtime_.last_event_id.value + change.stopped_workers + 1) {
    return misfit("event " + std::to_string(event.id.value) + " does not follow event " +
                  std::to_string(runtime_.last_event_id.value));
  }
  if (change.stopped_workers > 0 && event.kind != EventKind::runtime_stopped)
    return misfit("event " + std::to_string(event.id.value) + " stands for others");
  if (event.at < runtime_.last_at)
    return misfit("event " + std::to_string(event.id.value) + " goes back in time");
  if (event.worker_ref && event.worker_ref->runtime_id != runtime_.runtime_id) {
    return misfit("event " + std::to_string(event.id.value) + " belongs to another runtime");
  }
  return {};
}

Result<void> Head::apply(const Change& change, Lsn lsn) {
  if (change.trim) return trim(*change.trim, lsn);
  if (change.redaction) return redact(*change.redaction);
  auto done = check(change);
  if (!done) return done;
  const Event& event = change.event;
  switch (event.kind) {
    case EventKind::runtime_started:
      runtime_.status = RuntimeStatus::running;
      break;
    case EventKind::runtime_stopped:
      done = stop_all(change, lsn);
      break;
    case EventKind::worker_created:
      done = create(change, lsn);
      break;
    case EventKind::worker_input_accepted:
    case EventKind::worker_output_appended:
      done = append(change, lsn);
      break;
    case EventKind::worker_stopped:
    case EventKind::worker_cancelled:
      done = end(change, lsn);
      break;
    case EventKind::worker_deleted:
      done = remove(change, lsn);
      break;
    case EventKind::unknown:
      return misfit("an event of unknown kind cannot be applied");
  }
  if (!done) return done;
  runtime_.last_event_id = event.id;
  runtime_.last_at = event.at;
  return {};
}

Result<void> Head::create(const Change& change, Lsn lsn) {
  if (!change.create || !change.event.worker_ref) return misfit("a created worker has no request");
  const CreateRequest& request = *change.create;
  const WorkerId& worker_id = change.event.worker_ref->worker_id;
  if (is_taken(worker_id)) return misfit("worker " + worker_id.text() + " was created twice");
  if (request.worker_id && *request.worker_id != worker_id) {
    return misfit("worker " + worker_id.text() + " was asked for as " + request.worker_id->text());
  }
  auto worker = std::make_shared<WorkerState>();
  WorkerRecord& record = worker->record;
  record.worker_id = worker_id;
  record.display_name = request.display_name;
  record.created_at = record.updated_at = change.event.at;
  record.last_event_id = change.event.id;
  record.lsn = lsn;
  record.create_key = request.idempotency_key;
  if (request.idempotency_key) {
    worker->create_digest = digest_of(request);
    keep_create_key(*request.idempotency_key, {worker_id, *worker->create_digest, false});
  }
  if (!request.worker_id) {
    const auto number = generated_worker_number(worker_id);
    if (!number) return misfit("worker " + worker_id.text() + " has an id that was not generated");
    runtime_.next_worker = *number + 1;
  }
  if (change.history) {
    auto begun = begin_with(*change.history, change.event, record);
    if (!begun) return begun;
  }
  ++runtime_.running_workers;
  put({worker_id, std::move(worker), std::nullopt});
  return {};
}

/// The entries that a Worker begins with. All are of its worker_created event.
Result<void> Head::begin_with(const std::vector<TranscriptEntry>& history, const Event& event,
                              WorkerRecord& record) {
  for (const TranscriptEntry& entry : history) {
    if (entry.worker_ref != *event.worker_ref || entry.event_id != event.id || !entry.copied ||
        entry.sequence != record.last_sequence.next()) {
      return misfit("entry " + std::to_string(entry.sequence.value) + " does not follow entry " +
                    std::to_string(record.last_sequence.value) + " in the history of worker " +
                    record.worker_id.text());
    }
    add(record, entry, is_input(entry.role));
  }
  return {};
}

/// Counts an entry that has its place, and keeps its key.
void Head::add(WorkerRecord& record, const TranscriptEntry& entry, bool input) {
  record.last_sequence = entry.sequence;
  count(record.usage, entry, input);
  count(runtime_.usage, entry, input);
  ++runtime_.transcript_entries;
  if (entry.idempotency_key) keep_entry_key(record.worker_id, entry);
}

Result<void> Head::append(const Change& change, Lsn lsn) {
  if (!change.entry || !change.event.worker_ref) return misfit("an input or output has no entry");
  const TranscriptEntry& entry = *change.entry;
  const WorkerId& worker_id = entry.worker_ref.worker_id;
  const WorkerState* const worker = find(worker_id);
  if (!worker || entry.worker_ref != *change.event.worker_ref) {
    return misfit("there is no worker " + worker_id.text() + " for entry " +
                  std::to_string(entry.sequence.value));
  }
  if (entry.sequence != worker->record.last_sequence.next() || entry.event_id != change.event.id ||
      entry.sequence != change.event.sequence) {
    return misfit("entry " + std::to_string(entry.sequence.value) + " of worker " +
                  worker_id.text() + " does not follow entry " +
                  std::to_string(worker->record.last_sequence.value));
  }
  if (worker->record.status != WorkerStatus::running) {
    return misfit("entry " + std::to_string(entry.sequence.value) + " of worker " +
                  worker_id.text() + " comes after its end");
  }
  auto copy = changed_copy(*worker, change.event, lsn);
  add(copy->record, entry, change.event.kind == EventKind::worker_input_accepted);
  put({worker_id, std::move(copy), std::nullopt});
  return {};
}

Result<void> Head::end(const Change& change, Lsn lsn) {
  const WorkerState* const worker =
      change.event.worker_ref ? find(change.event.worker_ref->worker_id) : nullptr;
  if (!worker || worker->record.status != WorkerStatus::running) {
    return misfit("event " + std::to_string(change.event.id.value) +
                  " ends a worker that does not run");
  }
  auto copy = changed_copy(*worker, change.event, lsn);
  copy->record.status = change.event.kind == EventKind::worker_stopped ? WorkerStatus::stopped
                                                                       : WorkerStatus::cancelled;
  --runtime_.running_workers;
  ++count_of(runtime_, copy->record.status);
  const WorkerId worker_id = copy->record.worker_id;
  put({worker_id, std::move(copy), std::nullopt});
  return {};
}

Result<void> Head::remove(const Change& change, Lsn lsn) {
  const WorkerState* const worker =
      change.event.worker_ref ? find(change.event.worker_ref->worker_id) : nullptr;
  if (!worker || worker->record.status == WorkerStatus::running) {
    return misfit("event " + std::to_string(change.event.id.value) +
                  " deletes a worker that can't be deleted");
  }
  const WorkerRecord& record = worker->record;
  --count_of(runtime_, record.status);
  ChangedWorker deleted{record.worker_id, nullptr, std::nullopt};
  const auto number = generated_worker_number(record.worker_id);
  const bool counter_remembers = number && *number > 0 && *number < runtime_.next_worker;
  if (!counter_remembers || record.create_key) {
    deleted.tombstone = Tombstone{record.worker_id, std::nullopt, lsn};
    if (record.create_key)
      deleted.tombstone->create_key = CreateKey{*record.create_key, *worker->create_digest};
  }
  put(std::move(deleted));
  return {};
}

Result<void> Head::stop_all(const Change& change, Lsn lsn) {
  const std::vector<WorkerId> ids = running();
  if (ids.size() != change.stopped_workers) {
    return misfit("the runtime stops " + std::to_string(change.stopped_workers) + " workers, but " +
                  std::to_string(ids.size()) + " run");
  }
  Event event = change.event;
  event.id = EventId{change.event.id.value - ids.size()};
  for (const WorkerId& worker_id : ids) {
    auto copy = changed_copy(*find(worker_id), event, lsn);
    copy->record.status = WorkerStatus::stopped;
    put({worker_id, std::move(copy), std::nullopt});
    ++event.id.value;
  }
  runtime_.running_workers -= ids.size();
  runtime_.stopped_workers += ids.size();
  runtime_.status = RuntimeStatus::stopped;
  return {};
}

Result<void> Head::trim(const Trim& trim, Lsn lsn) {
  const auto fits = [&](std::uint64_t first, std::uint64_t last) {
    return trim.first_kept > first && trim.first_kept <= last + 1;
  };
  if (!trim.worker_id) {
    if (!fits(runtime_.first_event_id.value, runtime_.last_event_id.value))
      return misfit("events are trimmed to " + std::to_string(trim.first_kept));
    runtime_.first_event_id = EventId{trim.first_kept};
    return {};
  }
  const WorkerState* const worker = find(*trim.worker_id);
  if (!worker || !fits(worker->record.first_sequence.value, worker->record.last_sequence.value)) {
    return misfit("the transcript of worker " + trim.worker_id->text() + " is trimmed to " +
                  std::to_string(trim.first_kept));
  }
  auto copy = std::make_shared<WorkerState>(*worker);
  copy->record.first_sequence = Sequence{trim.first_kept};
  copy->record.lsn = lsn;
  put({*trim.worker_id, std::move(copy), std::nullopt});
  return {};
}

/// No record tells what an entry says: none changes.
Result<void> Head::redact(const TranscriptEntry& entry) {
  const WorkerId& worker_id = entry.worker_ref.worker_id;
  const WorkerState* const worker = find(worker_id);
  const bool fits = worker != nullptr && entry.worker_ref.runtime_id == runtime_.runtime_id &&
                    entry.sequence >= worker->record.first_sequence &&
                    entry.sequence <= worker->record.last_sequence && entry.redacted > 0;
  if (!fits) {
    return misfit("entry " + std::to_string(entry.sequence.value) + " of worker " +
                  worker_id.text() + " is redacted");
  }
  redacted_.emplace_back(worker_id, entry.sequence);
  return {};
}

void Head::put(ChangedWorker changed) {
  if (const ChangedWorker* const known = find_touched(changed.worker_id)) {
    const auto at = static_cast<std::size_t>(known - touched_.data());
    if (in_unit_) undo_.push_back([this, at, before = *known] { touched_[at] = before; });
    touched_[at] = std::move(changed);
    return;
  }
  if (in_unit_) {
    undo_.push_back([this] {
      touched_index_.erase(touched_.back().worker_id);
      touched_.pop_back();
    });
  }
  touched_.push_back(std::move(changed));
  if (touched_.size() <= unindexed_max) return;
  // The index covers all or nothing: whoever falls back to few and grows again fills the gap.
  for (std::size_t at = touched_index_.size(); at < touched_.size(); ++at)
    touched_index_.emplace(touched_[at].worker_id, at);
}

void Head::keep_create_key(const std::string& key, const CreateKeyTarget& target) {
  create_keys_.insert_or_assign(key, target);
  if (in_unit_) undo_.push_back([this, key] { create_keys_.erase(key); });
}

void Head::keep_entry_key(const WorkerId& worker_id, const TranscriptEntry& entry) {
  EntryKey key{worker_id, *entry.idempotency_key};
  const auto [place, is_new] = newest_keyed_.try_emplace(key, 0);
  if (in_unit_) {
    undo_.push_back([this, key = std::move(key), is_new = is_new, before = place->second] {
      if (is_new) {
        newest_keyed_.erase(key);
      } else {
        newest_keyed_[key] = before;
      }
    });
  }
  place->second = keyed_.size();
  keyed_.emplace_back(worker_id, keyed_entry(entry));
}

// ---- units and groups

void Head::reset() {
  runtime_ = base_.runtime;
  touched_.clear();
  // Clearing an empty table costs its size.
  if (!touched_index_.empty()) touched_index_.clear();
  if (!create_keys_.empty()) create_keys_.clear();
  if (!newest_keyed_.empty()) newest_keyed_.clear();
  keyed_.clear();
  redacted_.clear();
}

void Head::begin_unit() {
  in_unit_ = true;
  runtime_before_ = runtime_;
  keyed_before_ = keyed_.size();
  redacted_before_ = redacted_.size();
}

void Head::roll_back() {
  for (; !undo_.empty(); undo_.pop_back()) undo_.back()();
  runtime_ = *std::move(runtime_before_);
  keyed_.erase(keyed_.begin() + static_cast<std::ptrdiff_t>(keyed_before_), keyed_.end());
  redacted_.resize(redacted_before_);
  end_unit();
}

void Head::end_unit() {
  in_unit_ = false;
  undo_.clear();
}

std::vector<WorkerId> Head::deleted() const {
  std::vector<WorkerId> deleted;
  for (const ChangedWorker& touched : touched_) {
    if (!touched.worker) deleted.push_back(touched.worker_id);
  }
  return deleted;
}

void Head::merge_into(StateImplementation& state) {
  state.runtime = std::move(runtime_);
  for (ChangedWorker& touched : touched_) {
    if (touched.worker) {
      state.put(std::move(touched.worker));
    } else if (touched.tombstone) {
      state.put(std::move(*touched.tombstone));
    } else {
      state.remove(touched.worker_id);
    }
  }
}

}  // namespace worker_runtime
