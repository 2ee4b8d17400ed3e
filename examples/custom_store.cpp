// A Store of one's own: a Runtime keeps its commits wherever you can keep them.
//
// This one keeps them on a Tape that outlives the Runtime, as a database or a remote log would, and
// restores by playing the tape again. A store has three duties: take a commit (append), make what
// it took durable (sync), and give pages of what is durable. The Runtime does all the rest. The
// conformance suite in tests/conformance shows whether a store does its duties.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <shared_mutex>

#include "worker_runtime/runtime.h"

using namespace worker_runtime;

namespace {

struct Tape {
  std::vector<Commit> commits;
  std::uint64_t opened = 0;
};

class TapeStore final : public Store {
 public:
  explicit TapeStore(Tape& tape) : tape_(tape) {}

  [[nodiscard]] std::string_view backend() const override { return "tape"; }
  [[nodiscard]] Durability durability() const override { return Durability::none; }

  Result<Restored> restore() override {
    RuntimeRecord record;
    record.runtime_id = *RuntimeId::parse("example");
    State state(record);
    for (const Commit& commit : tape_.commits) {
      index(commit, state.expand(commit));  // asked before the state goes on
      auto applied = state.apply(commit);   // the code that the Runtime itself uses
      if (!applied) return applied.error();
      forget_deleted(applied->changed);
    }
    return Restored{std::move(state), std::make_shared<DiagnosticLog>(), Epoch{++tape_.opened}, {}};
  }

  // Commits are taken one by one and become visible together, when they are durable.
  Result<void> append(const Commit& commit, std::span<const ExpandedEvent> events,
                      const Limits&) override {
    staged_.push_back(commit);
    // The entries that the events point at are the commit's: point at the copy's instead.
    std::vector<ExpandedEvent> kept(events.begin(), events.end());
    std::size_t next = 0;
    for (const Change& change : staged_.back().changes) {
      next += change.stopped_workers;
      kept[next++].entry = change.entry ? &*change.entry : nullptr;
    }
    staged_events_.push_back(std::move(kept));
    return {};
  }

  Result<void> sync(const RuntimeRecord&, std::span<const ChangedWorker> changed) override {
    const std::unique_lock lock(mutex_);
    for (std::size_t at = 0; at < staged_.size(); ++at) index(staged_[at], staged_events_[at]);
    for (Commit& commit : staged_) tape_.commits.push_back(std::move(commit));
    staged_.clear();
    staged_events_.clear();
    forget_deleted(changed);
    return {};
  }

  Result<std::vector<Event>> read_events(const PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    return page(events_, range, [](const Event& event) { return event.message.size(); });
  }
  Result<std::vector<TranscriptEntry>> read_transcript(const WorkerId& worker_id,
                                                       const PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    const auto found = workers_.find(worker_id);
    if (found == workers_.end()) return std::vector<TranscriptEntry>();
    return page(found->second.entries, range, [](const TranscriptEntry& entry) {
      return entry.content.size() + entry.name.value_or("").size() + entry.data.value_or("").size();
    });
  }
  Result<std::vector<KeyedEntry>> read_keyed_entries(const WorkerId& worker_id, Sequence first,
                                                     Sequence last) const override {
    const std::shared_lock lock(mutex_);
    std::vector<KeyedEntry> keyed;
    const auto found = workers_.find(worker_id);
    if (found == workers_.end()) return keyed;
    for (const TranscriptEntry& entry : found->second.entries) {
      if (!entry.idempotency_key || entry.sequence < first || entry.sequence > last) continue;
      keyed.push_back({*entry.idempotency_key, entry.sequence, entry.event_id, digest_of(entry)});
    }
    return keyed;
  }
  Result<CreateRequest> read_create_request(const WorkerId& worker_id) const override {
    const std::shared_lock lock(mutex_);
    const auto found = workers_.find(worker_id);
    if (found != workers_.end()) return found->second.request;
    return Error(ErrorCode::worker_not_found, "there is no worker " + worker_id.text());
  }

  std::optional<Error> check_worker(const WorkerId&) override { return std::nullopt; }
  Result<Lsn> checkpoint() override { return Lsn{tape_.commits.size()}; }
  Result<void> close() override { return {}; }
  [[nodiscard]] std::optional<StoreHealth> health() const override { return std::nullopt; }

 private:
  struct Worker {
    CreateRequest request;
    std::vector<TranscriptEntry> entries;
  };

  void index(const Commit& commit, std::span<const ExpandedEvent> events) {
    for (const Change& change : commit.changes) {
      if (change.create) workers_[change.event.worker_ref->worker_id].request = *change.create;
    }
    for (const ExpandedEvent& expanded : events) {
      events_.push_back(expanded.event);
      if (expanded.entry != nullptr)
        workers_[expanded.entry->worker_ref.worker_id].entries.push_back(*expanded.entry);
    }
  }
  void forget_deleted(std::span<const ChangedWorker> changed) {
    for (const ChangedWorker& worker : changed) {
      if (!worker.worker) workers_.erase(worker.worker_id);
    }
  }

  /// Item `number` stands at number - 1. A page has one item at least, whatever its size.
  template <typename Item, typename Bytes>
  static std::vector<Item> page(const std::vector<Item>& log, const PageRange& range, Bytes bytes) {
    std::vector<Item> shown;
    std::uint64_t size = 0;
    for (std::uint64_t count = 0; count <= range.last - range.first; ++count) {
      const bool up = range.direction == Direction::oldest_first;
      const Item& item = log.at((up ? range.first + count : range.last - count) - 1);
      size += bytes(item);
      if (shown.size() == range.items || (!shown.empty() && size > range.bytes)) break;
      shown.push_back(item);
    }
    return shown;
  }

  Tape& tape_;
  std::vector<Commit> staged_;
  std::vector<std::vector<ExpandedEvent>> staged_events_;
  mutable std::shared_mutex mutex_;  // readers come from any thread
  std::vector<Event> events_;
  std::map<WorkerId, Worker> workers_;
};

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().detail().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

}  // namespace

int main() {
  Tape tape;
  for (int run = 0; run < 2; ++run) {
    Runtime runtime = must(Runtime::open(std::make_unique<TapeStore>(tape)));
    CreateRequest request;
    request.intent = AssistantIntent{};
    request.idempotency_key = "the only one";
    const WorkerRef worker_ref = must(runtime.create_worker(request)).summary.worker_ref;
    must(runtime.send_input({worker_ref, InputRole::user, "run " + std::to_string(run)}));
  }  // dropped without close, as in a crash

  Runtime runtime = must(Runtime::open(std::make_unique<TapeStore>(tape)));
  must(runtime.stop_runtime());
  const RuntimeSummary summary = must(runtime.summary());
  std::printf("%llu events of %llu commits on the tape\n",
              static_cast<unsigned long long>(summary.event_count),
              static_cast<unsigned long long>(tape.commits.size()));
  const WorkerSummary worker = must(runtime.list_workers()).workers.at(0);
  const EventPage events = must(runtime.read_events());
  const bool as_expected = summary.backend == "tape" && summary.epoch == Epoch{3} &&
                           worker.transcript_len == 2 && worker.status == WorkerStatus::stopped &&
                           summary.event_count == 6 && events.events.size() == 6 &&
                           tape.commits.size() == 5;
  return as_expected ? 0 : 1;
}
