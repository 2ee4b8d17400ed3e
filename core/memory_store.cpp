// The store in memory: everything is kept for as long as the Runtime lives, and nothing longer.
//
// It keeps rows: what the place of an event or an entry tells, and the Worker that it belongs to,
// is not repeated in each. A commit goes in as it is appended, since nothing here can fail after
// that; a sync shows it.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "validate.h"
#include "worker_runtime/store.h"

namespace worker_runtime {
namespace {

/// What a commit comes to where nothing is encoded.
std::uint64_t text_bytes(const Commit& commit) {
  std::uint64_t bytes = 0;
  for (const Change& change : commit.changes) {
    bytes += change.event.message.size();
    if (change.entry) bytes += text_bytes(*change.entry);
    if (change.create) bytes += text_bytes(*change.create);
    if (!change.history) continue;
    for (const TranscriptEntry& entry : *change.history) bytes += text_bytes(entry);
  }
  return bytes;
}

/// The place of a Worker in the list of all that ever were.
using WorkerIndex = std::uint32_t;
constexpr WorkerIndex no_worker = UINT32_MAX;

/// An event, without what its place and its Worker tell. (None is of an unknown kind here.)
struct EventRow {
  Timestamp at;
  Sequence sequence;  // 0: made no entry
  WorkerIndex worker = no_worker;
  EventKind kind = EventKind::runtime_started;
  std::string message;
};

/// What few entries have.
struct EntryExtras {
  std::optional<std::string> name;
  std::optional<std::string> data;
  std::optional<std::string> idempotency_key;
  Counters usage;
  bool copied = false;
  std::uint64_t redacted = 0;
  UnknownMembers unknown_members;
};

/// An entry, without what its place and its Worker tell.
struct EntryRow {
  EventId event_id;
  Timestamp at;
  std::string content;
  std::unique_ptr<const EntryExtras> extras;
  Role role = Role::user;
};

std::unique_ptr<const EntryExtras> extras_of(const TranscriptEntry& entry) {
  if (!entry.name && !entry.data && !entry.idempotency_key && entry.usage.empty() &&
      !entry.copied && entry.redacted == 0) {
    return nullptr;
  }
  return std::make_unique<const EntryExtras>(
      EntryExtras{entry.name, entry.data, entry.idempotency_key, entry.usage, entry.copied,
                  entry.redacted, entry.unknown_members});
}

/// Rows under dense numbers, of which the first may have been let go.
template <typename Row>
class Rows {
 public:
  [[nodiscard]] std::uint64_t first() const { return first_; }
  [[nodiscard]] std::uint64_t last() const { return first_ - 1 + rows_.size(); }
  [[nodiscard]] const Row& operator[](std::uint64_t number) const { return rows_[number - first_]; }
  [[nodiscard]] Row& at(std::uint64_t number) { return rows_[number - first_]; }
  Row& add() { return rows_.emplace_back(); }
  void trim(std::uint64_t first_kept) {
    for (; first_ < first_kept && !rows_.empty(); ++first_) rows_.pop_front();
  }

 private:
  std::deque<Row> rows_;
  std::uint64_t first_ = 1;
};

/// What lives as long as the Worker.
struct WorkerLog {
  WorkerIndex index = no_worker;
  CreateRequest request;
  Rows<EntryRow> entries;
};

/// Numbers of a log that shows `first`..`end`, in the order of a page, as many as it may have.
template <typename Visit>
Result<void> walk(const PageRange& range, std::uint64_t first, std::uint64_t end,
                  const Visit& visit) {
  const bool up = range.direction == Direction::oldest_first;
  if ((up ? range.first : range.last) < first)
    return Error(ErrorCode::cursor_expired, "it was trimmed", CursorFields{first});
  const std::uint64_t lowest = std::max(range.first, first);
  const std::uint64_t last = std::min(range.last, end);
  std::uint64_t items = 0;
  for (std::uint64_t number = up ? lowest : last;
       number >= lowest && number <= last && items < range.items;
       number += up ? 1 : UINT64_MAX, ++items) {
    if (!visit(number)) return {};
  }
  return {};
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
    const std::unique_lock lock(mutex_);
    for (const Change& change : commit.changes) {
      if (change.create) add_worker(change.event.worker_ref->worker_id, *change.create);
      if (change.trim) trims_.push_back(*change.trim);
      if (change.redaction) redactions_.push_back(*change.redaction);
    }
    for (const ExpandedEvent& expanded : events) add_event(expanded);
    return {};
  }

