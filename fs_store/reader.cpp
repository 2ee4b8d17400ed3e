// Reading without the lock: see reader.h.
//
// A Reader loads the store as recovery does, but only looks, and loads it anew once the writer has
// gone on. Beside a writer it shows commits up to the LSN in journal/durable, which the writer
// overwrites after each sync. If nobody holds the lock it first syncs the journal: what it shows
// must survive a power cut, and the page cache alone does not tell.
#include "worker_runtime/fs_store/reader.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "layout.h"
#include "open.h"
#include "pages.h"
#include "recovery.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::chrono::milliseconds refresh_interval{40};
constexpr std::chrono::milliseconds poll_interval{50};

/// One consistent look at the store.
struct View {
  explicit View(FileSystem& file_system) : logs(file_system, UINT64_MAX), catalog(file_system) {}
  Logs logs;
  Catalog catalog;
  std::optional<Loaded> loaded;
  std::shared_ptr<DiagnosticLog> diagnostics;
  Epoch epoch;
  Lsn last_lsn;
  Durability durability = Durability::sync;
  bool live = false;  // a writer was there
};

/// A writer may drop a segment or a catalog between two steps of a load.
bool may_pass(const Error& error) {
  return error.code() == ErrorCode::store_io || error.code() == ErrorCode::store_corrupt;
}

/// The Workers behind `after` whose transcripts end in damage: at least one more than `limit`, if
/// there are so many, so that a page of them knows its end.
Result<DamagedWorkers> find_damaged(const View& view, std::optional<WorkerId> after,
                                    std::optional<std::uint64_t> limit) {
  constexpr std::size_t step = 256;
  const State& state = view.loaded->state;
  const std::uint64_t enough = limit.value_or(state.runtime().limits.page_items);
  DamagedWorkers damaged;
  while (damaged.size() <= enough) {
    const std::vector<WorkerPointer> workers = state.list(after, step);
    if (workers.empty()) break;
    for (const WorkerPointer& worker : workers) {
      auto cause = view.logs.check_end(worker->record.worker_id);
      if (!cause) return std::move(cause).error();
      if (*cause) damaged.emplace(worker->record.worker_id, std::move(**cause));
    }
    after = workers.back()->record.worker_id;
  }
  return damaged;
}

/// How many Workers a writer has found to be damaged: a summary reads no file for each Worker.
std::uint64_t reported_damaged(const View& view) {
  std::set<WorkerId> damaged;
  for (const Diagnostic& diagnostic : view.diagnostics->snapshot()) {
    if (diagnostic.code == "worker.damaged" && diagnostic.worker_ref &&
        view.loaded->state.find(diagnostic.worker_ref->worker_id)) {
      damaged.insert(diagnostic.worker_ref->worker_id);
    }
  }
  return damaged.size();
}

}  // namespace

class Reader::Implementation {
 public:
  Implementation(std::unique_ptr<FileSystem> file_system, RuntimeId runtime_id)
      : file_system_(std::move(file_system)), runtime_id_(std::move(runtime_id)) {}

  /// The newest view: a look at the writer's mark, and a load only if it has moved.
  Result<std::shared_ptr<const View>> view() const {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (view_ && now - looked_at_ < refresh_interval) return view_;
    const bool live = file_system_->is_locked(std::string(layout::lock));
    const auto mark = read_durable_mark(*file_system_);
    looked_at_ = now;
    const bool same = view_ && mark && mark->lsn == view_->last_lsn && live == view_->live &&
                      (!live || mark->epoch == view_->epoch);
    if (same) return view_;
    constexpr int attempts_max = 10;
    for (int attempt = 1;; ++attempt) {
      auto loaded = load_view();
      if (loaded) {
        view_ = std::move(*loaded);
        return view_;
      }
      if (!may_pass(loaded.error()) || attempt == attempts_max) return std::move(loaded).error();
      // tidy-allow(sleep): a few milliseconds, until the writer has made its next step
      std::this_thread::sleep_for(std::chrono::milliseconds(attempt));
    }
  }

  /// Runs `read` on the newest view, and once more on a newer one if a file moved under it.
  template <typename Read>
  auto with_view(Read read) const -> decltype(read(std::declval<const View&>())) {
    for (int attempt = 1;; ++attempt) {
      auto current = view();
      if (!current) return std::move(current).error();
      auto answer = read(**current);
      if (answer || !(*current)->live || !may_pass(answer.error()) || attempt == 3) return answer;
      const std::lock_guard lock(mutex_);
      view_.reset();
    }
  }

