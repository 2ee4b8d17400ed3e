// Reads of a Runtime: what is durable, without waiting for what is not.
#include <algorithm>
#include <utility>

#include "runtime_implementation.h"

namespace worker_runtime {

std::optional<Error> Runtime::Implementation::closed_error() const {
  if (!closed_) return std::nullopt;
  return Error(ErrorCode::closed, "the runtime is closed");
}

Timestamp Runtime::Implementation::now() const {
  const std::lock_guard lock(clock_mutex_);
  return std::clamp(clock_(), timestamp_min, timestamp_max);
}

// ---- damage

std::optional<std::string> Runtime::Implementation::damage_of(const WorkerId& worker_id) const {
  if (damaged_count_ == 0) return std::nullopt;
  const std::shared_lock lock(state_mutex_);
  const auto found = damaged_.find(worker_id);
  return found == damaged_.end() ? std::nullopt : std::optional(found->second);
}

void Runtime::Implementation::mark_damaged(const WorkerId& worker_id,
                                           const std::string& cause) const {
  WorkerRef worker_ref;
  {
    const std::unique_lock lock(state_mutex_);
    // What a deletion leaves behind is not damage.
    if (!state_.find(worker_id) || !damaged_.emplace(worker_id, cause).second) return;
    damaged_count_ = damaged_.size();
    worker_ref = {state_.runtime().runtime_id, worker_id};
  }
  diagnostics_->raise_once(now(), Severity::error, "worker.damaged", cause, worker_ref);
}

// ---- Workers

Result<WorkerPointer> Runtime::Implementation::find(const WorkerRef& worker_ref) const {
  const std::shared_lock lock(state_mutex_);
  return find_worker(state_, worker_ref);
}

Result<WorkerPage> Runtime::Implementation::list_workers(const ListQuery& query) const {
  if (auto closed = closed_error()) return *std::move(closed);
  auto items = page_items(query.limit, limits_);
  if (!items) return std::move(items).error();
  constexpr std::size_t count = 256;
  WorkerPage page;
  std::optional<WorkerId> after = query.after;
  // Commits come in between the steps: a rare status among many Workers holds up nobody.
  for (bool complete = false; !complete;) {
    const std::shared_lock lock(state_mutex_);
    complete = list_some(state_, damaged_, query, *items, count, after, page);
  }
  return page;
}

Result<WorkerDetail> Runtime::Implementation::worker_detail(const WorkerRef& worker_ref) const {
  if (auto closed = closed_error()) return *std::move(closed);
  auto worker = find(worker_ref);
  if (!worker) return std::move(worker).error();
  auto request = store_->read_create_request(worker_ref.worker_id);
  if (!request) {
    // It may have been deleted between the two looks.
    auto again = find(worker_ref);
    if (!again) return std::move(again).error();
    if (request.error().code() != ErrorCode::store_corrupt) return std::move(request).error();
    mark_damaged(worker_ref.worker_id, request.error().message());
  }
  WorkerDetail detail;
  {
    const std::shared_lock lock(state_mutex_);
    detail.summary = summarize(**worker, worker_ref.runtime_id, damaged_);
  }
  if (request) detail.request = std::move(*request);
  return detail;
}

// ---- the Runtime

Metrics Runtime::Implementation::metrics() const {
  const std::lock_guard lock(metrics_mutex_);
  return metrics_;
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
  return read_diagnostics(*diagnostics_, limits_, after, limit);
}

// ---- logs

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
  auto events = read_kept(**choice, query.from.has_value(),
                          [&](const PageRange& range) { return store_->read_events(range); });
  if (!events) return std::move(events).error();
  return finish_page(record, query, std::move(*events), epoch_);
}

Result<TranscriptPage> Runtime::Implementation::read_transcript(
    const WorkerRef& worker_ref, const TranscriptQuery& query) const {
  if (auto closed = closed_error()) return *std::move(closed);
  auto items = page_items(query.limit, limits_);
  if (!items) return std::move(items).error();
  auto found = find(worker_ref);
  if (!found) return std::move(found).error();
  const WorkerRecord& record = (*found)->record;
  auto choice = choose_page(record, limits_, query);
  if (!choice) return std::move(choice).error();
  if (!*choice) return finish_page(record, query, {});
  auto entries = read_kept(**choice, query.start.has_value(), [&](const PageRange& range) {
    return store_->read_transcript(worker_ref.worker_id, range);
  });
  const bool nothing = !entries || entries->empty();
  if (nothing) {
    // Deleted between the two looks, or damaged.
    auto again = find(worker_ref);
    if (!again) return std::move(again).error();
  }
  if (!entries) {
    if (entries.error().code() == ErrorCode::store_corrupt)
      mark_damaged(worker_ref.worker_id, entries.error().message());
    return with_transcript_cursor(std::move(entries).error());
  }
  return finish_page(record, query, std::move(*entries));
}

Result<EventPage> Runtime::Implementation::wait_events(EventId from,
                                                       std::chrono::milliseconds timeout,
                                                       const std::stop_token& stop,
                                                       std::optional<std::uint64_t> limit) const {
  // Who waits is counted to the end: the destructor waits for the last.
  class Counted {
   public:
    explicit Counted(const Implementation& runtime) : runtime_(runtime) { ++runtime_.waiters_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() {
      const std::lock_guard lock(runtime_.wait_mutex_);
      if (--runtime_.waiters_ == 0 && runtime_.closed_) runtime_.events_arrived_.notify_all();
    }

   private:
    const Implementation& runtime_;
  };
  const Counted counted(*this);
  EventQuery query;
  query.from = from;
  query.limit = limit;
  auto page = read_events(query);
  if (!page || !page->events.empty()) return page;
  // Clamped, so that no time point is too far away to be computed; a wait that long ends early.
  const auto wait = std::clamp(timeout, std::chrono::milliseconds(0),
                               std::chrono::milliseconds(std::chrono::hours(24 * 365)));
  const auto deadline = std::chrono::steady_clock::now() + wait;
  {
    std::unique_lock lock(wait_mutex_);
    events_arrived_.wait_until(lock, stop, deadline,
                               [&] { return last_event_ >= from.value || closed_; });
  }
  return read_events(query);
}

}  // namespace worker_runtime