  Result<void> sync(const RuntimeRecord&, std::span<const ChangedWorker> changed) override {
    const std::unique_lock lock(mutex_);
    shown_ = EventId{events_.last()};
    for (const TranscriptEntry& entry : std::exchange(redactions_, {})) redact(entry);
    for (const Trim& trim : std::exchange(trims_, {})) let_go(trim);
    for (const ChangedWorker& worker : changed) {
      if (!worker.worker) logs_.erase(worker.worker_id);
    }
    return {};
  }

  std::optional<Error> check_worker(const WorkerId&) override { return std::nullopt; }

  Result<std::vector<Event>> read_events(const PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Event> page;
    std::uint64_t bytes = 0;
    auto walked = walk(range, events_.first(), shown_.value, [&](std::uint64_t number) {
      bytes += events_[number].message.size();
      if (!page.empty() && bytes > range.bytes) return false;
      page.push_back(event(number));
      return true;
    });
    if (!walked) return std::move(walked).error();
    return page;
  }

  Result<std::vector<TranscriptEntry>> read_transcript(const WorkerId& worker_id,
                                                       const PageRange& range) const override {
    const std::shared_lock lock(mutex_);
    std::vector<TranscriptEntry> page;
    const auto found = logs_.find(worker_id);
    if (found == logs_.end()) return page;
    const WorkerLog& log = found->second;
    std::uint64_t bytes = 0;
    const auto take = [&](std::uint64_t number) {
      TranscriptEntry next = entry(worker_id, log, number);
      bytes += text_bytes(next);
      if (!page.empty() && bytes > range.bytes) return false;
      page.push_back(std::move(next));
      return true;
    };
    auto walked = walk(range, log.entries.first(), shown_entries(log), take);
    if (!walked) return std::move(walked).error();
    return page;
  }

  Result<TranscriptEntry> read_entry(const WorkerId& worker_id, Sequence sequence) const override {
    const std::shared_lock lock(mutex_);
    return entry(worker_id, logs_.at(worker_id), sequence.value);
  }

  Result<std::vector<KeyedEntry>> read_keyed_entries(const WorkerId& worker_id, Sequence first,
                                                     Sequence last) const override {
    const std::shared_lock lock(mutex_);
    std::vector<KeyedEntry> keyed;
    const auto found = logs_.find(worker_id);
    if (found == logs_.end()) return keyed;
    const WorkerLog& log = found->second;
    const std::uint64_t end = std::min(last.value, shown_entries(log));
    for (std::uint64_t number = first.value; number <= end; ++number) {
      const EntryExtras* const extras = log.entries[number].extras.get();
      if (extras == nullptr || !extras->idempotency_key) continue;
      keyed.push_back(keyed_entry(entry(worker_id, log, number)));
    }
    return keyed;
  }

  Result<CreateRequest> read_create_request(const WorkerId& worker_id) const override {
    const std::shared_lock lock(mutex_);
    const auto found = logs_.find(worker_id);
    if (found == logs_.end()) {
      return Error(ErrorCode::worker_not_found, "there is no worker " + worker_id.text());
    }
    return found->second.request;
  }

  Result<Lsn> checkpoint() override { return Lsn{}; }
  Result<void> close() override { return {}; }
  [[nodiscard]] std::optional<StoreHealth> health() const override { return std::nullopt; }