  [[nodiscard]] const RuntimeId& runtime_id() const { return runtime_id_; }
  [[nodiscard]] FileSystem& file_system() const { return *file_system_; }

 private:
  Result<std::shared_ptr<const View>> load_view() const {
    auto view = std::make_shared<View>(*file_system_);
    view->live = file_system_->is_locked(std::string(layout::lock));
    const auto mark = read_durable_mark(*file_system_);
    LoadLimits limits;
    const bool writer_failed = mark && mark->writer == DurableMark::Writer::failed;
    if (mark && (view->live || writer_failed)) limits.last_lsn = mark->lsn;
    if (mark && mark->durability == Durability::sync) limits.proof = mark->lsn;
    if (mark) view->durability = mark->durability;
    if (!view->live && !writer_failed) {
      auto synced = sync_journal();
      if (!synced) return std::move(synced).error();
    }
    Decoder decoder;
    auto loaded = load(*file_system_, decoder, runtime_id_, limits, view->catalog, view->logs);
    if (!loaded) return std::move(loaded).error();
    view->loaded = std::move(*loaded);
    view->epoch = std::max(view->loaded->snapshot.epoch, view->loaded->journal.epoch);
    view->last_lsn = view->loaded->state.runtime().lsn;
    view->diagnostics =
        std::make_shared<DiagnosticLog>(view->loaded->snapshot.record.limits.diagnostics_kept);
    view->diagnostics->restore(view->loaded->snapshot.diagnostics,
                               view->loaded->snapshot.diagnostics_total);
    return std::shared_ptr<const View>(std::move(view));
  }

  /// Only the last segment can hold records that are not durable yet.
  Result<void> sync_journal() const {
    auto entries = file_system_->list(std::string(layout::journal));
    if (!entries) return std::move(entries).error();
    std::string last;
    for (const DirectoryEntry& entry : *entries) {
      if (layout::parse_segment(entry.name)) last = entry.name;
    }
    if (last.empty()) return {};
    auto file = file_system_->open(std::string(layout::journal) + "/" + last, OpenMode::read);
    if (!file) return std::move(file).error();
    return (*file)->sync();
  }

  const std::unique_ptr<FileSystem> file_system_;
  const RuntimeId runtime_id_;
  mutable std::mutex mutex_;  // guards what follows; held while loading
  mutable std::shared_ptr<const View> view_;
  mutable std::chrono::steady_clock::time_point looked_at_;
};

