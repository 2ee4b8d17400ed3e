// Planning: see plan.h. The order of the checks in each function is part of the contract.
#include "plan.h"

#include <algorithm>
#include <utility>

#include "counters.h"
#include "worker_runtime/reads.h"

namespace worker_runtime {
namespace {

Error not_found(const WorkerId& worker_id) {
  return {ErrorCode::worker_not_found, "there is no worker " + worker_id.text()};
}

Error stopped() { return {ErrorCode::runtime_stopped, "the runtime is stopped"}; }

/// What a plan_one() works on.
struct Planning {
  const Head& head;
  const PlanContext& context;
  std::vector<Change>& changes;

  /// A new change, with its event. To be asked for when nothing can be refused any more.
  [[nodiscard]] Change& change(EventKind kind, std::string message) const {
    Change& made = changes.emplace_back();
    made.event.id = head.runtime().last_event_id.next();
    made.event.at = context.at;
    made.event.kind = kind;
    made.event.message = std::move(message);
    return made;
  }
};

Result<const WorkerRecord*> existing(const Planning& planning, const WorkerRef& worker_ref) {
  const RuntimeId& runtime_id = planning.head.runtime().runtime_id;
  if (worker_ref.runtime_id != runtime_id) {
    return Error(ErrorCode::wrong_runtime,
                 "worker " + worker_ref.worker_id.text() + " belongs to runtime " +
                     worker_ref.runtime_id.text() + ", not to " + runtime_id.text());
  }
  if (planning.context.worker == nullptr) return not_found(worker_ref.worker_id);
  return &planning.context.worker->record;
}

// ---- create

/// The answer to a create request whose key was used: as it was, with the Worker as it is now. The
/// request is the same as the first, else it would be a conflict.
Result<Answer> replay_create(const Head& head, CreateRequest& request,
                             const CreateKeyTarget& known) {
  if (known.digest != digest_of(request)) {
    return Error(ErrorCode::idempotency_conflict,
                 "the idempotency key was used for another create request, of worker " +
                     known.worker_id.text());
  }
  const WorkerState* const worker = head.find(known.worker_id);
  if (worker == nullptr) return not_found(known.worker_id);
  WorkerDetail detail;
  detail.summary = summarize(*worker, head.runtime().runtime_id, {});
  detail.request = std::move(request);
  return Answer(std::move(detail));
}

Result<WorkerId> choose_id(const Head& head, const CreateRequest& request) {
  if (request.worker_id) {
    if (!head.is_taken(*request.worker_id)) return *request.worker_id;
    return Error(ErrorCode::worker_exists,
                 "the id " + request.worker_id->text() + " is taken or was used before");
  }
  std::uint64_t number = head.runtime().next_worker;
  WorkerId worker_id = generated_worker_id(number);
  while (head.is_taken(worker_id)) worker_id = generated_worker_id(++number);
  return worker_id;
}

/// Makes the entries those of the Worker that begins with them.
void begin_with(const Change& change, std::vector<TranscriptEntry>& history,
                WorkerSummary& summary) {
  for (TranscriptEntry& entry : history) {
    entry.sequence = Sequence{++summary.transcript_len};
    entry.worker_ref = *change.event.worker_ref;
    entry.event_id = change.event.id;
    entry.copied = true;
    count(summary.usage, entry, is_input(entry.role));
  }
}

/// With the entries of an imported Worker; null: of a new one, which has none.
Result<Answer> create(const Planning& planning, CreateRequest& request,
                      std::vector<TranscriptEntry>* history) {
  const Head& head = planning.head;
  const RuntimeRecord& runtime = head.runtime();
  if (request.idempotency_key) {
    if (const auto known = head.find_create_key(*request.idempotency_key))
      return replay_create(head, request, *known);
  }
  if (runtime.status == RuntimeStatus::stopped) return stopped();
  auto worker_id = choose_id(head, request);
  if (!worker_id) return std::move(worker_id).error();
  if (runtime.live_workers() >= runtime.limits.live_workers) {
    return Error(
        ErrorCode::limit_exceeded, "there are as many workers as the limit allows",
        LimitFields{"live_workers", runtime.live_workers() + 1, runtime.limits.live_workers});
  }
  Change& change =
      planning.change(EventKind::worker_created, "worker " + worker_id->text() + " created");
  change.event.worker_ref = WorkerRef{runtime.runtime_id, *std::move(worker_id)};
  WorkerDetail detail;
  detail.summary.worker_ref = *change.event.worker_ref;
  detail.summary.display_name = request.display_name;
  detail.summary.last_event_id = change.event.id;
  detail.summary.created_at = detail.summary.updated_at = change.event.at;
  detail.request = request;
  change.create = std::move(request);
  if (history != nullptr) {
    begin_with(change, *history, detail.summary);
    change.history = std::move(*history);
  }
  return Answer(std::move(detail));
}

Result<Answer> plan_one(const Planning& planning, CreateRequest& request) {
  return create(planning, request, nullptr);
}

Result<Answer> plan_one(const Planning& planning, ImportWorker& request) {
  return create(planning, request.request, &request.entries);
}

// ---- entries

/// The sums that the counters of an entry come to.
Result<void> check_counters(const Head& head, const WorkerRecord& record,
                            const TranscriptEntry& entry) {
  std::size_t names = record.usage.counters.size();
  for (const Counter& counter : entry.usage) {
    const auto known =
        std::find_if(record.usage.counters.begin(), record.usage.counters.end(),
                     [&](const Counter& other) { return other.name == counter.name; });
    if (known == record.usage.counters.end()) {
      ++names;
    } else if (counter.value > counter_max - known->value) {
      return Error(ErrorCode::limit_exceeded, "counter " + counter.name + " would pass 2^53 - 1",
                   LimitFields{"counter_value", known->value + counter.value, counter_max});
    }
  }
  if (names > head.runtime().limits.named_counters) {
    return Error(ErrorCode::limit_exceeded,
                 "worker " + record.worker_id.text() + " has too many named counters",
                 LimitFields{"named_counters", names, head.runtime().limits.named_counters});
  }
  return {};
}

/// Checks from "wrong runtime" to "not running", for an entry that has all but its numbers.
Result<Answer> append(const Planning& planning, TranscriptEntry& entry, EventKind kind,
                      const char* message) {
  const auto& [head, context, changes] = planning;
  auto worker = existing(planning, entry.worker_ref);
  if (!worker) return std::move(worker).error();
  const WorkerRecord& record = **worker;
  if (const KeyedEntry* const known = context.known_entry) {
    const bool is_told = known->digest && !head.is_redacted(record.worker_id, known->sequence);
    if (is_told && *known->digest != digest_of(entry)) {
      return Error(ErrorCode::idempotency_conflict,
                   "the idempotency key was used for another entry: sequence " +
                       std::to_string(known->sequence.value));
    }
    return Answer(EntryAccepted{entry.worker_ref, record.status, known->sequence, known->event_id});
  }
  if (head.runtime().status == RuntimeStatus::stopped) return stopped();
  if (context.damage != nullptr) {
    return Error(ErrorCode::worker_damaged,
                 "worker " + record.worker_id.text() + " is damaged: " + *context.damage);
  }
  if (record.status != WorkerStatus::running) {
    return Error(ErrorCode::worker_not_running, "worker " + record.worker_id.text() + " is " +
                                                    std::string(to_string(record.status)));
  }
  auto counted = check_counters(head, record, entry);
  if (!counted) return std::move(counted).error();
  Change& change = planning.change(kind, message);
  change.event.worker_ref = entry.worker_ref;
  change.event.sequence = entry.sequence = record.last_sequence.next();
  entry.at = context.at;
  entry.event_id = change.event.id;
  EntryAccepted accepted{entry.worker_ref, record.status, entry.sequence, entry.event_id};
  change.entry = std::move(entry);
  return Answer(std::move(accepted));
}

Result<Answer> plan_one(const Planning& planning, SendInput& request) {
  TranscriptEntry entry;
  entry.worker_ref = std::move(request.worker_ref);
  entry.role = request.role == InputRole::user ? Role::user : Role::system;
  entry.content = std::move(request.content);
  entry.idempotency_key = std::move(request.idempotency_key);
  return append(planning, entry, EventKind::worker_input_accepted, "input accepted");
}

Result<Answer> plan_one(const Planning& planning, AppendOutput& request) {
  TranscriptEntry entry;
  entry.worker_ref = std::move(request.worker_ref);
  entry.role = request.role == OutputRole::assistant ? Role::assistant : Role::tool;
  entry.content = std::move(request.content);
  entry.name = std::move(request.name);
  entry.data = std::move(request.data);
  entry.usage = std::move(request.usage);
  entry.idempotency_key = std::move(request.idempotency_key);
  return append(planning, entry, EventKind::worker_output_appended, "output appended");
}

// ---- ends

Result<Answer> end(const Planning& planning, const WorkerRef& worker_ref, EventKind kind,
                   std::string message) {
  auto worker = existing(planning, worker_ref);
  if (!worker) return std::move(worker).error();
  if (planning.head.runtime().status == RuntimeStatus::stopped) return stopped();
  const WorkerRecord& record = **worker;
  if (record.status != WorkerStatus::running)
    return Answer(WorkerEnded{worker_ref, record.status, record.last_event_id});
  Change& change = planning.change(kind, std::move(message));
  change.event.worker_ref = worker_ref;
  const auto status =
      kind == EventKind::worker_stopped ? WorkerStatus::stopped : WorkerStatus::cancelled;
  return Answer(WorkerEnded{worker_ref, status, change.event.id});
}

Result<Answer> plan_one(const Planning& planning, StopWorker& request) {
  return end(planning, request.worker_ref, EventKind::worker_stopped,
             request.reason.value_or("worker stopped"));
}

Result<Answer> plan_one(const Planning& planning, CancelWorker& request) {
  return end(planning, request.worker_ref, EventKind::worker_cancelled,
             request.reason.value_or("worker cancelled"));
}

Result<Answer> plan_one(const Planning& planning, DeleteWorker& request) {
  auto worker = existing(planning, request.worker_ref);
  if (!worker) return std::move(worker).error();
  if (planning.head.runtime().status == RuntimeStatus::stopped) return stopped();
  const WorkerId& worker_id = request.worker_ref.worker_id;
  if ((*worker)->status == WorkerStatus::running) {
    return Error(ErrorCode::worker_active,
                 "worker " + worker_id.text() + " still runs: stop or cancel it first");
  }
  Change& change =
      planning.change(EventKind::worker_deleted, "worker " + worker_id.text() + " deleted");
  change.event.worker_ref = request.worker_ref;
  return Answer(WorkerDeleted{request.worker_ref, change.event.id});
}

// ---- trims

/// The first number that is kept of `first`..`last` once everything below `before` is gone.
Result<std::uint64_t> kept_from(std::uint64_t before, std::uint64_t first, std::uint64_t last) {
  if (before <= last + 1) return std::max(before, first);
  return Error(ErrorCode::cursor_ahead, std::to_string(before) + " is more than one past " +
                                            std::to_string(last) + ", the last");
}

Result<Answer> plan_one(const Planning& planning, TrimEvents& request) {
  const RuntimeRecord& runtime = planning.head.runtime();
  const std::uint64_t first = runtime.first_event_id.value;
  auto kept = kept_from(request.before.value, first, runtime.last_event_id.value);
  if (!kept) return std::move(kept).error();
  if (*kept > first) planning.changes.emplace_back().trim = Trim{std::nullopt, *kept};
  return Answer(EventsTrimmed{EventId{*kept}});
}

Result<Answer> plan_one(const Planning& planning, TrimTranscript& request) {
  auto worker = existing(planning, request.worker_ref);
  if (!worker) return std::move(worker).error();
  const WorkerRecord& record = **worker;
  const std::uint64_t first = record.first_sequence.value;
  auto kept = kept_from(request.before.value, first, record.last_sequence.value);
  if (!kept) return std::move(kept).error();
  if (*kept > first) planning.changes.emplace_back().trim = Trim{record.worker_id, *kept};
  return Answer(TranscriptTrimmed{std::move(request.worker_ref), Sequence{*kept}});
}

Result<Answer> plan_one(const Planning& planning, Redact& request) {
  auto worker = existing(planning, request.worker_ref);
  if (!worker) return std::move(worker).error();
  const WorkerRecord& record = **worker;
  auto kept =
      require_kept(record.worker_id, request.sequence, record.first_sequence, record.last_sequence);
  if (!kept) return std::move(kept).error();
  Redacted answer{std::move(request.worker_ref), request.sequence};
  TranscriptEntry& entry = *planning.context.redacted;
  if (entry.redacted > 0 || planning.head.is_redacted(record.worker_id, answer.sequence))
    return Answer(std::move(answer));
  redact(entry);
  planning.changes.emplace_back().redaction = std::move(entry);
  return Answer(std::move(answer));
}

// ---- the Runtime itself

Result<Answer> plan_one(const Planning& planning, StopRuntime&) {
  const RuntimeRecord& runtime = planning.head.runtime();
  if (runtime.status == RuntimeStatus::stopped)
    return Answer(RuntimeChanged{runtime.last_event_id});
  Change& change = planning.change(EventKind::runtime_stopped, "runtime stopped");
  change.stopped_workers = runtime.running_workers;
  change.event.id.value += change.stopped_workers;
  return Answer(RuntimeChanged{change.event.id});
}

Result<Answer> plan_one(const Planning& planning, StartRuntime&) {
  const RuntimeRecord& runtime = planning.head.runtime();
  if (runtime.status == RuntimeStatus::running && runtime.lsn.value > 0)
    return Answer(RuntimeChanged{runtime.last_event_id});
  return Answer(
      RuntimeChanged{planning.change(EventKind::runtime_started, "runtime started").event.id});
}

}  // namespace

Result<Answer> plan(const Head& head, Mutation& operation, const PlanContext& context,
                    std::vector<Change>& changes) {
  const Planning planning{head, context, changes};
  return std::visit([&](auto& request) { return plan_one(planning, request); }, operation);
}

Result<void> require_kept(const WorkerId& worker_id, Sequence sequence, Sequence first,
                          Sequence last) {
  if (sequence > last) {
    return Error(ErrorCode::cursor_ahead, "the transcript of worker " + worker_id.text() +
                                              " ends at " + std::to_string(last.value) +
                                              ", before " + std::to_string(sequence.value));
  }
  if (sequence < first) {
    return Error(ErrorCode::cursor_expired,
                 "entry " + std::to_string(sequence.value) + " of worker " + worker_id.text() +
                     " is trimmed",
                 CursorFields{first.value});
  }
  return {};
}

const WorkerRef* worker_of(const Mutation& operation) {
  return std::visit(
      [](const auto& request) -> const WorkerRef* {
        if constexpr (requires { request.worker_ref; }) return &request.worker_ref;
        return nullptr;
      },
      operation);
}

const std::string* entry_key_of(const Mutation& operation) {
  const std::optional<std::string>* key = nullptr;
  if (const auto* const input = std::get_if<SendInput>(&operation)) key = &input->idempotency_key;
  if (const auto* const output = std::get_if<AppendOutput>(&operation))
    key = &output->idempotency_key;
  return key != nullptr && *key ? &**key : nullptr;
}

}  // namespace worker_runtime
