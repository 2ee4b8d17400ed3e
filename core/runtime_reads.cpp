// Reads of a Runtime: what is durable, without waiting for what is not.
#include <algorithm>
#include <utility>

#include "runtime_implementation.h"

namespace worker_runtime {

std::optional<Error> Runtime::Implementation::closed_error() const {
  if (!closed_) return std::nullopt;
  return Error(ErrorCode::closed, "the runtime is closed");
}

void Runtime::Implementation::mark_damaged(const WorkerId& worker_id,
                                           const std::string& cause) const {
  WorkerRef worker_ref;
  {
    const std::unique_lock lock(state_mutex_);
    if (!damaged_.emplace(worker_id, cause).second) return;
    worker_ref = {state_.runtime().runtime_id, worker_id};
  }
  diagnostics_->raise_once(clock_(), Severity::error, "worker.damaged", cause, worker_ref);
}

Result<WorkerPage> Runtime::Implementation::list_workers(const ListQuery& query) const {
  if (auto closed = closed_error()) return *std::move(closed);
  const std::shared_lock lock(state_mutex_);
  return worker_runtime::list_workers(state_, damaged_, query);
}

WorkerDetail Runtime::Implementation::make_detail(const WorkerState& worker) const {
  auto request = store_->read_create_request(worker.record.worker_id);
  if (!request && request.error().code() == ErrorCode::store_corrupt) {
    mark_damaged(worker.record.worker_id, request.error().message());
  }
  WorkerDetail detail;
  {
    const std::shared_lock lock(state_mutex_);
    detail.summary = summarize(worker, state_.runtime().runtime_id, damaged_);
  }
  if (request) detail.request = std::move(*request);
  return detail;
}

Result<WorkerDetail> Runtime::Implementation::worker_detail(const WorkerRef& worker_ref) const {
  if (auto closed = closed_error()) return *std::move(closed);
  WorkerPointer worker;
  {
    const std::shared_lock lock(state_mutex_);
    auto found = find_worker(state_, worker_ref);
    if (!found) return std::move(found).error();
    worker = std::move(*found);
  }
  WorkerDetail detail = make_detail(*worker);
  if (detail.request) return detail;
  // It may have been deleted between the two looks.
  const std::shared_lock lock(state_mutex_);
  auto found = find_worker(state_, worker_ref);
  if (!found) return std::move(found).error();
  return detail;
}

Result<RuntimeSummary> Runtime::Implementation::summary() const {
  if (auto closed = closed_error()) return *std::move(closed);
  RuntimeSummary summary;
  {
    const std::shared_lock lock(state_mutex_);
    summary = summarize(state_.runtime(), damaged_);
  }
  summary.backend = store_->backend();
  summary.durability = store_->durability();
  summary.epoch = epoch_;
  summary.diagnostic_count = diagnostics_->total();
  summary.store = store_->health();
  return summary;
}

Result<DiagnosticPage> Runtime::Implementation::diagnostics(
    std::uint64_t after, std::optional<std::uint64_t> limit) const {
  if (auto closed = closed_error()) return *std::move(closed);
  const std::shared_lock lock(state_mutex_);
  return read_diagnostics(*diagnostics_, state_.runtime().limits, after, limit);
}

Result<EventPage> Runtime::Implementation::read_events(const EventQuery& query) const {
  if (auto closed = closed_error()) return *std::move(closed);
  RuntimeRecord record;
  {
    const std::shared_lock lock(state_mutex_);
    record = state_.runtime();
  }
  auto choice = choose_page(record, query);
  if (!choice) return std::move(choice).error();
  if (!*choice) return finish_page(record, query, {}, epoch_);
  auto events = store_->read_events(**choice);
  if (!events) return std::move(events).error();
  return finish_page(record, query, std::move(*events), epoch_);
}

Result<TranscriptPage> Runtime::Implementation::read_transcript(
    const WorkerRef& worker_ref, const TranscriptQuery& query) const {
  if (auto closed = closed_error()) return *std::move(closed);
  WorkerPointer worker;
  Limits limits;
  {
    const std::shared_lock lock(state_mutex_);
    limits = state_.runtime().limits;
    auto items = page_items(query.limit, limits);
    if (!items) return std::move(items).error();
    auto found = find_worker(state_, worker_ref);
    if (!found) return std::move(found).error();
    worker = std::move(*found);
  }
  auto choice = choose_page(worker->record, limits, query);
  if (!choice) return std::move(choice).error();
  if (!*choice) return finish_page(worker->record, query, {});
  auto entries = store_->read_transcript(worker_ref.worker_id, **choice);
  const bool nothing = !entries || entries->empty();
  if (nothing) {
    // Deleted between the two looks, or damaged.
    const std::shared_lock lock(state_mutex_);
    auto found = find_worker(state_, worker_ref);
    if (!found) return std::move(found).error();
  }
  if (!entries) {
    if (entries.error().code() == ErrorCode::store_corrupt)
      mark_damaged(worker_ref.worker_id, entries.error().message());
    return with_transcript_cursor(std::move(entries).error());
  }
  return finish_page(worker->record, query, std::move(*entries));
}

Result<EventPage> Runtime::Implementation::wait_events(EventId from,
                                                       std::chrono::milliseconds timeout,
                                                       const std::stop_token& stop,
                                                       std::optional<std::uint64_t> limit) const {
  EventQuery query;
  query.from = from;
  query.limit = limit;
  auto page = read_events(query);
  if (!page || !page->events.empty()) return page;
  // A day at a time: a time point so far away that it can't be written stays out of the arithmetic.
  const auto wait = std::clamp(timeout, std::chrono::milliseconds(0),
                               std::chrono::milliseconds(std::chrono::hours(24 * 365)));
  const auto deadline = std::chrono::steady_clock::now() + wait;
  {
    ++waiters_;
    std::unique_lock lock(wait_mutex_);
    events_arrived_.wait_until(lock, stop, deadline,
                               [&] { return last_event_ >= from.value || closed_; });
    --waiters_;
  }
  return read_events(query);
}

}  // namespace worker_runtime