Reader::Reader(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Reader> Reader::open(const std::filesystem::path& root,
                            std::optional<RuntimeId> runtime_id) {
  StoreOptions options;
  options.root = root;
  options.runtime_id = std::move(runtime_id);
  RuntimeId found;
  auto directory = open_runtime_directory(options, found);
  if (!directory) return std::move(directory).error();
  auto implementation = std::make_unique<Implementation>(std::move(*directory), std::move(found));
  auto view = implementation->view();
  if (!view) return std::move(view).error();
  return Reader(std::move(implementation));
}

Result<WorkerPage> Reader::list_workers(const ListQuery& query) const {
  return implementation_->with_view([&](const View& view) -> Result<WorkerPage> {
    if (query.status == StatusFilter::damaged) {
      auto damaged = find_damaged(view, query.after, query.limit);
      if (!damaged) return std::move(damaged).error();
      return worker_runtime::list_workers(view.loaded->state, *damaged, query);
    }
    auto page = worker_runtime::list_workers(view.loaded->state, {}, query);
    if (!page) return page;
    for (WorkerSummary& worker : page->workers) {
      auto cause = view.logs.check_end(worker.worker_ref.worker_id);
      if (!cause) return std::move(cause).error();
      worker.damaged = std::move(*cause);
    }
    return page;
  });
}

Result<WorkerDetail> Reader::worker_detail(const WorkerRef& worker_ref) const {
  return implementation_->with_view([&](const View& view) -> Result<WorkerDetail> {
    auto worker = find_worker(view.loaded->state, worker_ref);
    if (!worker) return std::move(worker).error();
    WorkerDetail detail{summarize(**worker, implementation_->runtime_id(), {}), std::nullopt};
    Decoder decoder;
    const auto changed = view.loaded->changes.workers.find(worker_ref.worker_id);
    auto request = changed != view.loaded->changes.workers.end() && !changed->second.create.empty()
                       ? decoder.create_request(changed->second.create)
                       : read_create(view.catalog, decoder, worker_ref.worker_id);
    if (request) {
      detail.request = std::move(*request);
    } else if (view.live) {
      return std::move(request).error();  // the catalog may have been written anew: look again
    } else {
      detail.summary.damaged = request.error().message();
    }
    if (detail.summary.damaged) return detail;
    // One Worker's log is cheap to look at; whoever asks for one wants to know.
    auto cause = view.logs.check_end(worker_ref.worker_id);
    if (!cause) return std::move(cause).error();
    detail.summary.damaged = std::move(*cause);
    return detail;
  });
}

Result<RuntimeSummary> Reader::summary() const {
  return implementation_->with_view([&](const View& view) -> Result<RuntimeSummary> {
    RuntimeSummary summary = summarize(view.loaded->state.runtime(), {});
    summary.backend = "fs_store";
    summary.damaged_worker_count = reported_damaged(view);
    summary.durability = view.durability;
    summary.epoch = view.epoch;
    summary.diagnostic_count = view.diagnostics->total();
    StoreHealth health;
    auto space = implementation_->file_system().space();
    if (space) health.free_bytes = space->free_bytes;
    health.journal_bytes = view.loaded->journal.bytes;
    health.durable_lsn = view.last_lsn;
    health.checkpoint_lsn = view.loaded->snapshot.record.lsn;
    summary.store = std::move(health);
    return summary;
  });
}

Result<DiagnosticPage> Reader::diagnostics(std::uint64_t after,
                                           std::optional<std::uint64_t> limit) const {
  return implementation_->with_view([&](const View& view) {
    return read_diagnostics(*view.diagnostics, view.loaded->state.runtime().limits, after, limit);
  });
}

Result<EventPage> Reader::read_events(const EventQuery& query) const {
  return implementation_->with_view([&](const View& view) -> Result<EventPage> {
    const RuntimeRecord& record = view.loaded->state.runtime();
    auto choice = choose_page(record, query);
    if (!choice) return std::move(choice).error();
    if (!*choice) return finish_page(record, query, {}, view.epoch);
    auto events = read_event_page(view.logs, **choice);
    if (!events) return std::move(events).error();
    return finish_page(record, query, std::move(*events), view.epoch);
  });
}

Result<TranscriptPage> Reader::read_transcript(const WorkerRef& worker_ref,
                                               const TranscriptQuery& query) const {
  return implementation_->with_view([&](const View& view) -> Result<TranscriptPage> {
    const Limits& limits = view.loaded->state.runtime().limits;
    auto items = page_items(query.limit, limits);
    if (!items) return std::move(items).error();
    auto worker = find_worker(view.loaded->state, worker_ref);
    if (!worker) return std::move(worker).error();
    const WorkerRecord& record = (*worker)->record;
    auto choice = choose_page(record, limits, query);
    if (!choice) return std::move(choice).error();
    if (!*choice) return finish_page(record, query, {});
    auto entries = read_transcript_page(view.logs, worker_ref, **choice);
    if (!entries) return with_transcript_cursor(std::move(entries).error());
    return finish_page(record, query, std::move(*entries));
  });
}

Result<EventPage> Reader::wait_events(
    EventId from, std::chrono::milliseconds timeout,
    // NOLINTNEXTLINE(performance-unnecessary-value-param): callers give one that they made
    std::stop_token stop, std::optional<std::uint64_t> limit) const {
  EventQuery query;
  query.from = from;
  query.limit = limit;
  const auto wait = std::clamp(timeout, std::chrono::milliseconds(0),
                               std::chrono::milliseconds(std::chrono::hours(24 * 365)));
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    auto page = read_events(query);
    const auto now = std::chrono::steady_clock::now();
    if (!page || !page->events.empty() || now >= deadline || stop.stop_requested()) return page;
    // tidy-allow(sleep): another process wakes nobody here; the stop token is looked at each time
    std::this_thread::sleep_for(std::min(
        poll_interval, std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now) +
                           std::chrono::milliseconds(1)));
  }
}

}  // namespace worker_runtime::fs_store
