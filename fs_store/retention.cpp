// Retention: see retention.h. A log is judged without reading it: times never go backwards, so the
// first entry that is young enough is found by bisection; sizes are those of its files.
#include "worker_runtime/fs_store/retention.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "checked_line.h"
#include "file_system.h"
#include "layout.h"
#include "open.h"
#include "snapshot.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::int64_t microseconds_a_day = 86'400'000'000;
constexpr std::int64_t clock_ahead_tolerated = 30 * microseconds_a_day;

/// A file of a log: the last one is appended to, the others are closed parts.
struct Part {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
};

/// A log by its files, and the name of its numbers.
struct LogName {
  std::string stem;
  std::string_view key;
};

/// What a log keeps now.
struct Kept {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  [[nodiscard]] std::uint64_t count() const { return last + 1 - first; }
};

/// Bounds of one log.
struct Bounds {
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> bytes;
};

/// The time of entry `number`.
using TimeOf = std::function<Result<Timestamp>(std::uint64_t number)>;

class RetentionPlanner {
 public:
  RetentionPlanner(const RetentionOptions& options, const Reader& reader, FileSystem& files)
      : options_(options), policy_(options.policy), reader_(reader), files_(files) {}

  Result<RetentionPlan> run() {
    auto summary = reader_.summary();
    if (!summary) return std::move(summary).error();
    auto trusted = check_clock(*summary);
    if (!trusted) return std::move(trusted).error();
    auto done = plan_events({summary->first_event_id.value, summary->event_count});
    if (done) done = plan_workers();
    if (!done) return std::move(done).error();
    return std::move(plan_);
  }

 private:
  /// Everything before is older than `age`.
  [[nodiscard]] Timestamp oldest(std::chrono::seconds age) const {
    const std::int64_t most = (options_.now.microseconds - timestamp_min.microseconds) / 1'000'000;
    const std::int64_t seconds = std::clamp<std::int64_t>(age.count(), 0, most);
    return Timestamp{options_.now.microseconds - seconds * 1'000'000};
  }

  Result<void> check_clock(const RuntimeSummary& summary) const {
    const bool counts_ages = policy_.max_age || policy_.delete_ended_after;
    if (!counts_ages || options_.trust_clock ||
        summary.event_count < summary.first_event_id.value) {
      return {};
    }
    auto newest = time_of_event(summary.event_count);
    if (!newest) return std::move(newest).error();
    const std::int64_t ahead = options_.now.microseconds - newest->microseconds;
    if (ahead <= clock_ahead_tolerated) return {};
    return Error(ErrorCode::invalid_request,
                 "the clock is " + std::to_string(ahead / microseconds_a_day) +
                     " days past the newest event: ages are not trusted");
  }

  [[nodiscard]] Result<Timestamp> time_of_event(std::uint64_t id) const {
    EventQuery query;
    query.from = EventId{id};
    query.limit = 1;
    auto page = reader_.read_events(query);
    if (!page) return std::move(page).error();
    if (page->events.empty()) return Error(ErrorCode::store_corrupt, "an event is missing");
    return page->events.front().at;
  }

  [[nodiscard]] Result<Timestamp> time_of_entry(const WorkerRef& worker_ref,
                                                std::uint64_t sequence) const {
    TranscriptQuery query;
    query.start = sequence - 1;
    query.limit = 1;
    auto page = reader_.read_transcript(worker_ref, query);
    if (!page) return std::move(page).error();
    if (page->items.empty()) return Error(ErrorCode::store_corrupt, "an entry is missing");
    return page->items.front().at;
  }

  /// The first number that stays by age.
  [[nodiscard]] Result<std::uint64_t> young_from(Kept kept, const TimeOf& time_of) const {
    const Timestamp limit = oldest(*policy_.max_age);
    std::uint64_t low = kept.first;
    std::uint64_t high = kept.last + 1;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      auto at = time_of(middle);
      if (!at) return std::move(at).error();
      if (*at < limit) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// The files of a log that have a line, in the order of their numbers.
  [[nodiscard]] Result<std::vector<Part>> parts_of(const LogName& log) const {
    const std::string directory = parent_path(log.stem);
    const std::string stem_name =
        directory.empty() ? log.stem : log.stem.substr(directory.size() + 1);
    std::vector<Part> parts;
    auto entries = files_.list(directory);
    if (!entries) {
      if (is_missing(entries.error())) return parts;
      return std::move(entries).error();
    }
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = directory.empty() ? entry.name : directory + "/" + entry.name;
      auto first = layout::parse_log_part(entry.name, stem_name);
      if (entry.name == layout::log_file(stem_name)) first = first_line_of(path, log.key);
      if (!first || entry.kind != EntryKind::file) continue;
      auto bytes = size_of(path);
      if (!bytes) return std::move(bytes).error();
      parts.push_back({*first, *bytes});
    }
    std::sort(parts.begin(), parts.end(),
              [](const Part& left, const Part& right) { return left.first < right.first; });
    return parts;
  }

  /// None if there is no line, or none that can be read: then the part before it counts as the
  /// last.
  [[nodiscard]] std::optional<std::uint64_t> first_line_of(const std::string& path,
                                                           std::string_view key) const {
    constexpr std::uint64_t head_bytes = 64;
    auto file = files_.open(path, OpenMode::read);
    if (!file) return std::nullopt;
    auto head = (*file)->read(0, head_bytes);
    return head ? line_number(*head, key) : std::nullopt;
  }

  /// 0 of what a writer has removed meanwhile.
  [[nodiscard]] Result<std::uint64_t> size_of(const std::string& path) const {
    auto file = files_.open(path, OpenMode::read);
    if (!file) {
      if (is_missing(file.error())) return std::uint64_t{0};
      return std::move(file).error();
    }
    return (*file)->size();
  }

