// Doing a repair, in this order:
//   1. what is replaced is copied to quarantine/, then a manifest of it; both durable
//   2. runtime.json is marked: no open succeeds until the repair is finished; what stands in the
//      way goes to quarantine
//   3. logs are written, each part under a temporary name that is renamed once it is durable
//   4. directories that are missing are made, and durable
//   5. a new catalog, views
//   6. a new journal segment behind everything, with a header alone
//   7. runtime.json is replaced, without the mark: from here on the store is the mended one
//   8. the mark of the writer; segments and catalogs of before go
// A crash before 2 leaves the store as it was; one before 7 leaves one that only a repair opens,
// and what was written of it is good, and stays; one after 7 leaves files that count for nothing.
// In each case the repair is simply done again.
#include "worker_runtime/fs_store/repair.h"

#include <algorithm>
#include <utility>

#include "catalog.h"
#include "checked_line.h"
#include "journal_reader.h"
#include "json_writer.h"
#include "layout.h"
#include "open.h"
#include "quarantine.h"
#include "recovery.h"
#include "repair_directory.h"
#include "repair_plan.h"
#include "snapshot.h"
#include "store_at_rest.h"
#include "store_lock.h"
#include "view_survey.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::size_t write_block_bytes = std::size_t{1} << 20U;

class Repairer {
 public:
  Repairer(FileSystem& file_system, const RuntimeId& runtime_id, RepairPlan& plan)
      : file_system_(file_system), runtime_id_(runtime_id), plan_(plan), catalog_(file_system) {}

  Result<std::vector<std::string>> run() {
    auto done = keep_originals();
    if (done) done = mark_runtime_json();
    if (done) done = move_obstructions();
    if (done) done = choose_lsn();
    if (done) done = write_logs();
    if (done) done = make_directories();
    if (done) done = write_records();
    if (done) done = begin_segment();
    if (done) done = write_runtime_json();
    if (done) done = drop_what_was_before(file_system_, catalog_, lsn_, epoch_);
    if (!done) return std::move(done).error();
    return std::move(quarantined_);
  }

 private:
  // ---- 1

  Result<void> keep_originals() {
    std::vector<std::string> paths = plan_.salvage.replaced;
    paths.insert(paths.end(), plan_.damaged_views.begin(), plan_.damaged_views.end());
    for (const LogPlan& log : plan_.logs) {
      for (const LogSurvey::Part& part : log.parts) {
        if (part.exists && !part.is_right) paths.push_back(part.path);
      }
      paths.insert(paths.end(), log.others.begin(), log.others.end());
    }
    std::string manifest;
    for (const std::string& path : paths) {
      auto kept = keep(path, manifest);
      if (!kept) return kept;
    }
    if (manifest.empty()) return {};
    const std::string path = layout::quarantined("manifest.jsonl", 0);
    auto written = replace_file(file_system_, path, manifest, Durable::yes);
    if (written) quarantined_.push_back(file_system_.prefix() + path);
    return written;
  }

  Result<void> keep(const std::string& path, std::string& manifest) {
    auto file = file_system_.open(path, OpenMode::read);
    if (!file) {
      // What stands in the way of a file is moved aside as it is.
      const bool is_nothing = is_missing(file.error()) || is_misplaced(file.error());
      return is_nothing ? Result<void>() : std::move(file).error();
    }
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    auto kept = quarantine_bytes(file_system_, path, **file, 0, *size);
    if (!kept) return std::move(kept).error();
    JsonWriter json(manifest);
    json.begin_object();
    json.name("path");
    json.value(path);
    json.name("quarantined");
    json.value(*kept);
    json.name("bytes");
    json.value(*size);
    json.end_object();
    manifest += '\n';
    quarantined_.push_back(file_system_.prefix() + *kept);
    return {};
  }

  // ---- 2

