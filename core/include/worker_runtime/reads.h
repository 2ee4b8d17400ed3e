// Reads: the queries, the pages, and the rules that every front end of a catalog shares.
//
// A Runtime answers reads with the functions below; so does anything else that holds a State and
// the pages of a store, such as a reader in another process. All of them are pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker_runtime/commit.h"
#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/options.h"
#include "worker_runtime/result.h"
#include "worker_runtime/store.h"
#include "worker_runtime/worker.h"

#pragma GCC visibility push(default)
namespace worker_runtime {

enum class StatusFilter : std::uint8_t { any, running, stopped, cancelled, damaged };

struct ListQuery {
  StatusFilter status = StatusFilter::any;
  std::optional<WorkerId> after{};       ///< Workers behind this id; it need not exist.
  std::optional<std::uint64_t> limit{};  ///< None: Limits::page_items.
};
struct WorkerPage {
  std::vector<WorkerSummary> workers{};
  std::optional<WorkerId> next_after{};  ///< None at the end.
  bool operator==(const WorkerPage&) const = default;
};

struct EventQuery {
  /// Oldest first: the first to show. Newest first: the newest to show.
  std::optional<EventId> from{};
  std::optional<std::uint64_t> limit{};  ///< None: Limits::page_items.
  Direction direction = Direction::oldest_first;
};
struct TranscriptQuery {
  std::optional<std::uint64_t> start{};  ///< 0-based index (sequence - 1), as `from` of EventQuery.
  std::optional<std::uint64_t> limit{};  ///< None: Limits::page_items.
  Direction direction = Direction::oldest_first;
};

// ---- what a Runtime has done since it was opened, in numbers: for monitoring

/// How values are spread: how many were at most the first bound, above it and at most the second,
/// ..., above the last.
template <std::size_t bounds>
struct Histogram {
  std::array<std::uint64_t, bounds + 1> counts{};
  std::uint64_t sum = 0;  ///< Of the values.

  void add(std::uint64_t value, const std::array<std::uint64_t, bounds>& upper) {
    std::size_t bucket = 0;
    while (bucket < bounds && value > upper[bucket]) ++bucket;
    ++counts[bucket];
    sum += value;
  }
  bool operator==(const Histogram&) const = default;
};

/// Microseconds.
inline constexpr std::array<std::uint64_t, 16> latency_bounds{
    10,    20,     50,     100,    200,     500,     1'000,     2'000,
    5'000, 10'000, 20'000, 50'000, 100'000, 200'000, 1'000'000, 10'000'000};
inline constexpr std::array<std::uint64_t, 11> group_bounds{1,  2,   4,   8,   16,  32,
                                                            64, 128, 256, 512, 1024};

struct Metrics {
  std::uint64_t operations = 0;  ///< Mutations and batches that were answered, refusals included.
  std::uint64_t commits = 0;     ///< Of these, those that changed something, and are durable.
  std::uint64_t syncs = 0;       ///< Groups that were made durable; each is one sync.
  /// Of the operations, those that failed, by ErrorCode.
  std::array<std::uint64_t, static_cast<std::size_t>(ErrorCode::store_version) + 1> refused{};
  /// From the call to the answer, in microseconds, by latency_bounds.
  Histogram<latency_bounds.size()> latency;
  /// How long the store took to make each group durable, in microseconds, by latency_bounds: the
  /// part of the latency that is the disk's.
  Histogram<latency_bounds.size()> sync_latency;
  /// Operations a group, by group_bounds.
  Histogram<group_bounds.size()> group_operations;
  bool operator==(const Metrics&) const = default;
};

// ---- the overview

/// The overview of a Runtime. Totals count all ever recorded, what was deleted or trimmed included.
struct RuntimeSummary {
  RuntimeId runtime_id;
  std::optional<std::string> display_name{};
  std::string backend;
  Durability durability = Durability::sync;
  Epoch epoch;
  RuntimeStatus status = RuntimeStatus::running;
  std::uint64_t worker_count = 0;
  std::uint64_t active_worker_count = 0;
  std::uint64_t stopped_worker_count = 0;
  std::uint64_t cancelled_worker_count = 0;
  std::uint64_t damaged_worker_count = 0;
  std::uint64_t event_count = 0;
  EventId first_event_id{1};  ///< The first event that is kept; those below were trimmed.
  std::uint64_t transcript_entry_count = 0;
  std::uint64_t content_bytes = 0;
  Usage usage{};
  std::uint64_t diagnostic_count = 0;
  Limits limits;
  std::optional<StoreHealth> store{};  ///< None in memory.
  bool operator==(const RuntimeSummary&) const = default;
};

/// Workers whose files are damaged, with the cause.
using DamagedWorkers = std::map<WorkerId, std::string>;

/// `wrong_runtime` or `worker_not_found`.
Result<WorkerPointer> find_worker(const State& state, const WorkerRef& worker_ref);

WorkerSummary summarize(const WorkerState& worker, const RuntimeId& runtime_id,
                        const DamagedWorkers& damaged);
/// All but backend, durability, epoch, diagnostics and store.
RuntimeSummary summarize(const RuntimeRecord& record, const DamagedWorkers& damaged);

Result<WorkerPage> list_workers(const State& state, const DamagedWorkers& damaged,
                                const ListQuery& query);

/// The same in steps of bounded work, for who holds a lock meanwhile: looks at up to `count`
/// Workers behind `after`, adds to the page what the query asks for, and moves `after` on. True
/// when the page is complete.
bool list_some(const State& state, const DamagedWorkers& damaged, const ListQuery& query,
               std::uint64_t items, std::size_t count, std::optional<WorkerId>& after,
               WorkerPage& page);
Result<DiagnosticPage> read_diagnostics(const DiagnosticLog& log, const Limits& limits,
                                        std::uint64_t after, std::optional<std::uint64_t> limit);

/// How many items a page may have: `limit`, or all that the limits allow if it is not given.
/// `invalid_request` for 0, `limit_exceeded` (page_items). The first check of every read.
Result<std::uint64_t> page_items(std::optional<std::uint64_t> limit, const Limits& limits);

/// What a query asks of the store: none is an empty page.
using PageChoice = std::optional<PageRange>;

Result<PageChoice> choose_page(const RuntimeRecord& record, const EventQuery& query);
EventPage finish_page(const RuntimeRecord& record, const EventQuery& query,
                      std::vector<Event> events, Epoch epoch);

Result<PageChoice> choose_page(const WorkerRecord& record, const Limits& limits,
                               const TranscriptQuery& query);
TranscriptPage finish_page(const WorkerRecord& record, const TranscriptQuery& query,
                           std::vector<TranscriptEntry> entries);

/// An error of a store about a transcript, with its cursors as indexes instead of sequences.
Error with_transcript_cursor(Error error);

/// Reads a page of a store by `read(range)`. One that was asked for without a cursor starts where
/// the log starts, even if a trim has just moved that.
template <typename Read>
auto read_kept(PageRange range, bool has_cursor, const Read& read) -> decltype(read(range)) {
  for (;;) {
    auto page = read(range);
    const auto* const expired = page ? nullptr : page.error().template get<CursorFields>();
    if (expired == nullptr || has_cursor) return page;
    if (expired->first_available > range.last) return typename decltype(page)::value_type();
    range.first = expired->first_available;
  }
}

}  // namespace worker_runtime
#pragma GCC visibility pop
