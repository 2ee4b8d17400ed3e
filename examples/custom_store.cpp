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

namespace wr = worker_runtime;

namespace {

struct Tape {
  std::vector<wr::Commit> commits;
  std::uint64_t opened = 0;
};

class TapeStore final : public wr::Store {
 public:
  explicit TapeStore(Tape& tape) : tape_(tape) {}

  [[nodiscard]] std::string_view backend() const override { return "tape"; }
  [[nodiscard]] wr::Durability durability() const override { return wr::Durability::none; }

  // [restore]
  wr::Result<wr::Restored> restore() override {
    wr::RuntimeRecord record;
    record.runtime_id = *wr::RuntimeId::parse("example");
    wr::State state(record);
    for (const wr::Commit& commit : tape_.commits) {
      stage(commit, state.expand(commit).events);  // asked before the state goes on
      auto applied = state.apply(commit);          // the code that the Runtime itself uses
      if (!applied) return applied.error();
      show(applied->changed);
    }
    return wr::Restored{
        std::move(state), std::make_shared<wr::DiagnosticLog>(), wr::Epoch{++tape_.opened}, {}};
  }
  // [/restore]

  // Commits are taken one by one and become visible together, when they are durable.
  wr::Result<void> append(const wr::Commit& commit, std::span<const wr::ExpandedEvent> events,
                          const wr::Limits&) override {
    stage(commit, events);
    staged_.commits.push_back(commit);
    return {};
  }

  wr::Result<void> sync(const wr::RuntimeRecord&,
                        std::span<const wr::ChangedWorker> changed) override {
    const std::unique_lock lock(mutex_);
    for (wr::Commit& commit : staged_.commits) tape_.commits.push_back(std::move(commit));
    show(changed);
    return {};
  }

  wr::Result<std::vector<wr::Event>> read_events(const wr::PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    return page(events_, range, [](const wr::Event& event) { return event.message.size(); });
  }
  wr::Result<std::vector<wr::TranscriptEntry>> read_transcript(
      const wr::WorkerId& worker_id, const wr::PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    const auto found = workers_.find(worker_id);
    if (found == workers_.end()) return std::vector<wr::TranscriptEntry>();
    return page(found->second.entries, range, [](const wr::TranscriptEntry& entry) {
      return entry.content.size() + entry.name.value_or("").size() + entry.data.value_or("").size();
    });
  }
  // The Runtime has checked that it is there; it may be of the group that is being made.
  wr::Result<wr::TranscriptEntry> read_entry(const wr::WorkerId& worker_id,
                                             wr::Sequence sequence) const override {
    const std::shared_lock lock(mutex_);
    for (const wr::TranscriptEntry& entry : staged_.entries) {
      if (entry.worker_ref.worker_id == worker_id && entry.sequence == sequence) return entry;
    }
    return workers_.at(worker_id).entries.at(sequence.value - 1);
  }
  wr::Result<std::vector<wr::KeyedEntry>> read_keyed_entries(const wr::WorkerId& worker_id,
                                                             wr::Sequence first,
                                                             wr::Sequence last) const override {
    const std::shared_lock lock(mutex_);
    std::vector<wr::KeyedEntry> keyed;
    const auto found = workers_.find(worker_id);
    if (found == workers_.end()) return keyed;
    for (const wr::TranscriptEntry& entry : found->second.entries) {
      if (!entry.idempotency_key || entry.sequence < first || entry.sequence > last) continue;
      keyed.push_back(wr::keyed_entry(entry));
    }
    return keyed;
  }
  wr::Result<wr::CreateRequest> read_create_request(const wr::WorkerId& worker_id) const override {
    const std::shared_lock lock(mutex_);
    const auto found = workers_.find(worker_id);
    if (found != workers_.end()) return found->second.request;
    return wr::Error(wr::ErrorCode::worker_not_found, "there is no worker " + worker_id.text());
  }

  std::optional<wr::Error> check_worker(const wr::WorkerId&) override { return std::nullopt; }
  wr::Result<wr::Lsn> checkpoint() override { return wr::Lsn{tape_.commits.size()}; }
  wr::Result<void> close() override { return {}; }
  [[nodiscard]] std::optional<wr::StoreHealth> health() const override { return std::nullopt; }

