// The store in memory: everything is kept for as long as the Runtime lives, and nothing longer.
#include <algorithm>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "validate.h"
#include "worker_runtime/store.h"

namespace worker_runtime {
namespace {

std::uint64_t text_bytes(const Event& event) { return event.message.size(); }
std::uint64_t text_bytes(const TranscriptEntry& entry) {
  return entry.content.size() + (entry.name ? entry.name->size() : 0) +
         (entry.data ? entry.data->size() : 0);
}

/// What a commit comes to where nothing is encoded.
std::uint64_t text_bytes(const Commit& commit) {
  std::uint64_t bytes = 0;
  for (const Change& change : commit.changes) {
    bytes += text_bytes(change.event);
    if (change.entry) bytes += text_bytes(*change.entry);
    if (change.create) bytes += text_bytes(*change.create);
  }
  return bytes;
}

/// A page of a log whose item `number` stands at number - 1.
template <typename Item>
std::vector<Item> page_of(const std::deque<Item>& log, const PageRange& range) {
  std::vector<Item> page;
  const bool up = range.direction == Direction::oldest_first;
  const std::uint64_t last = std::min<std::uint64_t>(range.last, log.size());
  std::uint64_t bytes = 0;
  for (std::uint64_t number = up ? range.first : last;
       number >= range.first && number <= last && page.size() < range.items;
       number += up ? 1 : UINT64_MAX) {
    const Item& item = log[number - 1];
    bytes += text_bytes(item);
    if (!page.empty() && bytes > range.bytes) break;
    page.push_back(item);
  }
  return page;
}

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(RuntimeId runtime_id) : runtime_id_(std::move(runtime_id)) {}

  [[nodiscard]] std::string_view backend() const override { return "memory"; }
  [[nodiscard]] Durability durability() const override { return Durability::none; }

  Result<Restored> restore() override {
    RuntimeRecord record;
    record.runtime_id = runtime_id_;
    return Restored{State(std::move(record)), std::make_shared<DiagnosticLog>(), Epoch{1}, {}};
  }

  Result<void> append(const Commit& commit, std::span<const ExpandedEvent> events,
                      const Limits& limits) override {
    if (const std::uint64_t bytes = text_bytes(commit); bytes > limits.commit_bytes) {
      return Error(ErrorCode::limit_exceeded,
                   "commit_bytes is limited to " + std::to_string(limits.commit_bytes) + ", not " +
                       std::to_string(bytes),
                   LimitFields{"commit_bytes", bytes, limits.commit_bytes});
    }
    for (const ExpandedEvent& expanded : events) {
      staged_events_.push_back(expanded.event);
      if (expanded.entry != nullptr) staged_entries_.push_back(*expanded.entry);
    }
    for (const Change& change : commit.changes) {
      if (change.create)
        staged_creates_.emplace_back(change.event.worker_ref->worker_id, *change.create);
    }
    return {};
  }

  Result<void> sync(const RuntimeRecord&, std::span<const ChangedWorker> changed) override {
    const std::unique_lock lock(mutex_);
    for (Event& event : staged_events_) events_.push_back(std::move(event));
    for (TranscriptEntry& entry : staged_entries_) {
      transcripts_[entry.worker_ref.worker_id].push_back(std::move(entry));
    }
    for (auto& [worker_id, create] : staged_creates_)
      creates_.insert_or_assign(worker_id, std::move(create));
    for (const ChangedWorker& worker : changed) {
      if (worker.worker) continue;
      transcripts_.erase(worker.worker_id);
      creates_.erase(worker.worker_id);
    }
    staged_events_.clear();
    staged_entries_.clear();
    staged_creates_.clear();
    return {};
  }

  std::optional<Error> check_worker(const WorkerId&) override { return std::nullopt; }

  Result<std::vector<Event>> read_events(const PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    return page_of(events_, range);
  }

  Result<std::vector<TranscriptEntry>> read_transcript(const WorkerId& worker_id,
                                                       const PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    const auto found = transcripts_.find(worker_id);
    return found == transcripts_.end() ? std::vector<TranscriptEntry>()
                                       : page_of(found->second, range);
  }

  Result<std::vector<KeyedEntry>> read_keyed_entries(const WorkerId& worker_id, Sequence first,
                                                     Sequence last) const override {
    const std::shared_lock lock(mutex_);
    std::vector<KeyedEntry> keyed;
    const auto found = transcripts_.find(worker_id);
    if (found == transcripts_.end()) return keyed;
    for (std::uint64_t number = first.value; number <= last.value && number <= found->second.size();
         ++number) {
      const TranscriptEntry& entry = found->second[number - 1];
      if (entry.idempotency_key) {
        keyed.push_back({*entry.idempotency_key, entry.sequence, entry.event_id, digest_of(entry)});
      }
    }
    return keyed;
  }

  Result<CreateRequest> read_create_request(const WorkerId& worker_id) const override {
    const std::shared_lock lock(mutex_);
    const auto found = creates_.find(worker_id);
    if (found == creates_.end()) {
      return Error(ErrorCode::worker_not_found, "there is no worker " + worker_id.text());
    }
    return found->second;
  }

  Result<Lsn> checkpoint() override { return Lsn{}; }
  Result<void> close() override { return {}; }
  [[nodiscard]] std::optional<StoreHealth> health() const override { return std::nullopt; }

 private:
  const RuntimeId runtime_id_;

  // Owned by the Runtime's leader.
  std::vector<Event> staged_events_;
  std::vector<TranscriptEntry> staged_entries_;
  std::vector<std::pair<WorkerId, CreateRequest>> staged_creates_;

  mutable std::shared_mutex mutex_;  // guards what follows
  std::deque<Event> events_;
  std::unordered_map<WorkerId, std::deque<TranscriptEntry>> transcripts_;
  std::unordered_map<WorkerId, CreateRequest> creates_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(RuntimeId runtime_id) {
  return std::make_unique<MemoryStore>(std::move(runtime_id));
}

}  // namespace worker_runtime
