// Checking every byte of a store. The decisions are those of the readers: the same load(), the same
// scan of the journal, the same codec; what is added here is that every line of every file is
// looked at.
//
// Beside a writer the durable LSN is taken first, and everything up to it is required. What such a
// run finds is looked at again by a second one, and only what both saw is told: a checkpoint may
// have moved files meanwhile.
#include "worker_runtime/fs_store/verify.h"

#include <algorithm>
#include <utility>

#include "catalog.h"
#include "checked_line.h"
#include "findings.h"
#include "layout.h"
#include "layout_kinds.h"
#include "line_scanner.h"
#include "log_check.h"
#include "open.h"
#include "reader_view.h"
#include "recovery.h"
#include "request_names.h"
#include "snapshot.h"
#include "verify_directory.h"
#include "view_survey.h"

namespace worker_runtime::fs_store {

bool VerifyReport::clean() const {
  return !truncated && std::all_of(findings.begin(), findings.end(), [](const auto& found) {
    return found.severity == Severity::info;
  });
}

namespace {

/// One look at the whole store.
class Run {
 public:
  Run(FileSystem& file_system, const RuntimeId& runtime_id, const VerifyOptions& options, bool live)
      : file_system_(file_system),
        runtime_id_(runtime_id),
        options_(options),
        live_(live),
        logs_(file_system, UINT64_MAX),
        catalog_(file_system),
        findings_(file_system, options) {
    expected_.first_kept_now = [this](const WorkerId* worker_id) {
      auto now = View::load(file_system_, runtime_id_);
      return now ? (*now)->logs().first_kept(worker_id) : 1;
    };
  }

  Result<VerifyReport> run() {
    auto loaded = load_all();
    if (!loaded) return std::move(loaded).error();
    auto entries = file_system_.list("");
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      auto checked = check_top(entry);
      if (!checked) return std::move(checked).error();
    }
    auto complete = event_log_.check_complete(file_system_, decoder_);
    if (!complete) return std::move(complete).error();
    check_workers_exist();
    return findings_.take();
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
      expected_.state = &loaded_->state;
      expected_.may_lack_commits = loaded_->journal.durability != Durability::sync;
      for (const Catalog::Repaired& repaired : loaded_->catalog_repairs) {
        findings_.find(Severity::warning, "catalog_line_damaged", repaired.message,
                       layout::catalog(loaded_->snapshot.catalog.lsn), repaired.line);
      }
      if (loaded_->journal.torn && !live_) {
        const TornTail& torn = *loaded_->journal.torn;
        findings_.find(
            Severity::info, "torn_tail",
            "the journal ends in a torn tail of " + std::to_string(torn.bytes) + " bytes",
            torn.path, torn.line, torn.offset);
      }
      return {};
    }
    if (loaded.error().code() == ErrorCode::store_corrupt) {
      findings_.find(loaded.error());
      return {};
    }
    // What can't be opened because it is a link or a directory is told with the other files.
    auto misplaced = has_misplaced();
    if (!misplaced) return std::move(misplaced).error();
    return *misplaced ? Result<void>() : std::move(loaded).error();
  }

  /// Whether something that a load reads is not of the kind that it has to be.
  Result<bool> has_misplaced() {
    for (const std::string& directory : {std::string(), std::string(layout::journal)}) {
      auto entries = file_system_.list(directory);
      if (!entries) continue;  // no directory itself: the first round has found it
      for (const DirectoryEntry& entry : *entries) {
        const auto wanted = directory.empty() ? layout::kind_at_top(entry.name)
                                              : layout::kind_in_journal(entry.name);
        if (wanted && *wanted != entry.kind) return true;
      }
    }
    return false;
  }

  // ---- the files