  /// With logs that are half written anew, an open would take good lines for what stands behind the
  /// end of a log. So none succeeds until step 7. Where runtime.json is lost, none does anyway.
  Result<void> mark_runtime_json() {
    if (!plan_.salvage.has_snapshot || plan_.salvage.snapshot.repairing) return {};
    const std::string path(layout::runtime_json);
    auto line = read_snapshot(file_system_, path, runtime_json_bytes_max);
    if (!line) return std::move(line).error();
    const std::string object =
        "{" + line->substr(line_head_bytes, line->size() - line_head_bytes - 1);
    return write_snapshot(file_system_, path, object + ",\"repairing\":true}");
  }

  Result<void> move_obstructions() {
    for (const std::string& path : plan_.obstructions) {
      auto moved = quarantine_entry(file_system_, path);
      if (!moved) return moved;
    }
    return {};
  }

  /// Behind every commit and every segment, so that no name is met again.
  Result<void> choose_lsn() {
    lsn_ = plan_.salvage.last_lsn.next();
    auto entries = file_system_.list(std::string(layout::journal));
    if (!entries) return is_missing(entries.error()) ? Result<void>() : std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      const auto first = layout::parse_segment(entry.name);
      if (first) lsn_ = std::max(lsn_, *first);
    }
    return {};
  }

  // ---- 3, 4

  Result<void> write_logs() {
    for (LogPlan& log : plan_.logs) {
      if (log.worker_id) {
        auto made = make_worker_directory(*log.worker_id);
        if (!made) return made;
      }
      // None takes its name before all are written: a line may be in a file that another replaces.
      std::vector<AtomicFile> written;
      for (LogSurvey::Part& part : log.parts) {
        if (part.is_right) continue;
        auto attempt = write_part(log.survey, part);
        if (!attempt) return std::move(attempt).error();
        written.push_back(std::move(*attempt));
      }
      for (AtomicFile& attempt : written) {
        auto committed = attempt.commit(Durable::yes);
        if (!committed) return std::move(committed).error();
      }
      for (const std::string& path : log.others) {
        auto removed = file_system_.remove_file(path);
        if (!removed && !is_missing(removed.error())) return removed;
      }
      const LogSurvey::Part& current = log.parts.back();
      const LogWatermark end{current.numbers.first, current.bytes, current.numbers.last};
      if (!log.worker_id) {
        plan_.salvage.snapshot.events = end;
      } else {
        plan_.salvage.workers.at(*log.worker_id).record.transcript = end;
      }
    }
    return {};
  }

  Result<AtomicFile> write_part(const LogSurvey& survey, LogSurvey::Part& part) {
    auto attempt = AtomicFile::create(file_system_, part.path);
    if (!attempt) return std::move(attempt).error();
    part.bytes = 0;
    std::string block;
    Result<void> written;
    const auto flush = [&] {
      written = attempt->file().write(part.bytes, block);
      part.bytes += block.size();
      block.clear();
      return written.has_value();
    };
    auto visited =
        survey.visit(file_system_, part.numbers, [&](std::uint64_t, std::string_view line) {
          block.append(line);
          block += '\n';
          return block.size() < write_block_bytes || flush();
        });
    if (!visited) return std::move(visited).error();
    if (written && !block.empty()) flush();
    if (!written) return std::move(written).error();
    return attempt;
  }

  Result<void> make_worker_directory(const WorkerId& worker_id) {
    for (const std::string& directory :
         {std::string(layout::workers), layout::worker_directory(worker_id)}) {
      auto there = file_system_.kind(directory);
      if (!there) return std::move(there).error();
      if (*there == EntryKind::directory) continue;
      auto made = file_system_.make_directory(directory);
      if (!made) return made;
    }
    return {};
  }

  Result<void> make_directories() {
    for (const auto& [worker_id, worker] : plan_.salvage.workers) {
      auto made = make_worker_directory(worker_id);
      if (!made) return made;
    }
    for (const std::string_view name : {layout::workers, layout::journal}) {
      auto there = file_system_.kind(std::string(name));
      if (!there) return std::move(there).error();
      if (*there) continue;
      auto made = file_system_.make_directory(std::string(name));
      if (!made) return made;
    }
    return sync_worker_directories(file_system_);
  }

  // ---- 5

  Result<void> write_records() {
    std::vector<CatalogUpdate> updates;
    for (const auto& [worker_id, worker] : plan_.salvage.workers) {
      std::string object;
      encode(object, worker.record, runtime_id_);
      updates.push_back({worker_id, {}, false});
      append_checked_line(updates.back().line, object);
    }
    for (const auto& [worker_id, tombstone] : plan_.salvage.tombstones) {
      std::string object;
      encode(object, tombstone, runtime_id_);
      updates.push_back({worker_id, {}, true});
      append_checked_line(updates.back().line, object);
    }
    auto position = write_records_at_rest(file_system_, catalog_, updates, lsn_, runtime_id_);
    if (!position) return std::move(position).error();
    plan_.salvage.snapshot.catalog = *position;
    return {};
  }

  // ---- 6, 7

  Result<void> begin_segment() {
    epoch_ = Epoch{plan_.salvage.epoch.value + 1};
    return begin_segment_at_rest(file_system_, runtime_id_, lsn_, epoch_);
  }

  Result<void> write_runtime_json() {
    RuntimeSnapshot& snapshot = plan_.salvage.snapshot;
    RuntimeRecord& record = snapshot.record;
    record.lsn = lsn_;
    record.running_workers = record.stopped_workers = record.cancelled_workers = 0;
    for (const auto& [worker_id, worker] : plan_.salvage.workers) {
      switch (worker.record.record.status) {
        case WorkerStatus::running:
          ++record.running_workers;
          break;
        case WorkerStatus::stopped:
          ++record.stopped_workers;
          break;
        case WorkerStatus::cancelled:
          ++record.cancelled_workers;
          break;
      }
    }
    snapshot.epoch = epoch_;
    snapshot.repairing = false;
    std::uint64_t lost = 0;
    for (const RepairItem& item : plan_.items) lost += item.lost;
    Diagnostic told;
    told.id = ++snapshot.diagnostics_total;
    told.at = system_clock()();
    told.severity = Severity::warning;
    told.code = "store.repaired";
    told.message = "a repair did " + std::to_string(plan_.items.size()) +
                   " things; lost: " + std::to_string(lost) +
                   "; what was replaced is in quarantine";
    snapshot.diagnostics.push_back(std::move(told));
    std::string object;
    encode(object, snapshot);
    return write_snapshot(file_system_, std::string(layout::runtime_json), object);
  }

  FileSystem& file_system_;
  const RuntimeId& runtime_id_;
  RepairPlan& plan_;
  Catalog catalog_;
  Lsn lsn_;
  Epoch epoch_;
  std::vector<std::string> quarantined_;
};

}  // namespace