 private:
  struct Worker {
    wr::CreateRequest request;
    std::vector<wr::TranscriptEntry> entries;
  };

  // What was appended and is not durable yet. The events belong to whoever appends: copied.
  struct Staged {
    std::vector<wr::Commit> commits;
    std::vector<wr::Event> events;
    std::vector<wr::TranscriptEntry> entries;
    std::vector<wr::TranscriptEntry> redacted;
    std::vector<std::pair<wr::WorkerId, wr::CreateRequest>> requests;
  };

  void stage(const wr::Commit& commit, std::span<const wr::ExpandedEvent> events) {
    for (const wr::ExpandedEvent& expanded : events) {
      staged_.events.push_back(*expanded.event);
      staged_.entries.insert(staged_.entries.end(), expanded.entries.begin(),
                             expanded.entries.end());
    }
    for (const wr::Change& change : commit.changes) {
      if (change.create)
        staged_.requests.emplace_back(change.event.worker_ref->worker_id, *change.create);
      if (change.redaction) staged_.redacted.push_back(*change.redaction);
    }
  }
  void show(std::span<const wr::ChangedWorker> changed) {
    for (wr::Event& event : staged_.events) events_.push_back(std::move(event));
    for (auto& [worker_id, request] : staged_.requests)
      workers_[worker_id].request = std::move(request);
    for (wr::TranscriptEntry& entry : staged_.entries)
      workers_[entry.worker_ref.worker_id].entries.push_back(std::move(entry));
    for (wr::TranscriptEntry& entry : staged_.redacted)
      workers_[entry.worker_ref.worker_id].entries[entry.sequence.value - 1] = std::move(entry);
    for (const wr::ChangedWorker& worker : changed) {
      if (!worker.worker) workers_.erase(worker.worker_id);
    }
    staged_ = {};
  }

  /// Item `number` stands at number - 1. A page has one item at least, whatever its size.
  template <typename Item, typename Bytes>
  static std::vector<Item> page(const std::vector<Item>& log, const wr::PageRange& range,
                                Bytes bytes) {
    std::vector<Item> shown;
    std::uint64_t size = 0;
    for (std::uint64_t count = 0; count <= range.last - range.first; ++count) {
      const bool up = range.direction == wr::Direction::oldest_first;
      const Item& item = log.at((up ? range.first + count : range.last - count) - 1);
      size += bytes(item);
      if (shown.size() == range.items || (!shown.empty() && size > range.bytes)) break;
      shown.push_back(item);
    }
    return shown;
  }

  Tape& tape_;
  Staged staged_;
  mutable std::shared_mutex mutex_;  // readers come from any thread
  std::vector<wr::Event> events_;
  std::map<wr::WorkerId, Worker> workers_;
};

template <typename T>
T must(wr::Result<T> result) {
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
    wr::Runtime runtime = must(wr::Runtime::open(std::make_unique<TapeStore>(tape)));
    wr::CreateRequest request;
    request.intent = wr::AssistantIntent{};
    request.idempotency_key = "the only one";
    const wr::WorkerRef worker_ref = must(runtime.create_worker(request)).summary.worker_ref;
    must(runtime.send_input({worker_ref, wr::InputRole::user, "run " + std::to_string(run)}));
  }  // dropped without close, as in a crash

  wr::Runtime runtime = must(wr::Runtime::open(std::make_unique<TapeStore>(tape)));
  must(runtime.stop_runtime());
  const wr::RuntimeSummary summary = must(runtime.summary());
  std::printf("%llu events of %llu commits on the tape\n",
              static_cast<unsigned long long>(summary.event_count),
              static_cast<unsigned long long>(tape.commits.size()));
  const wr::WorkerSummary worker = must(runtime.list_workers()).workers.at(0);
  const wr::EventPage events = must(runtime.read_events());
  const bool as_expected = summary.backend == "tape" && summary.epoch == wr::Epoch{3} &&
                           worker.transcript_len == 2 &&
                           worker.status == wr::WorkerStatus::stopped && summary.event_count == 6 &&
                           events.events.size() == 6 && tape.commits.size() == 5;
  return as_expected ? 0 : 1;
}