  struct Trimmed {
    std::uint64_t before = 0;
    std::uint64_t bytes = 0;
  };
  /// What goes of one log; none if all of it stays.
  [[nodiscard]] Result<std::optional<Trimmed>> plan_log(Kept kept, const Bounds& bounds,
                                                        const LogName& log,
                                                        const TimeOf& time_of) const {
    Trimmed trimmed{kept.first, 0};
    if (kept.count() == 0) return std::optional<Trimmed>();
    if (policy_.max_age) {
      auto young = young_from(kept, time_of);
      if (!young) return std::move(young).error();
      trimmed.before = *young;
    }
    if (bounds.count && kept.count() > *bounds.count)
      trimmed.before = std::max(trimmed.before, kept.last + 1 - *bounds.count);
    if (trimmed.before == kept.first && !bounds.bytes) return std::optional<Trimmed>();
    auto parts = parts_of(log);
    if (!parts) return std::move(parts).error();
    std::uint64_t left = 0;
    for (const Part& part : *parts) left += part.bytes;
    for (std::size_t at = 0; at + 1 < parts->size(); ++at) {
      const std::uint64_t behind = (*parts)[at + 1].first;
      if (bounds.bytes && left > *bounds.bytes) trimmed.before = std::max(trimmed.before, behind);
      if (behind > trimmed.before) break;
      trimmed.bytes += (*parts)[at].bytes;
      left -= (*parts)[at].bytes;
    }
    if (trimmed.before == kept.first) return std::optional<Trimmed>();
    return std::optional(trimmed);
  }

  Result<void> plan_events(Kept kept) {
    auto trimmed = plan_log(kept, {policy_.max_events, policy_.max_event_bytes},
                            {std::string(layout::events), "id"},
                            [this](std::uint64_t id) { return time_of_event(id); });
    if (!trimmed) return std::move(trimmed).error();
    if (*trimmed) {
      plan_.items.push_back({TrimEvents{EventId{(*trimmed)->before}},
                             (*trimmed)->before - kept.first, (*trimmed)->bytes});
    }
    return {};
  }

  Result<void> plan_workers() {
    ListQuery query;
    std::uint64_t looked_at = 0;
    for (;;) {
      auto page = reader_.list_workers(query);
      if (!page) return std::move(page).error();
      for (const WorkerSummary& worker : page->workers) {
        if (options_.stop.stop_requested())
          return Error(ErrorCode::closed, "the planning was stopped; nothing was changed");
        plan_worker(worker);
        if (options_.progress && ++looked_at % 256 == 0) options_.progress(looked_at);
      }
      if (!page->next_after) return {};
      query.after = page->next_after;
    }
  }

  void plan_worker(const WorkerSummary& worker) {
    const bool has_ended = worker.status != WorkerStatus::running;
    auto done = has_ended && policy_.delete_ended_after &&
                        worker.updated_at < oldest(*policy_.delete_ended_after)
                    ? plan_deletion(worker)
                    : plan_transcript(worker);
    // One that was deleted meanwhile is nobody's concern.
    if (!done && done.error().code() != ErrorCode::worker_not_found)
      plan_.skipped.push_back({worker.worker_ref.worker_id, done.error().message()});
  }

  Result<void> plan_deletion(const WorkerSummary& worker) {
    const std::string directory = layout::worker_directory(worker.worker_ref.worker_id);
    RetentionItem item{DeleteWorker{worker.worker_ref}, 0, 0};
    item.items = worker.transcript_len + 1 - worker.first_sequence.value;
    auto entries = files_.list(directory);
    if (!entries && !is_missing(entries.error())) return std::move(entries).error();
    if (entries) {
      for (const DirectoryEntry& entry : *entries) {
        if (entry.kind != EntryKind::file) continue;
        auto bytes = size_of(directory + "/" + entry.name);
        if (!bytes) return std::move(bytes).error();
        item.bytes += *bytes;
      }
    }
    plan_.items.push_back(std::move(item));
    return {};
  }

  Result<void> plan_transcript(const WorkerSummary& worker) {
    const Kept kept{worker.first_sequence.value, worker.transcript_len};
    auto trimmed = plan_log(
        kept, {policy_.max_entries, policy_.max_transcript_bytes},
        {layout::transcript(worker.worker_ref.worker_id), "sequence"},
        [&](std::uint64_t sequence) { return time_of_entry(worker.worker_ref, sequence); });
    if (!trimmed) return std::move(trimmed).error();
    if (*trimmed) {
      plan_.items.push_back({TrimTranscript{worker.worker_ref, Sequence{(*trimmed)->before}},
                             (*trimmed)->before - kept.first, (*trimmed)->bytes});
    }
    return {};
  }

  const RetentionOptions& options_;
  const RetentionPolicy& policy_;
  const Reader& reader_;
  FileSystem& files_;
  RetentionPlan plan_;
};

}  // namespace

std::uint64_t RetentionPlan::bytes() const {
  std::uint64_t sum = 0;
  for (const RetentionItem& item : items) sum += item.bytes;
  return sum;
}

Result<RetentionPlan> plan_retention(const RetentionOptions& options) {
  auto reader = Reader::open(options.root, options.runtime_id);
  if (!reader) return std::move(reader).error();
  RuntimeId runtime_id;
  auto files = open_existing_directory(options.root, options.runtime_id, runtime_id);
  if (!files) return std::move(files).error();
  return RetentionPlanner(options, *reader, **files).run();
}

}  // namespace worker_runtime::fs_store