  Result<void> check_top(const DirectoryEntry& entry) {
    if (options_.stop.stop_requested()) return {};
    const std::string& name = entry.name;
    const auto wanted = layout::kind_at_top(name);
    if (wanted && *wanted != entry.kind) return misplaced(name, *wanted, entry.kind);
    if (entry.kind == EntryKind::directory) {
      if (name == layout::journal) return check_journal();
      if (name == layout::workers) return check_workers();
      if (name == layout::quarantine) return check_quarantine();
      if (name == layout::requests) return check_requests();
      return stray(name);
    }
    if (entry.kind == EntryKind::file) {
      if (name == layout::lock) return {};
      if (name == layout::runtime_json) return check_lines(name, Kind::snapshot);
      if (const auto lsn = layout::parse_catalog(name)) {
        if (loaded_ && *lsn != loaded_->snapshot.catalog.lsn) return stray(name);
        return check_lines(name, Kind::catalog);
      }
      if (name == layout::log_file(layout::events))
        return check_log(event_log_, name, std::nullopt);
      if (const auto first = layout::parse_log_part(name, layout::events))
        return check_log(event_log_, name, first);
    }
    return stray(name);
  }

  Result<void> stray(const std::string& path) {
    if (!layout::is_temporary(path)) {
      findings_.find(Severity::info, "stray_file", "it does not belong to the store and is ignored",
                     path);
    } else if (!live_) {
      findings_.find(Severity::info, "unfinished_file",
                     "a crash left it; it counts for nothing, and a writer removes it", path);
    }
    return {};
  }

  /// Another thing stands under the name of a file or directory of the store. No link is ever
  /// followed, so a writer could not use it either.
  Result<void> misplaced(const std::string& path, EntryKind wanted, EntryKind found,
                         Severity severity = Severity::error) {
    std::string message = found == EntryKind::directory ? "a directory"
                          : found == EntryKind::file    ? "a file"
                                                        : "a symbolic link or special file";
    message += wanted == EntryKind::directory ? " stands where a directory belongs"
                                              : " stands where a file belongs";
    findings_.find(severity, "wrong_kind", message, path);
    return {};
  }

