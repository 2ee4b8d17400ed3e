// The rules of reads: see reads.h.
#include "worker_runtime/reads.h"

#include <algorithm>
#include <utility>

namespace worker_runtime {
namespace {

bool matches(const WorkerRecord& record, const DamagedWorkers& damaged, StatusFilter filter) {
  switch (filter) {
    case StatusFilter::running:
      return record.status == WorkerStatus::running;
    case StatusFilter::stopped:
      return record.status == WorkerStatus::stopped;
    case StatusFilter::cancelled:
      return record.status == WorkerStatus::cancelled;
    case StatusFilter::damaged:
      return damaged.contains(record.worker_id);
    default:
      return true;
  }
}

/// A log that keeps numbers first..last, and what is asked of it. A cursor is a number less `base`.
struct Asked {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  std::uint64_t base = 0;
  std::optional<std::uint64_t> cursor{};
  Direction direction = Direction::oldest_first;
};

Result<PageChoice> choose(const Asked& asked, std::uint64_t items, std::uint64_t bytes) {
  const auto& [first, last, base, cursor, direction] = asked;
  if (cursor && *cursor > last + 1 - base) {
    return Error(ErrorCode::cursor_ahead,
                 "cursor " + std::to_string(*cursor) + " is past the end of the log");
  }
  if (cursor && *cursor + base < first) {
    return Error(ErrorCode::cursor_expired,
                 "cursor " + std::to_string(*cursor) + " is before the first that is kept, " +
                     std::to_string(first - base),
                 CursorFields{first - base});
  }
  const bool up = direction == Direction::oldest_first;
  const std::uint64_t start = cursor ? *cursor + base : up ? first : last;
  if (start < first || start > last) return PageChoice();
  return PageChoice(up ? PageRange{start, last, direction, items, bytes}
                       : PageRange{first, start, direction, items, bytes});
}

}  // namespace

Result<std::uint64_t> page_items(std::optional<std::uint64_t> limit, const Limits& limits) {
  if (!limit) return limits.page_items;
  if (*limit == 0) return Error(ErrorCode::invalid_request, "a page limit must be at least 1");
  if (*limit > limits.page_items) {
    return Error(ErrorCode::limit_exceeded,
                 "a page has at most " + std::to_string(limits.page_items) + " items, not " +
                     std::to_string(*limit),
                 LimitFields{"page_items", *limit, limits.page_items});
  }
  return *limit;
}

Result<WorkerPointer> find_worker(const State& state, const WorkerRef& worker_ref) {
  if (worker_ref.runtime_id != state.runtime().runtime_id) {
    return Error(ErrorCode::wrong_runtime, "worker " + worker_ref.worker_id.text() +
                                               " belongs to runtime " +
                                               worker_ref.runtime_id.text() + ", not to " +
                                               state.runtime().runtime_id.text());
  }
  WorkerPointer worker = state.find(worker_ref.worker_id);
  if (!worker)
    return Error(ErrorCode::worker_not_found, "there is no worker " + worker_ref.worker_id.text());
  return worker;
}

WorkerSummary summarize(const WorkerState& worker, const RuntimeId& runtime_id,
                        const DamagedWorkers& damaged) {
  const WorkerRecord& record = worker.record;
  WorkerSummary summary;
  summary.worker_ref = {runtime_id, record.worker_id};
  summary.display_name = record.display_name;
  summary.status = record.status;
  if (const auto found = damaged.find(record.worker_id); found != damaged.end())
    summary.damaged = found->second;
  summary.transcript_len = record.last_sequence.value;
  summary.first_sequence = record.first_sequence;
  summary.last_event_id = record.last_event_id;
  summary.created_at = record.created_at;
  summary.updated_at = record.updated_at;
  summary.usage = record.usage;
  return summary;
}

RuntimeSummary summarize(const RuntimeRecord& record, const DamagedWorkers& damaged) {
  RuntimeSummary summary;
  summary.runtime_id = record.runtime_id;
  summary.display_name = record.display_name;
  summary.status = record.status;
  summary.worker_count = record.live_workers();
  summary.active_worker_count = record.running_workers;
  summary.stopped_worker_count = record.stopped_workers;
  summary.cancelled_worker_count = record.cancelled_workers;
  summary.damaged_worker_count = damaged.size();
  summary.event_count = record.last_event_id.value;
  summary.first_event_id = record.first_event_id;
  summary.transcript_entry_count = record.transcript_entries;
  summary.content_bytes = record.usage.content_bytes;
  summary.usage = record.usage;
  summary.limits = record.limits;
  return summary;
}

bool list_some(const State& state, const DamagedWorkers& damaged, const ListQuery& query,
               std::uint64_t items, std::size_t count, std::optional<WorkerId>& after,
               WorkerPage& page) {
  std::vector<WorkerPointer> found;
  bool at_end = false;
  if (query.status == StatusFilter::damaged) {
    // Few among many: not looked for among all.
    auto place = after ? damaged.upper_bound(*after) : damaged.begin();
    for (; place != damaged.end() && found.size() < count; ++place) {
      after = place->first;
      if (WorkerPointer worker = state.find(place->first)) found.push_back(std::move(worker));
    }
    at_end = place == damaged.end();
  } else {
    found = state.list(after, count);
    at_end = found.size() < count;
    if (!found.empty()) after = found.back()->record.worker_id;
  }
  for (const WorkerPointer& worker : found) {
    if (!matches(worker->record, damaged, query.status)) continue;
    if (page.workers.size() == items) {
      page.next_after = page.workers.back().worker_ref.worker_id;
      return true;
    }
    page.workers.push_back(summarize(*worker, state.runtime().runtime_id, damaged));
  }
  return at_end;
}

Result<WorkerPage> list_workers(const State& state, const DamagedWorkers& damaged,
                                const ListQuery& query) {
  auto items = page_items(query.limit, state.runtime().limits);
  if (!items) return std::move(items).error();
  constexpr std::size_t count = 256;
  WorkerPage page;
  std::optional<WorkerId> after = query.after;
  while (!list_some(state, damaged, query, *items, count, after, page)) {
  }
  return page;
}

Result<DiagnosticPage> read_diagnostics(const DiagnosticLog& log, const Limits& limits,
                                        std::uint64_t after, std::optional<std::uint64_t> limit) {
  auto items = page_items(limit, limits);
  if (!items) return std::move(items).error();
  return DiagnosticPage{log.read(after, *items), log.total()};
}

Result<PageChoice> choose_page(const RuntimeRecord& record, const EventQuery& query) {
  auto items = page_items(query.limit, record.limits);
  if (!items) return std::move(items).error();
  if (query.from && query.from->value == 0) {
    return Error(ErrorCode::invalid_request, "event ids start at 1");
  }
  Asked asked{record.first_event_id.value, record.last_event_id.value, 0, {}, query.direction};
  if (query.from) asked.cursor = query.from->value;
  return choose(asked, *items, record.limits.page_bytes);
}

EventPage finish_page(const RuntimeRecord& record, const EventQuery& query,
                      std::vector<Event> events, Epoch epoch) {
  EventPage page;
  page.epoch = epoch;
  page.events = std::move(events);
  if (page.events.empty()) {
    page.next = query.from.value_or(
        query.direction == Direction::oldest_first ? record.last_event_id.next() : EventId{});
    return page;
  }
  const std::uint64_t shown = page.events.back().id.value;
  if (query.direction == Direction::oldest_first) {
    page.next = EventId{shown + 1};
    page.has_more = shown < record.last_event_id.value;
  } else {
    page.has_more = shown > record.first_event_id.value;
    if (page.has_more) page.next = EventId{shown - 1};
  }
  return page;
}

Result<PageChoice> choose_page(const WorkerRecord& record, const Limits& limits,
                               const TranscriptQuery& query) {
  auto items = page_items(query.limit, limits);
  if (!items) return std::move(items).error();
  const Asked asked{record.first_sequence.value, record.last_sequence.value, 1, query.start,
                    query.direction};
  return choose(asked, *items, limits.page_bytes);
}

TranscriptPage finish_page(const WorkerRecord& record, const TranscriptQuery& query,
                           std::vector<TranscriptEntry> entries) {
  TranscriptPage page;
  page.items = std::move(entries);
  page.total = record.last_sequence.value;
  if (page.items.empty()) return page;
  const std::uint64_t shown = page.items.back().sequence.value;
  if (query.direction == Direction::oldest_first) {
    if (shown < page.total) page.next = shown;
  } else if (shown > record.first_sequence.value) {
    page.next = shown - 2;
  }
  return page;
}

Error with_transcript_cursor(Error error) {
  if (const auto* const expired = error.get<CursorFields>()) {
    return {error.code(), error.message(), CursorFields{expired->first_available - 1}};
  }
  const auto* const fields = error.get<FileFields>();
  if (fields == nullptr || !fields->next_readable || *fields->next_readable == 0) return error;
  FileFields shifted = *fields;
  --*shifted.next_readable;
  return {error.code(), error.message(), std::move(shifted)};
}

}  // namespace worker_runtime