 private:
  void add_worker(const WorkerId& worker_id, const CreateRequest& request) {
    const auto index = static_cast<WorkerIndex>(worker_ids_.size());
    worker_ids_.push_back(worker_id);
    logs_.insert_or_assign(worker_id, WorkerLog{index, request, {}});
  }

  void add_event(const ExpandedEvent& expanded) {
    const Event& event = *expanded.event;
    EventRow& row = events_.add();
    row.at = event.at;
    row.sequence = event.sequence.value_or(Sequence{});
    row.kind = event.kind;
    row.message = event.message;
    if (!event.worker_ref) return;
    WorkerLog& log = logs_.find(event.worker_ref->worker_id)->second;
    row.worker = log.index;
    for (const TranscriptEntry& entry : expanded.entries) add_entry(log, entry);
  }

  static void add_entry(WorkerLog& log, const TranscriptEntry& entry) {
    fill(log.entries.add(), entry);
  }

  static void fill(EntryRow& row, const TranscriptEntry& entry) {
    row.event_id = entry.event_id;
    row.at = entry.at;
    row.content = entry.content;
    row.extras = extras_of(entry);
    row.role = entry.role;
  }

  /// Those of the group that is being made come last.
  [[nodiscard]] std::uint64_t shown_entries(const WorkerLog& log) const {
    std::uint64_t last = log.entries.last();
    while (last >= log.entries.first() && log.entries[last].event_id > shown_) --last;
    return last;
  }

  /// Before what the group trims or deletes goes: the entry is there.
  void redact(const TranscriptEntry& entry) {
    EntryRow& row = logs_.at(entry.worker_ref.worker_id).entries.at(entry.sequence.value);
    fill(row, entry);
    row.content.shrink_to_fit();
  }

  /// A Worker that was deleted in the same group has nothing left to let go.
  void let_go(const Trim& trim) {
    if (!trim.worker_id) return events_.trim(trim.first_kept);
    const auto found = logs_.find(*trim.worker_id);
    if (found != logs_.end()) found->second.entries.trim(trim.first_kept);
  }

  [[nodiscard]] Event event(std::uint64_t number) const {
    const EventRow& row = events_[number];
    Event event{.id = EventId{number}, .at = row.at, .kind = row.kind, .message = row.message};
    if (row.worker != no_worker) event.worker_ref = WorkerRef{runtime_id_, worker_ids_[row.worker]};
    if (row.sequence.value > 0) event.sequence = row.sequence;
    return event;
  }

  [[nodiscard]] TranscriptEntry entry(const WorkerId& worker_id, const WorkerLog& log,
                                      std::uint64_t number) const {
    const EntryRow& row = log.entries[number];
    TranscriptEntry entry{.sequence = Sequence{number},
                          .at = row.at,
                          .worker_ref = {runtime_id_, worker_id},
                          .role = row.role,
                          .content = row.content,
                          .event_id = row.event_id};
    if (row.extras) {
      entry.name = row.extras->name;
      entry.data = row.extras->data;
      entry.idempotency_key = row.extras->idempotency_key;
      entry.usage = row.extras->usage;
      entry.copied = row.extras->copied;
      entry.redacted = row.extras->redacted;
      entry.unknown_members = row.extras->unknown_members;
    }
    return entry;
  }

  const RuntimeId runtime_id_;

  mutable std::shared_mutex mutex_;  // guards what follows
  EventId shown_;                    // the last one that a sync made durable
  Rows<EventRow> events_;
  std::vector<Trim> trims_;                  // of the group that is being made
  std::vector<TranscriptEntry> redactions_;  // of the group that is being made
  std::vector<WorkerId> worker_ids_;         // of all that ever were: their events stay
  std::unordered_map<WorkerId, WorkerLog> logs_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store(RuntimeId runtime_id) {
  return std::make_unique<MemoryStore>(std::move(runtime_id));
}

}  // namespace worker_runtime
