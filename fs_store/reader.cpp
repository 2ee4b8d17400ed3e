// Reading without the lock: see reader.h.
//
// A Reader holds a View (reader_view.h) and carries it on, or loads another one, when the writer
// has gone on and somebody asks. Who waits is woken by the files' own changes where the system can
// tell them, and looks from time to time all the same.
#include "worker_runtime/fs_store/reader.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "layout.h"
#include "open.h"
#include "pages.h"
#include "reader_view.h"

namespace worker_runtime::fs_store {
namespace {

/// So old may a view be that is shown without a look at the writer's mark.
constexpr std::chrono::milliseconds refresh_interval{40};
/// How often a wait looks where changes are told, for what is not told (the death of a writer that
/// never closed); where they are not; and at most, while they come thick and fast.
constexpr std::chrono::milliseconds watched_interval{1000};
constexpr std::chrono::milliseconds unwatched_interval{50};
constexpr std::chrono::milliseconds wake_interval{5};

/// Whether a read shows what a moment ago was the newest, or looks.
enum class Look : std::uint8_t { recent, now };

/// The Workers behind `after` of which `damage_of` tells a cause: at least one more than `limit`,
/// if there are so many, so that a page of them knows its end.
template <typename DamageOf>
Result<DamagedWorkers> find_damaged(const View& view, std::optional<WorkerId> after,
                                    std::optional<std::uint64_t> limit, DamageOf damage_of) {
  constexpr std::size_t step = 256;
  DamagedWorkers damaged;
  for (;;) {
    std::uint64_t enough = 0;
    const auto workers = view.with_loaded([&](const Loaded& loaded) {
      enough = limit.value_or(loaded.state.runtime().limits.page_items);
      return loaded.state.list(after, step);
    });
    if (workers.empty() || damaged.size() > enough) return damaged;
    for (const WorkerPointer& worker : workers) {
      const WorkerId& worker_id = worker->record.worker_id;
      auto cause = damage_of(worker_id);
      if (!cause) return std::move(cause).error();
      if (*cause) damaged.emplace(worker_id, std::move(**cause));
    }
    after = workers.back()->record.worker_id;
  }
}

/// How many Workers a writer has found to be damaged: a summary reads no file for each Worker.
std::uint64_t reported_damaged(const DiagnosticLog& diagnostics, const State& state) {
  std::set<WorkerId> damaged;
  for (const Diagnostic& diagnostic : diagnostics.snapshot()) {
    if (diagnostic.code == "worker.damaged" && diagnostic.worker_ref &&
        state.find(diagnostic.worker_ref->worker_id)) {
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

  /// The newest view: a look at the writer's mark, and what it takes to get there.
  Result<std::shared_ptr<const View>> view(Look look) const {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (look == Look::recent && view_ && now - looked_at_ < refresh_interval) return shown();
    looked_at_ = now;
    if (view_) {
      auto standing = view_->advance();
      if (standing && *standing == View::Standing::current) return shown();
    }
    auto loaded = load();
    if (!loaded) return std::move(loaded).error();
    return shown();
  }

  /// Runs `read` on the newest view, and again on a newer one if files moved under it.
  template <typename Read>
  auto with_view(Look look, Read read) const -> decltype(read(std::declval<const View&>())) {
    constexpr int attempts_max = 3;
    for (int attempt = 1;; ++attempt) {
      auto current = view(look);
      if (!current) return std::move(current).error();
      auto answer = read(**current);
      if (answer || !may_pass(answer.error()) || attempt == attempts_max) return answer;
      if (!drop_moved(*current)) return answer;
    }
  }

  /// Repeats `read` until its page has something in it, it fails, or the wait ends.
  template <typename Read>
  auto wait(std::chrono::milliseconds timeout, const std::stop_token& stop, Read read) const
      -> decltype(read(Look::now)) {
    const auto bounded = std::clamp(timeout, std::chrono::milliseconds(0),
                                    std::chrono::milliseconds(std::chrono::hours(24 * 365)));
    const auto deadline = std::chrono::steady_clock::now() + bounded;
    std::unique_ptr<ChangeWatch> watch;
    bool watch_asked = false;
    for (;;) {
      auto page = read(Look::now);
      const auto now = std::chrono::steady_clock::now();
      if (!page || !is_empty(*page) || now >= deadline || stop.stop_requested()) return page;
      if (!watch_asked) {
        watch_asked = true;
        watch =
            file_system_->watch(std::string(layout::journal), std::string(layout::durable_name));
        continue;  // what came before the watch was there is told by nobody
      }
      if (watch) {
        pause_until(std::min(deadline, now + wake_interval), stop);
        watch->wait(std::min(deadline, now + watched_interval), stop);
      } else {
        pause_until(std::min(deadline, now + unwatched_interval), stop);
      }
    }
  }

  /// The cause, if the transcript of a Worker of the view ends in damage.
  Result<std::optional<std::string>> damage_of(const View& view, const WorkerId& worker_id) const {
    auto cause = check_transcript(view.logs(), {runtime_id_, worker_id});
    if (!cause || !*cause) return cause;
    // The files of one that was deleted since are gone, or parts that were trimmed since; nothing
    // was wrong when the view was made.
    auto newest = this->view(Look::now);
    if (!newest) return std::move(newest).error();
    const bool is_there = (*newest)->with_loaded(
        [&](const Loaded& loaded) { return loaded.state.find(worker_id) != nullptr; });
    if (!is_there) return std::optional<std::string>();
    return check_transcript((*newest)->logs(), {runtime_id_, worker_id});
  }

  /// Visits lines from number `first` on (none: from the first kept one). `last_of` tells the last
  /// number of a view, or why there is none.
  template <typename LastOf, typename ReadLines>
  Result<void> visit(std::optional<std::uint64_t> first, const WorkerId* worker_id, LastOf last_of,
                     ReadLines read_lines, const LineVisitor& visitor) const {
    constexpr std::uint64_t lines_at_once = 4096;
    std::uint64_t next = first.value_or(1);
    bool enough = false;
    // Where files move under it, it goes on from where it was, in a newer view.
    return with_view(Look::recent, [&](const View& view) -> Result<void> {
      auto last = view.with_loaded(last_of);
      if (!last) return std::move(last).error();
      if (next > *last + 1) {
        return Error(ErrorCode::cursor_ahead, "there is no line so far", CursorFields{*last + 1});
      }
      while (!enough) {
        if (!first) next = std::max(next, view.logs().first_kept(worker_id));
        if (next > *last) return {};
        const PageRange range{next, *last, Direction::oldest_first, lines_at_once};
        const std::uint64_t before = next;
        auto read =
            read_lines(view.logs(), range, [&](std::uint64_t number, std::string_view line) {
              next = number + 1;
              enough = !visitor(number, line);
              return !enough && next < before + lines_at_once;
            });
        // Trimmed meanwhile: without a cursor it goes on with what is kept.
        const bool goes_on = !read && !first && read.error().code() == ErrorCode::cursor_expired;
        if (!read && !goes_on) return read;
      }
      return {};
    });
  }

  Result<EventPage> read_events(Look look, const EventQuery& query) const;
  Result<TranscriptPage> read_transcript(Look look, const WorkerRef& worker_ref,
                                         const TranscriptQuery& query) const;

  [[nodiscard]] const RuntimeId& runtime_id() const { return runtime_id_; }
  [[nodiscard]] FileSystem& file_system() const { return *file_system_; }

 private:
  static bool is_empty(const EventPage& page) { return page.events.empty(); }
  static bool is_empty(const TranscriptPage& page) { return page.items.empty(); }

  [[nodiscard]] std::shared_ptr<const View> shown() const { return view_; }

  Result<void> load() const {
    auto loaded = View::load(*file_system_, runtime_id_);
    if (!loaded) return std::move(loaded).error();
    view_ = std::move(*loaded);
    return {};
  }

  /// After a read that failed: whether another view may do better. One beside a writer may always.
  bool drop_moved(const std::shared_ptr<const View>& failed) const {
    const std::lock_guard lock(mutex_);
    if (view_ != failed) return true;
    if (!failed->is_live()) {
      auto standing = view_->advance();
      if (standing && *standing == View::Standing::current) return false;
    }
    view_.reset();
    return true;
  }

  const std::unique_ptr<FileSystem> file_system_;
  const RuntimeId runtime_id_;
  mutable std::mutex mutex_;  // guards what follows; held while loading
  mutable std::shared_ptr<View> view_;
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
  auto view = implementation->view(Look::now);
  if (!view) return std::move(view).error();
  return Reader(std::move(implementation));
}

Result<WorkerPage> Reader::list_workers(const ListQuery& query) const {
  return implementation_->with_view(Look::recent, [&](const View& view) -> Result<WorkerPage> {
    const auto damage_of = [&](const WorkerId& worker_id) {
      return implementation_->damage_of(view, worker_id);
    };
    DamagedWorkers damaged;
    const bool only_damaged = query.status == StatusFilter::damaged;
    if (only_damaged) {
      auto found = find_damaged(view, query.after, query.limit, damage_of);
      if (!found) return std::move(found).error();
      damaged = std::move(*found);
    }
    auto page = view.with_loaded([&](const Loaded& loaded) {
      return worker_runtime::list_workers(loaded.state, damaged, query);
    });
    if (!page || only_damaged) return page;
    for (WorkerSummary& worker : page->workers) {
      auto cause = damage_of(worker.worker_ref.worker_id);
      if (!cause) return std::move(cause).error();
      worker.damaged = std::move(*cause);
    }
    return page;
  });
}

Result<WorkerDetail> Reader::worker_detail(const WorkerRef& worker_ref) const {
  return implementation_->with_view(Look::recent, [&](const View& view) -> Result<WorkerDetail> {
    std::string create;  // of a Worker that the catalog does not have yet
    auto worker = view.with_loaded([&](const Loaded& loaded) {
      const auto changed = loaded.changes.workers.find(worker_ref.worker_id);
      if (changed != loaded.changes.workers.end()) create = changed->second.create;
      return find_worker(loaded.state, worker_ref);
    });
    if (!worker) return std::move(worker).error();
    WorkerDetail detail{summarize(**worker, implementation_->runtime_id(), {}), std::nullopt};
    Decoder decoder;
    auto request = create.empty() ? read_create(view.catalog(), decoder, worker_ref.worker_id)
                                  : decoder.create_request(create);
    if (request) {
      detail.request = std::move(*request);
    } else if (view.is_live() || request.error().code() == ErrorCode::store_io) {
      // The catalog may have been written anew: look again. Or it can't be read: that is no damage.
      return std::move(request).error();
    } else {
      detail.summary.damaged = request.error().message();
    }
    if (detail.summary.damaged) return detail;
    auto cause = implementation_->damage_of(view, worker_ref.worker_id);
    if (!cause) return std::move(cause).error();
    detail.summary.damaged = std::move(*cause);
    return detail;
  });
}

Result<RuntimeSummary> Reader::summary() const {
  return implementation_->with_view(Look::recent, [&](const View& view) -> Result<RuntimeSummary> {
    RuntimeSummary summary;
    StoreHealth health;
    view.with_loaded([&](const Loaded& loaded) {
      summary = summarize(loaded.state.runtime(), {});
      summary.damaged_worker_count = reported_damaged(view.diagnostics(), loaded.state);
      health.journal_bytes = loaded.journal.bytes;
      health.durable_lsn = loaded.state.runtime().lsn;
      health.checkpoint_lsn = loaded.snapshot.record.lsn;
    });
    summary.backend = "fs_store";
    summary.durability = view.durability();
    summary.epoch = view.epoch();
    summary.diagnostic_count = view.diagnostics().total();
    auto space = implementation_->file_system().space();
    if (space) health.free_bytes = space->free_bytes;
    summary.store = std::move(health);
    return summary;
  });
}

Result<DiagnosticPage> Reader::diagnostics(std::uint64_t after,
                                           std::optional<std::uint64_t> limit) const {
  return implementation_->with_view(Look::recent, [&](const View& view) {
    const Limits limits =
        view.with_loaded([](const Loaded& loaded) { return loaded.state.runtime().limits; });
    return read_diagnostics(view.diagnostics(), limits, after, limit);
  });
}

Result<EventPage> Reader::Implementation::read_events(Look look, const EventQuery& query) const {
  return with_view(look, [&](const View& view) -> Result<EventPage> {
    const RuntimeRecord record =
        view.with_loaded([](const Loaded& loaded) { return loaded.state.runtime(); });
    auto choice = choose_page(record, query);
    if (!choice) return std::move(choice).error();
    if (!*choice) return finish_page(record, query, {}, view.epoch());
    auto events = read_kept(**choice, query.from.has_value(), [&](const PageRange& range) {
      return read_event_page(view.logs(), range);
    });
    if (!events) return std::move(events).error();
    return finish_page(record, query, std::move(*events), view.epoch());
  });
}

Result<TranscriptPage> Reader::Implementation::read_transcript(Look look,
                                                               const WorkerRef& worker_ref,
                                                               const TranscriptQuery& query) const {
  return with_view(look, [&](const View& view) -> Result<TranscriptPage> {
    const auto find = [&](const Loaded& loaded) { return find_worker(loaded.state, worker_ref); };
    const Limits limits =
        view.with_loaded([](const Loaded& loaded) { return loaded.state.runtime().limits; });
    auto items = page_items(query.limit, limits);
    if (!items) return std::move(items).error();
    auto worker = view.with_loaded(find);
    if (!worker) return std::move(worker).error();
    const WorkerRecord& record = (*worker)->record;
    auto choice = choose_page(record, limits, query);
    if (!choice) return std::move(choice).error();
    if (!*choice) return finish_page(record, query, {});
    auto entries = read_kept(**choice, query.start.has_value(), [&](const PageRange& range) {
      return read_transcript_page(view.logs(), worker_ref, range);
    });
    if (!entries || entries->empty()) {
      // Deleted between the two looks, or damaged.
      auto again = view.with_loaded(find);
      if (!again) return std::move(again).error();
    }
    if (!entries) return with_transcript_cursor(std::move(entries).error());
    return finish_page(record, query, std::move(*entries));
  });
}

Result<EventPage> Reader::read_events(const EventQuery& query) const {
  return implementation_->read_events(Look::recent, query);
}

Result<TranscriptPage> Reader::read_transcript(const WorkerRef& worker_ref,
                                               const TranscriptQuery& query) const {
  return implementation_->read_transcript(Look::recent, worker_ref, query);
}

Result<void> Reader::visit_events(std::optional<EventId> from, const LineVisitor& visitor) const {
  const auto last_of = [](const Loaded& loaded) -> Result<std::uint64_t> {
    return loaded.state.runtime().last_event_id.value;
  };
  const auto read_lines = [](const Logs& logs, const PageRange& range, const LineVisitor& see) {
    return logs.read_events(range, see);
  };
  return implementation_->visit(from ? std::optional(from->value) : std::nullopt, nullptr, last_of,
                                read_lines, visitor);
}

Result<void> Reader::visit_transcript(const WorkerRef& worker_ref,
                                      std::optional<std::uint64_t> start,
                                      const LineVisitor& visitor) const {
  const auto last_of = [&](const Loaded& loaded) -> Result<std::uint64_t> {
    auto worker = find_worker(loaded.state, worker_ref);
    if (!worker) return std::move(worker).error();
    return (*worker)->record.last_sequence.value;
  };
  const auto read_lines = [&](const Logs& logs, const PageRange& range, const LineVisitor& see) {
    return logs.read_transcript(worker_ref.worker_id, range, see);
  };
  auto done = implementation_->visit(start ? std::optional(*start + 1) : std::nullopt,
                                     &worker_ref.worker_id, last_of, read_lines, visitor);
  if (!done) return with_transcript_cursor(std::move(done).error());
  return done;
}

Result<EventPage> Reader::wait_events(
    EventId from, std::chrono::milliseconds timeout,
    // NOLINTNEXTLINE(performance-unnecessary-value-param): callers give one that they made
    std::stop_token stop, std::optional<std::uint64_t> limit) const {
  EventQuery query;
  query.from = from;
  query.limit = limit;
  return implementation_->wait(
      timeout, stop, [&](Look look) { return implementation_->read_events(look, query); });
}

Result<TranscriptPage> Reader::wait_transcript(
    const WorkerRef& worker_ref, std::uint64_t start, std::chrono::milliseconds timeout,
    // NOLINTNEXTLINE(performance-unnecessary-value-param): callers give one that they made
    std::stop_token stop, std::optional<std::uint64_t> limit) const {
  TranscriptQuery query;
  query.start = start;
  query.limit = limit;
  return implementation_->wait(timeout, stop, [&](Look look) {
    return implementation_->read_transcript(look, worker_ref, query);
  });
}

}  // namespace worker_runtime::fs_store
