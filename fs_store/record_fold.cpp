// Bringing salvaged records up to date with the logs: see record_fold.h.
#include "record_fold.h"

#include <algorithm>
#include <utility>

namespace worker_runtime::fs_store {
namespace {

bool makes_entry(EventKind kind) {
  return kind == EventKind::worker_input_accepted || kind == EventKind::worker_output_appended;
}

void add(Counters& counters, const std::string& name, std::uint64_t value) {
  const auto place = std::lower_bound(
      counters.begin(), counters.end(), name,
      [](const Counter& counter, const std::string& wanted) { return counter.name < wanted; });
  if (place != counters.end() && place->name == name) {
    place->value = std::min(counter_max, place->value + value);
  } else {
    counters.insert(place, {name, value});
  }
}

}  // namespace

void RecordFold::begin(const Salvage& salvage) {
  if (std::exchange(has_begun_, true)) return;
  runtime_end_ = salvage.snapshot.record.last_event_id;
}

void RecordFold::take_entry(const Salvage& salvage, const TranscriptEntry& entry) {
  const auto worker = salvage.workers.find(entry.worker_ref.worker_id);
  // Only those that no record stands for: few, unless the record is lost.
  if (worker != salvage.workers.end() &&
      entry.sequence <= worker->second.record.record.last_sequence) {
    return;
  }
  Counted& counted = entries_[{entry.worker_ref.worker_id, entry.sequence.value}];
  counted.content_bytes = content_bytes(entry);
  if (entry.copied) counted.copied_by = entry.event_id;
  counted.is_input = is_input(entry.role);
  for (const Counter& counter : entry.usage) counted.counters[counter.name] = counter.value;
}

void RecordFold::take_event(Salvage& salvage, const Event& event) {
  begin(salvage);
  RuntimeRecord& runtime = salvage.snapshot.record;
  if (event.id > runtime_end_) count(runtime, event);
  if (event.kind == EventKind::runtime_stopped) stop_all(salvage, event);
  if (!event.worker_ref) return;
  const WorkerId& worker_id = event.worker_ref->worker_id;
  if (salvage.tombstones.contains(worker_id)) return;
  auto known = salvage.workers.find(worker_id);
  if (event.kind == EventKind::worker_deleted) {
    if (known != salvage.workers.end() && known->second.record.record.last_event_id < event.id)
      remove(salvage, worker_id);
    return;
  }
  if (known == salvage.workers.end()) {
    // A store that loads knows all Workers up to its end.
    if (salvage.is_whole && event.id <= runtime_end_) return;
    SalvagedWorker made;
    made.record.record.worker_id = worker_id;
    made.record.record.created_at = event.at;
    made.record.record.lsn = salvage.last_lsn;
    known = salvage.workers.emplace(worker_id, std::move(made)).first;
    made_.insert(worker_id);
  }
  if (event.id > known->second.record.record.last_event_id) change(salvage, known->second, event);
}

void RecordFold::count(RuntimeRecord& runtime, const Event& event) {
  runtime.last_event_id = event.id;
  runtime.last_at = event.at;
  if (event.kind == EventKind::runtime_started) runtime.status = RuntimeStatus::running;
  if (event.kind == EventKind::runtime_stopped) runtime.status = RuntimeStatus::stopped;
  if (makes_entry(event.kind)) ++runtime.transcript_entries;
  if (event.kind == EventKind::worker_input_accepted) ++runtime.usage.inputs;
  if (event.kind == EventKind::worker_output_appended) ++runtime.usage.outputs;
  if (event.kind == EventKind::worker_created && event.worker_ref) {
    const auto number = generated_worker_number(event.worker_ref->worker_id);
    if (number) runtime.next_worker = std::max(runtime.next_worker, *number + 1);
  }
  runtime.transcript_entries += count_copied(runtime.usage, event).value;
  if (!event.worker_ref || !event.sequence) return;
  const auto entry = entries_.find({event.worker_ref->worker_id, event.sequence->value});
  if (entry != entries_.end()) count(runtime.usage, entry->second);
}

void RecordFold::count(Usage& usage, const Counted& entry) {
  usage.content_bytes += entry.content_bytes;
  for (const auto& [name, value] : entry.counters) add(usage.counters, name, value);
}

Sequence RecordFold::count_copied(Usage& usage, const Event& event) const {
  Sequence last;
  if (event.kind != EventKind::worker_created || !event.worker_ref) return last;
  const WorkerId& worker_id = event.worker_ref->worker_id;
  for (auto entry = entries_.lower_bound({worker_id, 1});
       entry != entries_.end() && entry->first.first == worker_id &&
       entry->second.copied_by == event.id;
       ++entry) {
    ++(entry->second.is_input ? usage.inputs : usage.outputs);
    count(usage, entry->second);
    last = Sequence{entry->first.second};
  }
  return last;
}

void RecordFold::change(Salvage& salvage, SalvagedWorker& worker, const Event& event) {
  WorkerRecord& record = worker.record.record;
  record.last_event_id = event.id;
  record.updated_at = event.at;
  record.lsn = salvage.last_lsn;
  if (event.kind == EventKind::worker_stopped) record.status = WorkerStatus::stopped;
  if (event.kind == EventKind::worker_cancelled) record.status = WorkerStatus::cancelled;
  record.last_sequence = std::max(record.last_sequence, count_copied(record.usage, event));
  if (!makes_entry(event.kind) || !event.sequence) return;
  record.last_sequence = std::max(record.last_sequence, *event.sequence);
  if (event.kind == EventKind::worker_input_accepted) ++record.usage.inputs;
  if (event.kind == EventKind::worker_output_appended) ++record.usage.outputs;
  const auto entry = entries_.find({record.worker_id, event.sequence->value});
  if (entry != entries_.end()) count(record.usage, entry->second);
}

void RecordFold::stop_all(Salvage& salvage, const Event& event) {
  const auto compact = salvage.compact_stops.find(event.id.value);
  if (compact == salvage.compact_stops.end()) return;
  std::vector<SalvagedWorker*> running;
  for (auto& [worker_id, worker] : salvage.workers) {
    const WorkerRecord& record = worker.record.record;
    if (record.status == WorkerStatus::running && record.last_event_id < event.id)
      running.push_back(&worker);
  }
  if (running.size() != compact->second || running.size() >= event.id.value) return;
  std::uint64_t id = event.id.value - running.size();
  for (SalvagedWorker* const worker : running) {
    Event stopped;
    stopped.id = EventId{id++};
    stopped.at = event.at;
    stopped.worker_ref =
        WorkerRef{salvage.snapshot.record.runtime_id, worker->record.record.worker_id};
    stopped.kind = EventKind::worker_stopped;
    stopped.message = "worker stopped";
    change(salvage, *worker, stopped);
    expanded_.push_back(std::move(stopped));
  }
}

void RecordFold::remove(Salvage& salvage, const WorkerId& worker_id) {
  const WorkerRecord& record = salvage.workers.at(worker_id).record.record;
  const auto digest = salvage.workers.at(worker_id).record.create_digest;
  if (record.create_key || !generated_worker_number(worker_id)) {
    Tombstone tombstone{worker_id, std::nullopt, salvage.last_lsn};
    if (record.create_key && digest) tombstone.create_key = CreateKey{*record.create_key, *digest};
    salvage.tombstones.insert_or_assign(worker_id, std::move(tombstone));
  }
  salvage.workers.erase(worker_id);
}

bool RecordFold::finish(const Salvage& salvage, SalvagedWorker& worker, Decoder& decoder) {
  WorkerRecord& record = worker.record.record;
  const auto create = salvage.creates.find(record.worker_id);
  if (create != salvage.creates.end()) {
    auto request = decoder.create_request(create->second);
    if (request) {
      worker.record.create = create->second;
      record.display_name = request->display_name;
      record.create_key = request->idempotency_key;
      if (request->idempotency_key) worker.record.create_digest = digest_of(*request);
      return true;
    }
  }
  CreateRequest lost;
  lost.intent = TaskIntent{"[the create request was damaged and could not be restored]"};
  encode(worker.record.create, lost);
  return false;
}

}  // namespace worker_runtime::fs_store