Result<RepairReport> repair_directory(FileSystem& directory, const RuntimeId& runtime_id,
                                      const RepairOptions& options) {
  auto lock = take_store_lock(directory, runtime_id, std::chrono::milliseconds(0));
  if (!lock) return full_as_such(std::move(lock).error());
  std::vector<std::string> accepted_files;
  for (const std::string& path : options.accepted_files) {
    const bool from_root = path.starts_with(directory.prefix());
    accepted_files.push_back(from_root ? path.substr(directory.prefix().size()) : path);
    auto kind = directory.kind(accepted_files.back());
    if (!kind) return std::move(kind).error();
    if (*kind != EntryKind::file)
      return Error(ErrorCode::invalid_request, "there is no file " + path + " in the store");
  }
  auto plan = plan_repair(directory, runtime_id, accepted_files, options);
  if (!plan) return std::move(plan).error();
  RepairReport report{plan->items, false, {}};
  if (options.mode == RepairMode::plan || report.items.empty()) return report;
  auto quarantined = Repairer(directory, runtime_id, *plan).run();
  if (!quarantined) return full_as_such(std::move(quarantined).error());
  report.applied = true;
  report.quarantined = std::move(*quarantined);
  return report;
}

Result<RepairReport> repair(const RepairOptions& options) {
  StoreOptions store;
  store.root = options.root;
  store.runtime_id = options.runtime_id;
  RuntimeId runtime_id;
  auto directory = open_damaged_directory(store, runtime_id);
  if (!directory) return std::move(directory).error();
  return repair_directory(**directory, runtime_id, options);
}

}  // namespace worker_runtime::fs_store
