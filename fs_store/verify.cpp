// Checking every byte of a store. The decisions are those of the readers: the same load(), the same
// scan of the journal, the same codec; what is added here is that every line of every file is
// looked at.
//
// Beside a writer the durable LSN is taken first, and everything up to it is required. What such a
// run finds is looked at again by a second one, and only what both saw is told: a checkpoint may
// have moved files meanwhile.
#include "worker_runtime/fs_store/verify.h"

#include <algorithm>
#include <map>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "line_scanner.h"
#include "log_file.h"
#include "open.h"
#include "recovery.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

bool VerifyReport::clean() const {
  return !truncated && std::all_of(findings.begin(), findings.end(), [](const auto& found) {
    return found.severity == Severity::info;
  });
}

namespace {

constexpr std::uint64_t view_bytes_max = std::uint64_t{8} << 20U;

/// One look at the whole store.
class Run {
 public:
  Run(FileSystem& file_system, const RuntimeId& runtime_id, const VerifyOptions& options, bool live)
      : file_system_(file_system),
        runtime_id_(runtime_id),
        options_(options),
        live_(live),
        logs_(file_system, UINT64_MAX),
        catalog_(file_system) {}

  Result<VerifyReport> run() {
    auto loaded = load_all();
    if (!loaded) return std::move(loaded).error();
    auto entries = file_system_.list("");
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      auto checked = check_top(entry);
      if (!checked) return std::move(checked).error();
    }
    check_log_is_complete(nullptr, events_seen_, std::string(layout::events) + ".jsonl");
    check_workers_exist();
    return std::move(report_);
  }

 private:
  // ---- what the reader says

  Result<void> load_all() {
    const auto mark = read_durable_mark(file_system_);
    LoadLimits limits;
    if (mark && mark->durability == Durability::sync) limits.proof = mark->lsn;
    if (live_ && mark) limits.last_lsn = mark->lsn;
    auto loaded = load(file_system_, decoder_, runtime_id_, limits, catalog_, logs_);
    if (loaded) {
      loaded_ = std::move(*loaded);
      for (const Catalog::Repaired& repaired : loaded_->catalog_repairs) {
        find(Severity::warning, "catalog_line_damaged", repaired.message,
             layout::catalog(loaded_->snapshot.catalog.lsn), repaired.line);
      }
      if (loaded_->journal.torn && !live_) {
        const TornTail& torn = *loaded_->journal.torn;
        find(Severity::info, "torn_tail",
             "the journal ends in a torn tail of " + std::to_string(torn.bytes) + " bytes",
             torn.path, torn.line, torn.offset);
      }
      return {};
    }
    if (loaded.error().code() != ErrorCode::store_corrupt) return std::move(loaded).error();
    find(loaded.error());
    return {};
  }

  // ---- the files

  Result<void> check_top(const DirectoryEntry& entry) {
    if (options_.stop.stop_requested()) return {};
    const std::string& name = entry.name;
    if (entry.kind == EntryKind::directory) {
      if (name == layout::journal) return check_journal();
      if (name == layout::workers) return check_workers();
      if (name == layout::quarantine) return {};
      return stray(name);
    }
    if (entry.kind == EntryKind::file) {
      if (name == layout::lock) return {};
      if (name == layout::runtime_json) return check_lines(name, Kind::snapshot);
      if (const auto lsn = layout::parse_catalog(name)) {
        if (loaded_ && *lsn != loaded_->snapshot.catalog.lsn) return stray(name);
        return check_lines(name, Kind::catalog);
      }
      if (name == layout::log_file(layout::events)) return check_log(name, nullptr, std::nullopt);
      if (const auto first = layout::parse_log_part(name, layout::events))
        return check_log(name, nullptr, first);
    }
    return stray(name);
  }

  Result<void> stray(const std::string& path) {
    if (!(live_ && layout::is_temporary(path))) {
      find(Severity::info, "stray_file", "it does not belong to the store and is ignored", path);
    }
    return {};
  }

  enum class Kind : std::uint8_t { snapshot, catalog, segment };

  /// Files whose content load() has judged: here every line's checksum.
  Result<void> check_lines(const std::string& path, Kind kind) {
    auto file = open(path);
    if (!file) return std::move(file).error();
    if (!*file) return {};
    std::uint64_t end = UINT64_MAX;
    if (kind == Kind::catalog && loaded_) end = loaded_->snapshot.catalog.bytes;
    LineScanner lines(**file, 0, end);
    std::uint64_t count = 0;
    for (;;) {
      if (kind == Kind::segment) {
        auto filler = lines.skip_empty_lines();
        if (!filler) return std::move(filler).error();
        saw(*filler);
      }
      auto line = lines.next();
      if (!line) return std::move(line).error();
      if (!*line) break;
      ++count;
      saw((*line)->length);
      if (is_checked(**line)) continue;
      if (kind == Kind::segment && is_torn(path, **line)) continue;
      find_bad_line(path, **line);
    }
    if (kind == Kind::snapshot && count != 1) {
      find(Severity::error, "snapshot_malformed", "the file is not one whole line", path, 1, 0);
    }
    if (kind == Kind::catalog && loaded_ && count != loaded_->snapshot.catalog.lines) {
      find(Severity::error, "lines_missing",
           "runtime.json counts " + std::to_string(loaded_->snapshot.catalog.lines) +
               " lines, the file has " + std::to_string(count),
           path);
    }
    return {};
  }

