// The public face of a Runtime, and its opening.
#include "worker_runtime/runtime.h"

#include <utility>

#include "runtime_implementation.h"
#include "validate.h"

namespace worker_runtime {

Runtime::Implementation::Implementation(std::unique_ptr<Store> store, Clock clock,
                                        Restored restored)
    : store_(std::move(store)),
      clock_(std::move(clock)),
      diagnostics_(std::move(restored.diagnostics)),
      epoch_(restored.epoch),
      limits_(restored.state.runtime().limits),
      state_(std::move(restored.state)),
      head_(state_.implementation()) {
  for (DamagedWorker& worker : restored.damaged) mark_damaged(worker.worker_id, worker.cause);
  last_event_ = state_.runtime().last_event_id.value;
}

Result<void> Runtime::Implementation::start(const RuntimeOptions& options) {
  RuntimeRecord record = state_.runtime();
  for (const LimitSetting& setting : options.limits) {
    auto set = apply_limit(record.limits, setting);
    if (!set) return set;
  }
  auto valid = validate_display_name(options.display_name, record.limits);
  if (!valid) return valid;
  if (options.display_name) record.display_name = options.display_name;
  limits_ = record.limits;
  diagnostics_->set_kept_each(record.limits.diagnostics_kept);
  const bool differs = record != state_.runtime();
  if (differs) {
    state_.put(record);
    auto handed_over = store_->sync(record, {});
    if (!handed_over) return handed_over;
  }
  if (record.lsn.value == 0) {
    auto started = run<RuntimeChanged>(StartRuntime{});
    if (!started) return std::move(started).error();
  }
  if (differs) {
    auto stored = store_->checkpoint();
    if (!stored) return std::move(stored).error();
  }
  diagnostics_->tell(LogLevel::info, "runtime " + record.runtime_id.text() + " is open, in " +
                                         std::string(store_->backend()) + ", epoch " +
                                         std::to_string(epoch_.value));
  return {};
}

Result<Runtime> Runtime::open(std::unique_ptr<Store> store, RuntimeOptions options) {
  if (!store) return Error(ErrorCode::invalid_request, "a runtime needs a store");
  if (!options.clock) options.clock = system_clock();
  // Before the store is touched: options that can't be meant leave no trace in it.
  Limits any;
  for (const LimitSetting& setting : options.limits) {
    auto valid = apply_limit(any, setting);
    if (!valid) return std::move(valid).error();
  }
  auto restored = store->restore();
  if (!restored) return std::move(restored).error();
  if (options.log) restored->diagnostics->set_log(options.log);
  auto implementation = std::make_unique<Implementation>(std::move(store), std::move(options.clock),
                                                         std::move(*restored));
  auto started = implementation->start(options);
  if (!started) return std::move(started).error();
  return Runtime(std::move(implementation));
}

Result<Runtime> Runtime::in_memory(RuntimeId runtime_id, RuntimeOptions options) {
  return open(make_memory_store(std::move(runtime_id)), std::move(options));
}

Runtime::Runtime(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Runtime::Runtime(Runtime&&) noexcept = default;
Runtime& Runtime::operator=(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

Result<WorkerDetail> Runtime::create_worker(CreateRequest request) {
  return implementation_->run<WorkerDetail>(std::move(request));
}
Result<WorkerDetail> Runtime::fork_worker(ForkWorker request) {
  return implementation_->fork_worker(std::move(request));
}
Result<WorkerDetail> Runtime::import_worker(ImportWorker request) {
  return implementation_->run<WorkerDetail>(std::move(request));
}
Result<EntryAccepted> Runtime::send_input(SendInput request) {
  return implementation_->run<EntryAccepted>(std::move(request));
}
Result<EntryAccepted> Runtime::append_output(AppendOutput request) {
  return implementation_->run<EntryAccepted>(std::move(request));
}
Result<WorkerEnded> Runtime::stop_worker(StopWorker request) {
  return implementation_->run<WorkerEnded>(std::move(request));
}
Result<WorkerEnded> Runtime::cancel_worker(CancelWorker request) {
  return implementation_->run<WorkerEnded>(std::move(request));
}
Result<WorkerDeleted> Runtime::delete_worker(DeleteWorker request) {
  return implementation_->run<WorkerDeleted>(std::move(request));
}
Result<EventsTrimmed> Runtime::trim_events(TrimEvents request) {
  return implementation_->run<EventsTrimmed>(request);
}
Result<TranscriptTrimmed> Runtime::trim_transcript(TrimTranscript request) {
  return implementation_->run<TranscriptTrimmed>(std::move(request));
}
Result<Redacted> Runtime::redact(Redact request) {
  return implementation_->run<Redacted>(std::move(request));
}
Result<RuntimeChanged> Runtime::stop_runtime() {
  return implementation_->run<RuntimeChanged>(StopRuntime{});
}
Result<RuntimeChanged> Runtime::start_runtime() {
  return implementation_->run<RuntimeChanged>(StartRuntime{});
}
Result<std::vector<Answer>> Runtime::batch(std::vector<Mutation> operations) {
  return implementation_->run_batch(std::move(operations));
}
void Runtime::submit(Mutation operation, Completion done) {
  implementation_->submit(std::move(operation), std::move(done));
}
void Runtime::submit_batch(std::vector<Mutation> operations, BatchCompletion done) {
  implementation_->submit_batch(std::move(operations), std::move(done));
}

Result<WorkerPage> Runtime::list_workers(const ListQuery& query) const {
  return implementation_->list_workers(query);
}
Result<WorkerDetail> Runtime::worker_detail(const WorkerRef& worker_ref) const {
  return implementation_->worker_detail(worker_ref);
}
Result<RuntimeSummary> Runtime::summary() const { return implementation_->summary(); }
Metrics Runtime::metrics() const { return implementation_->metrics(); }
Result<DiagnosticPage> Runtime::diagnostics(std::uint64_t after,
                                            std::optional<std::uint64_t> limit) const {
  return implementation_->diagnostics(after, limit);
}
Result<EventPage> Runtime::read_events(const EventQuery& query) const {
  return implementation_->read_events(query);
}
Result<TranscriptPage> Runtime::read_transcript(const WorkerRef& worker_ref,
                                                const TranscriptQuery& query) const {
  return implementation_->read_transcript(worker_ref, query);
}
Result<EventPage> Runtime::wait_events(
    EventId from, std::chrono::milliseconds timeout,
    // NOLINTNEXTLINE(performance-unnecessary-value-param): callers give one that they made
    std::stop_token stop, std::optional<std::uint64_t> limit) const {
  return implementation_->wait_events(from, timeout, stop, limit);
}
Result<Lsn> Runtime::checkpoint() { return implementation_->checkpoint(); }
Result<void> Runtime::close() { return implementation_->close(); }

}  // namespace worker_runtime