  /// What lies there is the operator's, but for copies that were cut off.
  Result<void> check_quarantine() {
    auto entries = file_system_.list(std::string(layout::quarantine));
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      if (entry.kind == EntryKind::file && layout::is_temporary(entry.name))
        static_cast<void>(stray(std::string(layout::quarantine) + "/" + entry.name).has_value());
    }
    return {};
  }

  /// What lies there is between a host and its clients, and no part of the store.
  Result<void> check_requests() {
    const std::string directory(layout::requests);
    auto entries = file_system_.list(directory);
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      const bool known = entry.name == host_lock || is_request(entry.name) ||
                         is_answer(entry.name) || layout::is_temporary(entry.name);
      if (!known) static_cast<void>(stray(directory + "/" + entry.name).has_value());
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
        findings_.saw(*filler);
      }
      auto line = lines.next();
      if (!line) return std::move(line).error();
      if (!*line) break;
      ++count;
      findings_.saw((*line)->length);
      if (is_checked(**line)) continue;
      if (kind == Kind::segment && is_torn(path, (*line)->offset)) continue;
      findings_.find_bad_line(path, **line);
    }
    if (kind == Kind::snapshot && count != 1) {
      findings_.find(Severity::error, "snapshot_malformed", "the file is not one whole line", path,
                     1, 0);
    }
    if (kind == Kind::catalog && loaded_ && count != loaded_->snapshot.catalog.lines) {
      findings_.find(Severity::error, "lines_missing",
                     "runtime.json counts " + std::to_string(loaded_->snapshot.catalog.lines) +
                         " lines, the file has " + std::to_string(count),
                     path);
    }
    return {};
  }

  /// Whether load() needs nothing of this place of the journal: behind the last record of a segment
  /// lies what a crash has torn, also where a recovery has gone on in a segment of its own;
  /// segments below the checkpoint were to be removed. Or a writer is at it right now.
  [[nodiscard]] bool is_torn(const std::string& path, std::uint64_t offset) const {
    if (live_) return true;
    if (!loaded_) return false;
    const auto& segments = loaded_->journal.segments;
    const auto& obsolete = loaded_->journal.obsolete;
    const auto needed = std::find_if(
        segments.begin(), segments.end(),
        [&](const SegmentInfo& segment) { return layout::segment(segment.first_lsn) == path; });
    if (needed != segments.end()) return offset >= needed->bytes;
    return std::find(obsolete.begin(), obsolete.end(), path) != obsolete.end();
  }

  /// Newlines alone. A crash may leave another piece by right, and nothing of a store is in it.
  Result<void> check_reserve(const std::string& path) {
    auto file = open(path);
    if (!file) return std::move(file).error();
    if (!*file) return {};
    LineScanner lines(**file, 0, UINT64_MAX);
    auto filler = lines.skip_empty_lines();
    if (!filler) return std::move(filler).error();
    findings_.saw(*filler);
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (*line && !live_) {
      findings_.find_at(Severity::info, "unfinished_file",
                        "it is not all newlines; a writer makes it anew", path, **line);
    }
    return {};
  }

  Result<void> check_journal() {
    auto entries = file_system_.list(std::string(layout::journal));
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = std::string(layout::journal) + "/" + entry.name;
      const auto wanted = layout::kind_in_journal(entry.name);
      Result<void> done;
      if (wanted && *wanted != entry.kind) {
        done = misplaced(path, *wanted, entry.kind);
      } else if (path == layout::durable) {
        continue;
      } else if (layout::is_reserve(entry.name)) {
        done = check_reserve(path);
      } else if (wanted) {
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
      const auto worker_id = layout::parse_worker_directory(entry.name);
      const bool known = entry.kind == EntryKind::directory && worker_id;
      auto checked = known ? check_worker(*worker_id, path) : stray(path);
      if (!checked) return checked;
    }
    return {};
  }

  Result<void> check_worker(const WorkerId& worker_id, const std::string& directory) {
    const WorkerPointer worker = loaded_ ? loaded_->state.find(worker_id) : nullptr;
    if (loaded_ && !worker) {
      if (!live_)
        findings_.find(Severity::info, "stray_file", "no record names this worker", directory);
      return {};
    }
    auto entries = file_system_.list(directory);
    if (!entries) return is_missing(entries.error()) ? Result<void>() : std::move(entries).error();
    LogCheck transcript(expected_, &worker_id, findings_);
    bool has_view = false;
    const std::string log = layout::log_file("transcript");
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      Result<void> done;
      const auto first = layout::parse_log_part(entry.name, "transcript");
      const bool is_view = entry.name == "worker.json";
      has_view = has_view || is_view;
      const auto wanted = layout::kind_in_worker(entry.name);
      if (wanted && *wanted != entry.kind) {
        // A view that is a link is replaced when it is written next; a directory is in the way.
        const bool harmless = is_view && entry.kind == EntryKind::other;
        done = misplaced(path, *wanted, entry.kind, harmless ? Severity::warning : Severity::error);
      } else if (is_view) {
        done = check_view(worker_id, path);
      } else if (entry.name == log || first) {
        done = check_log(transcript, path, first);
      } else {
        done = stray(path);
      }
      if (!done) return done;
    }
    if (!worker) return {};
    auto complete = transcript.check_complete(file_system_, decoder_);
    if (!complete) return complete;
    if (!has_view && catalog_.place(worker_id) && !live_) {
      findings_.find(Severity::info, "view_missing",
                     "worker.json is missing; a writer makes it anew from the catalog",
                     directory + "/worker.json");
    }
    return {};
  }

  Result<void> check_view(const WorkerId& worker_id, const std::string& path) {
    auto line = read_snapshot(file_system_, path, view_bytes_max);
    findings_.saw_file();
    if (!line) {
      if (is_missing(line.error())) return {};
      if (line.error().code() != ErrorCode::store_corrupt) return std::move(line).error();
      // A Worker's first view is written before the catalog that has it is in force: a crash leaves
      // half of it, which is no damage. A power cut may leave half of any.
      const bool unfinished =
          (loaded_ && !catalog_.place(worker_id)) || is_half_written_view(file_system_, path);
      findings_.find(unfinished ? Severity::info : Severity::warning, "view_damaged",
                     std::string(unfinished ? "half written, as a crash leaves it"
                                            : "not one whole line that matches its checksum") +
                         "; nothing is lost: a writer makes it anew",
                     path, 1, 0);
      return {};
    }
    findings_.saw(line->size() + 1);
    auto decoded = decoder_.catalog_line(*line, Requests::skip);
    const bool right = decoded && decoded->record && decoded->runtime_id == runtime_id_ &&
                       decoded->record->record.worker_id == worker_id;
    if (!right) {
      const std::string owner =
          decoded && decoded->record
              ? owner_text({decoded->runtime_id, decoded->record->record.worker_id})
              : "another worker than its directory";
      findings_.find(Severity::error, "ids_disagree", "the file belongs to " + owner, path, 1, 0);
      return {};
    }
    auto recorded = catalog_.read_line(worker_id);
    if (live_ || !recorded || !*recorded) return {};
    const auto in_force = line_number(**recorded, "lsn");
    const auto of_view = line_number(*line, "lsn");
    if (*recorded != *line && in_force >= of_view) {
      // A crash leaves an older one; nothing but an editor makes another of the same commit.
      findings_.find(in_force > of_view ? Severity::info : Severity::warning, "view_out_of_date",
                     "worker.json differs from the catalog; a writer makes it anew", path, 1, 0);
    }
    return {};
  }

  Result<void> check_log(LogCheck& log, const std::string& path,
                         std::optional<std::uint64_t> part) {
    auto file = open(path);
    if (!file) return std::move(file).error();
    return *file ? log.check_file(**file, path, part, decoder_) : Result<void>();
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
        findings_.find(has_entries ? Severity::error : Severity::warning, "worker_missing",
                       "the records name this worker, but it has no directory", directory);
      }
    }
  }

  // ---- small things

  /// None if the file vanished beside a writer.
  Result<std::unique_ptr<File>> open(const std::string& path) {
    auto file = file_system_.open(path, OpenMode::read);
    if (!file && live_ && is_missing(file.error())) return std::unique_ptr<File>();
    if (file) findings_.saw_file();
    return file;
  }

  FileSystem& file_system_;
  const RuntimeId& runtime_id_;
  const VerifyOptions& options_;
  const bool live_;
  Decoder decoder_;
  Logs logs_;
  Catalog catalog_;
  std::optional<Loaded> loaded_;
  Findings findings_;
  LogExpectations expected_{runtime_id_, logs_, nullptr, live_};
  LogCheck event_log_{expected_, nullptr, findings_};
};

/// A fault of the store, not of the moment: a writer may have moved files under a run.
bool is_of_the_moment(const Result<VerifyReport>& report) {
  return report ? !report->clean()
                : report.error().code() == ErrorCode::store_io ||
                      report.error().code() == ErrorCode::store_corrupt;
}

}  // namespace

Result<VerifyReport> verify_directory(FileSystem& directory, const RuntimeId& runtime_id,
                                      const VerifyOptions& options) {
  constexpr int attempts_max = 5;
  for (int attempt = 1;; ++attempt) {
    const bool live = directory.is_locked(std::string(layout::lock));
    auto report = Run(directory, runtime_id, options, live).run();
    if (!live || !is_of_the_moment(report) || attempt == attempts_max) return report;
  }
}

Result<VerifyReport> verify(const VerifyOptions& options) {
  RuntimeId runtime_id;
  auto directory = open_existing_directory(options.root, options.runtime_id, runtime_id);
  if (!directory) return std::move(directory).error();
  return verify_directory(**directory, runtime_id, options);
}

}  // namespace worker_runtime::fs_store