  /// Whether load() has judged this place of the journal to be the torn tail, or a writer is at it
  /// right now.
  [[nodiscard]] bool is_torn(const std::string& path, const ScannedLine& line) const {
    if (live_) return true;
    return loaded_ && loaded_->journal.torn && loaded_->journal.torn->path == path &&
           line.offset >= loaded_->journal.torn->offset;
  }

  Result<void> check_journal() {
    auto entries = file_system_.list(std::string(layout::journal));
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = std::string(layout::journal) + "/" + entry.name;
      if (path == layout::durable) continue;
      Result<void> done;
      if (entry.kind == EntryKind::file && layout::parse_segment(entry.name)) {
        done = check_lines(path, Kind::segment);
      } else {
        done = stray(path);
      }
      if (!done) return done;
    }
    return {};
  }

  Result<void> check_workers() {
    auto entries = file_system_.list(std::string(layout::workers));
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      if (options_.stop.stop_requested()) return {};
      const std::string path = std::string(layout::workers) + "/" + entry.name;
      const auto text = layout::decode_id(entry.name);
      auto worker_id =
          text ? WorkerId::parse(*text) : Result<WorkerId>(Error(ErrorCode::invalid_request, ""));
      const bool known = entry.kind == EntryKind::directory && worker_id;
      auto checked = known ? check_worker(*worker_id, path) : stray(path);
      if (!checked) return checked;
    }
    return {};
  }

  Result<void> check_worker(const WorkerId& worker_id, const std::string& directory) {
    const WorkerPointer worker = loaded_ ? loaded_->state.find(worker_id) : nullptr;
    if (loaded_ && !worker) {
      if (!live_) find(Severity::info, "stray_file", "no record names this worker", directory);
      return {};
    }
    auto entries = file_system_.list(directory);
    if (!entries) return is_missing(entries.error()) ? Result<void>() : std::move(entries).error();
    LogSeen seen;
    bool has_view = false;
    const std::string log = layout::log_file("transcript");
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      Result<void> done;
      const auto first = layout::parse_log_part(entry.name, "transcript");
      if (entry.kind == EntryKind::file && entry.name == "worker.json") {
        has_view = true;
        done = check_view(worker_id, path);
      } else if (entry.kind == EntryKind::file && (entry.name == log || first)) {
        std::swap(seen, transcript_seen_);
        done = check_log(path, &worker_id, first);
        std::swap(seen, transcript_seen_);
      } else {
        done = stray(path);
      }
      if (!done) return done;
    }
    if (!worker) return {};
    check_log_is_complete(&worker_id, seen, directory + "/" + log);
    if (!has_view && catalog_.place(worker_id) && !live_) {
      find(Severity::warning, "view_missing",
           "worker.json is missing; a writer makes it anew from the catalog",
           directory + "/worker.json");
    }
    return {};
  }

  Result<void> check_view(const WorkerId& worker_id, const std::string& path) {
    auto line = read_snapshot(file_system_, path, view_bytes_max);
    ++report_.files;
    if (!line) {
      if (is_missing(line.error())) return {};
      if (line.error().code() != ErrorCode::store_corrupt) return std::move(line).error();
      // A Worker's first view is written before the catalog that has it is in force: a crash leaves
      // half of it, which is no damage.
      const bool unfinished = loaded_ && !catalog_.place(worker_id);
      find(unfinished ? Severity::info : Severity::warning, "view_damaged", line.error().message(),
           path, 1, 0);
      return {};
    }
    saw(line->size() + 1);
    auto decoded = decoder_.catalog_line(*line, Requests::skip);
    const bool right = decoded && decoded->record && decoded->runtime_id == runtime_id_ &&
                       decoded->record->record.worker_id == worker_id;
    if (!right) {
      find(Severity::error, "ids_disagree", "the file belongs to another worker than its directory",
           path, 1, 0);
      return {};
    }
    auto recorded = catalog_.read_line(worker_id);
    if (live_ || !recorded || !*recorded) return {};
    const auto in_force = line_number(**recorded, "lsn");
    if (*recorded != *line && in_force >= line_number(*line, "lsn")) {
      find(Severity::warning, "view_out_of_date",
           "worker.json differs from the catalog; a writer makes it anew", path, 1, 0);
    }
    return {};
  }

  // ---- logs

  struct LogSeen {
    std::map<std::uint64_t, std::uint64_t>
        parts;  // first number -> last number of the good run from there on
    std::uint64_t content_bytes = 0;
  };

  Result<void> check_log(const std::string& path, const WorkerId* worker_id,
                         std::optional<std::uint64_t> part) {
    auto file = open(path);
    if (!file) return std::move(file).error();
    if (!*file) return {};
    LogSeen& seen = worker_id != nullptr ? transcript_seen_ : events_seen_;
    const LogWatermark end = worker_id != nullptr ? logs_.transcript(*worker_id) : logs_.events();
    auto durable_bytes = logs_.durable_bytes(worker_id, part);
    if (!durable_bytes) return std::move(durable_bytes).error();
    const std::string_view key = worker_id != nullptr ? "sequence" : "id";
    LineScanner lines(**file, 0, UINT64_MAX);
    std::uint64_t expected = part.value_or(end.first);
    std::uint64_t first = 0;
    for (;;) {
      auto line = lines.next();
      if (!line) return std::move(line).error();
      if (!*line) break;
      if (options_.stop.stop_requested()) return {};
      saw((*line)->length);
      const bool above_watermark = (*line)->offset >= *durable_bytes;
      if (!is_checked(**line)) {
        if (above_watermark && loaded_) {
          if (!live_) {
            find(Severity::info, "torn_tail",
                 "the log ends in a torn tail, which the next open moves aside", path,
                 (*line)->number, (*line)->offset);
          }
          break;
        }
        find_bad_line(path, **line);
        ++expected;
        continue;
      }
      const auto number = line_number((*line)->text, key);
      if (!number) {
        find(Severity::error, "number_missing", "the line has no " + std::string(key), path,
             (*line)->number, (*line)->offset);
        continue;
      }
      if (first == 0) first = *number;
      // A roll that recovery will undo begins a part behind the watermark's one.
      if (first == *number && (part || above_watermark)) expected = *number;
      if (*number != expected) {
        find(Severity::error, "number_out_of_order",
             std::string(key) + " " + std::to_string(*number) + " stands where " +
                 std::to_string(expected) + " belongs",
             path, (*line)->number, (*line)->offset);
      }
      expected = *number + 1;
      check_content(path, worker_id, **line, *number, above_watermark, seen);
    }
    if (first != 0) seen.parts[first] = std::max(seen.parts[first], expected - 1);
    return {};
  }

  void check_content(const std::string& path, const WorkerId* worker_id, const ScannedLine& line,
                     std::uint64_t number, bool above_watermark, LogSeen& seen) {
    if (worker_id == nullptr) {
      RuntimeId runtime_id;
      auto event = decoder_.event(line.text, &runtime_id);
      if (!event) return find_at(event.error(), path, line);
      if (runtime_id != runtime_id_) return find_foreign(path, line);
    } else {
      auto entry = decoder_.entry(line.text);
      if (!entry) return find_at(entry.error(), path, line);
      if (entry->worker_ref != WorkerRef{runtime_id_, *worker_id}) return find_foreign(path, line);
      seen.content_bytes += entry->content.size();
    }
    if (!above_watermark || !loaded_ || live_) return;
    const LinePointer committed = logs_.pending_line(worker_id, number);
    const LogWatermark end = worker_id != nullptr ? logs_.transcript(*worker_id) : logs_.events();
    if (number <= end.last) return;  // below the watermark by number: told as out of order
    if (!committed) {
      find(Severity::error, "journal_lost_commits",
           "the line was acknowledged, but the journal ends before it", path, line.number,
           line.offset);
    } else if (std::string_view(*committed).substr(0, committed->size() - 1) != line.text) {
      find(Severity::error, "log_disagrees_with_journal",
           "the line is not the one that the journal has", path, line.number, line.offset);
    }
  }

  /// The runs of good numbers must meet, and reach what the records say (less what still waits in
  /// the journal).
  void check_log_is_complete(const WorkerId* worker_id, const LogSeen& seen,
                             const std::string& path) {
    if (!loaded_ || options_.stop.stop_requested()) return;
    const LogWatermark end = worker_id != nullptr ? logs_.transcript(*worker_id) : logs_.events();
    std::uint64_t next = 1;
    for (const auto& [first, last] : seen.parts) {
      if (first > next) {
        find(
            Severity::error, "lines_missing",
            "numbers " + std::to_string(next) + " to " + std::to_string(first - 1) + " are missing",
            path);
      }
      next = std::max(next, last + 1);
    }
    if (next <= end.last) {
      find(Severity::error, "lines_missing",
           "numbers " + std::to_string(next) + " to " + std::to_string(end.last) + " are missing",
           path);
    }
    if (worker_id == nullptr || live_ || next <= end.last) return;
    const WorkerPointer worker = loaded_->state.find(*worker_id);
    if (worker && next == worker->record.last_sequence.value + 1 &&
        seen.content_bytes != worker->record.usage.content_bytes) {
      find(Severity::error, "log_disagrees_with_record",
           "the record counts " + std::to_string(worker->record.usage.content_bytes) +
               " content bytes, the transcript has " + std::to_string(seen.content_bytes),
           path);
    }
  }

  void check_workers_exist() {
    if (!loaded_ || live_ || options_.stop.stop_requested()) return;
    std::optional<WorkerId> after;
    for (;;) {
      const std::vector<WorkerPointer> workers = loaded_->state.list(after, 256);
      if (workers.empty()) return;
      after = workers.back()->record.worker_id;
      for (const WorkerPointer& worker : workers) {
        const std::string directory = layout::worker_directory(worker->record.worker_id);
        if (!catalog_.place(worker->record.worker_id)) continue;  // so far only in the journal
        auto kind = file_system_.kind(directory);
        if (!kind || *kind == EntryKind::directory) continue;
        const bool has_entries = logs_.transcript(worker->record.worker_id).last > 0;
        find(has_entries ? Severity::error : Severity::warning, "worker_missing",
             "the records name this worker, but it has no directory", directory);
      }
    }
  }

  // ---- small things

  /// None if the file vanished beside a writer.
  Result<std::unique_ptr<File>> open(const std::string& path) {
    auto file = file_system_.open(path, OpenMode::read);
    if (!file && live_ && is_missing(file.error())) return std::unique_ptr<File>();
    if (file) ++report_.files;
    return file;
  }

  static bool is_checked(const ScannedLine& line) {
    return line.has_newline && !line.too_long && check_line(line.text).has_value();
  }

  void saw(std::uint64_t bytes) {
    report_.bytes += bytes;
    if (!options_.progress || report_.bytes < next_progress_) return;
    next_progress_ = report_.bytes + (std::uint64_t{1} << 20U);
    options_.progress(report_.bytes, 0);
  }

  void find_bad_line(const std::string& path, const ScannedLine& line) {
    find(Severity::error, "checksum_mismatch",
         line.has_newline ? "the line does not match its checksum"
                          : "the file ends in the middle of a line",
         path, line.number, line.offset);
  }
  void find_foreign(const std::string& path, const ScannedLine& line) {
    find(Severity::error, "ids_disagree", "the line belongs to another worker or runtime", path,
         line.number, line.offset);
  }
  void find_at(const Error& error, const std::string& path, const ScannedLine& line) {
    find(Severity::error, "line_malformed", error.message(), path, line.number, line.offset);
  }
  void find(const Error& error) {
    const auto* const fields = error.get<FileFields>();
    if (fields == nullptr) return find(Severity::error, "store_corrupt", error.message(), "");
    add({Severity::error, "store_corrupt", error.message(), fields->path, fields->line,
         fields->offset});
  }
  void find(Severity severity, std::string code, std::string message, const std::string& path,
            std::optional<std::uint64_t> line = {}, std::optional<std::uint64_t> offset = {}) {
    add({severity, std::move(code), std::move(message), file_system_.prefix() + path, line,
         offset});
  }
  void add(Finding finding) {
    if (report_.findings.size() >= options_.findings_max) {
      report_.truncated = true;
      return;
    }
    report_.findings.push_back(std::move(finding));
  }

  FileSystem& file_system_;
  const RuntimeId& runtime_id_;
  const VerifyOptions& options_;
  const bool live_;
  Decoder decoder_;
  Logs logs_;
  Catalog catalog_;
  std::optional<Loaded> loaded_;
  LogSeen events_seen_;
  LogSeen transcript_seen_;
  std::uint64_t next_progress_ = 0;
  VerifyReport report_;
};

/// A fault of the store, not of the moment: a writer may have moved files under a run.
bool is_of_the_moment(const Result<VerifyReport>& report) {
  return report ? !report->clean()
                : report.error().code() == ErrorCode::store_io ||
                      report.error().code() == ErrorCode::store_corrupt;
}

}  // namespace

Result<VerifyReport> verify(const VerifyOptions& options) {
  StoreOptions store;
  store.root = options.root;
  store.runtime_id = options.runtime_id;
  RuntimeId runtime_id;
  auto directory = open_runtime_directory(store, runtime_id);
  if (!directory) return std::move(directory).error();
  constexpr int attempts_max = 5;
  for (int attempt = 1;; ++attempt) {
    const bool live = (*directory)->is_locked(std::string(layout::lock));
    auto report = Run(**directory, runtime_id, options, live).run();
    if (!live || !is_of_the_moment(report) || attempt == attempts_max) return report;
  }
}

}  // namespace worker_runtime::fs_store
