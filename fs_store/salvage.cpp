// What is known of a store's records, however damaged it is: see salvage.h.
#include "salvage.h"

#include <algorithm>
#include <utility>

#include "catalog.h"
#include "checked_line.h"
#include "findings.h"
#include "layout.h"
#include "line_scanner.h"
#include "logs.h"
#include "recovery.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// What stands in the way of a file is moved aside: it is as if nothing were there.
bool is_nothing(const Error& error) { return is_missing(error) || is_misplaced(error); }

constexpr std::uint64_t small_file_bytes_max = std::uint64_t{64} << 20U;

std::string checked(std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  line.pop_back();
  return line;
}

class Salvager {
 public:
  Salvager(FileSystem& file_system, const RuntimeId& runtime_id, const LogSurvey::Reseal& accept)
      : file_system_(file_system), runtime_id_(runtime_id), accept_(accept) {}

  Result<Salvage> run() {
    Logs logs(file_system_, UINT64_MAX);
    Catalog catalog(file_system_);
    LoadLimits limits;
    const auto mark = read_durable_mark(file_system_);
    if (mark && mark->durability == Durability::sync) limits.proof = mark->lsn;
    limits.for_repair = true;
    auto loaded = load(file_system_, decoder_, runtime_id_, limits, catalog, logs);
    if (loaded) {
      auto taken = take_loaded(*loaded, catalog, logs);
      if (!taken) return std::move(taken).error();
    } else {
      const ErrorCode code = loaded.error().code();
      const bool is_damage = code == ErrorCode::store_corrupt || code == ErrorCode::store_missing ||
                             is_misplaced(loaded.error());
      if (!is_damage) return std::move(loaded).error();
      cause_ = loaded.error().message();
      auto gathered = gather();
      if (!gathered) return std::move(gathered).error();
    }
    return std::move(found_);
  }

 private:
  // ---- a store that loads

  Result<void> take_loaded(Loaded& loaded, const Catalog& catalog, const Logs& logs) {
    found_.is_whole = true;
    found_.snapshot = std::move(loaded.snapshot);
    found_.snapshot.record = loaded.state.runtime();
    found_.last_lsn = found_.snapshot.record.lsn;
    found_.epoch = std::max(found_.snapshot.epoch, loaded.journal.epoch);
    if (found_.snapshot.repairing)
      item("rebuild_snapshot", std::string(layout::runtime_json), "a repair was cut off");
    found_.may_lack_commits = loaded.journal.durability != Durability::sync;
    for (const Catalog::Repaired& repaired : loaded.catalog_repairs) {
      item("rebuild_record", layout::catalog(found_.snapshot.catalog.lsn), repaired.message);
      replace(layout::catalog(found_.snapshot.catalog.lsn));
    }
    if (loaded.journal.torn) replace(loaded.journal.torn->path);
    for (Tombstone& tombstone : loaded.state.tombstones()) {
      WorkerId worker_id = tombstone.worker_id;
      found_.tombstones.emplace(std::move(worker_id), std::move(tombstone));
    }
    std::optional<WorkerId> after;
    for (;;) {
      const std::vector<WorkerPointer> workers = loaded.state.list(after, 256);
      if (workers.empty()) break;
      after = workers.back()->record.worker_id;
      for (const WorkerPointer& worker : workers) {
        auto taken = take_worker(*worker, loaded, catalog, logs);
        if (!taken) return taken;
      }
    }
    const std::uint64_t last = found_.snapshot.record.last_event_id.value;
    for (std::uint64_t id = logs.events().last + 1; id <= last; ++id)
      take_pending(logs.pending_line(nullptr, id), id, found_.events);
    return {};
  }

  Result<void> take_worker(const WorkerState& worker, Loaded& loaded, const Catalog& catalog,
                           const Logs& logs) {
    const WorkerId& worker_id = worker.record.worker_id;
    SalvagedWorker salvaged;
    salvaged.record.record = worker.record;
    salvaged.record.create_digest = worker.create_digest;
    salvaged.record.transcript = logs.transcript(worker_id);
    auto line = catalog.read_line(worker_id);
    if (!line) return std::move(line).error();
    if (*line) {
      auto known = decoder_.catalog_line(**line, Requests::read);
      if (!known) return std::move(known).error();
      salvaged.catalog_checksum = check_line(**line);
      salvaged.catalog_lsn = known->record->record.lsn;
      salvaged.record.create = std::move(known->record->create);
      salvaged.record.unknown = std::move(known->record->unknown);
    }
    const auto changed = loaded.changes.workers.find(worker_id);
    if (changed != loaded.changes.workers.end() && !changed->second.create.empty())
      salvaged.record.create = changed->second.create;
    for (std::uint64_t sequence = salvaged.record.transcript.last + 1;
         sequence <= worker.record.last_sequence.value; ++sequence) {
      take_pending(logs.pending_line(&worker_id, sequence), sequence, found_.entries[worker_id]);
    }
    for (const auto& [sequence, redacted] : logs.redacted_lines(worker_id))
      take_pending(redacted, sequence, found_.redacted[worker_id]);
    found_.workers.emplace(worker_id, std::move(salvaged));
    return {};
  }

  static void take_pending(const LinePointer& line, std::uint64_t number,
                           std::map<std::uint64_t, std::string>& lines) {
    if (line) lines.emplace(number, without_newline(*line));
  }

  // ---- one that does not

  Result<void> gather() {
    auto done = gather_snapshot();
    if (done) done = gather_catalogs();
    if (done) done = gather_views();
    if (done) done = gather_journal();
    for (const Trim& trim : trims_) take_trim(trim);
    return done;
  }

  /// A file of one checked line; none if it does not check.
  Result<std::optional<std::string>> small_file(const std::string& path) {
    auto bytes = read_small_file(file_system_, path, small_file_bytes_max);
    if (!bytes) {
      const bool is_damage =
          is_nothing(bytes.error()) || bytes.error().code() == ErrorCode::store_corrupt;
      if (is_damage) return std::optional<std::string>();
      return std::move(bytes).error();
    }
    const std::string_view text = std::string_view(*bytes).substr(0, bytes->find('\n'));
    const bool is_whole = text.size() + 1 == bytes->size();
    if (is_whole && check_line(text)) return std::optional(std::string(text));
    return accept_ ? accept_(path, 1, text) : std::nullopt;
  }

  Result<void> gather_snapshot() {
    const std::string path(layout::runtime_json);
    auto line = small_file(path);
    if (!line) return std::move(line).error();
    auto snapshot = *line ? decoder_.runtime_snapshot(**line)
                          : Result<RuntimeSnapshot>(Error(ErrorCode::store_corrupt, cause_));
    if (!snapshot && snapshot.error().code() == ErrorCode::store_version)
      return std::move(snapshot).error();
    found_.has_snapshot = snapshot && snapshot->record.runtime_id == runtime_id_;
    if (found_.has_snapshot) {
      found_.snapshot = std::move(*snapshot);
    } else {
      found_.snapshot.record.runtime_id = runtime_id_;
    }
    found_.epoch = found_.snapshot.epoch;
    found_.last_lsn = found_.snapshot.record.lsn;
    item("rebuild_snapshot", path,
         found_.has_snapshot
             ? "the store does not open: " + cause_
             : "it is made anew; display name, limits and diagnostics are lost, and what deleted "
               "Workers added to the overview");
    replace(path);
    return {};
  }

  Result<void> gather_catalogs() {
    auto entries = file_system_.list("");
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      if (entry.kind != EntryKind::file || !layout::parse_catalog(entry.name)) continue;
      auto read =
          gather_lines(entry.name, [&](std::string_view line) { return take_record(line); });
      if (!read) return std::move(read).error();
      if (*read > 0)
        item("rebuild_record", entry.name,
             std::to_string(*read) + " of its lines are not readable");
      replace(entry.name);
    }
    return {};
  }

  Result<void> gather_views() {
    auto entries = file_system_.list(std::string(layout::workers));
    if (!entries) return is_nothing(entries.error()) ? Result<void>() : std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      const auto text = layout::decode_id(entry.name);
      if (!text || entry.kind != EntryKind::directory) continue;
      const std::string path = std::string(layout::workers) + "/" + entry.name + "/worker.json";
      auto line = small_file(path);
      if (!line) return std::move(line).error();
      if (*line) static_cast<void>(take_record(**line));
    }
    return {};
  }

  Result<void> gather_journal() {
    const std::string journal(layout::journal);
    auto entries = file_system_.list(journal);
    if (!entries) return is_nothing(entries.error()) ? Result<void>() : std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      if (entry.kind != EntryKind::file || !layout::parse_segment(entry.name)) continue;
      const std::string path = journal + "/" + entry.name;
      bool is_header = true;
      bool is_foreign = false;
      auto bad = gather_lines(path, [&](std::string_view line) {
        if (!std::exchange(is_header, false)) return !is_foreign && take_commit(line);
        auto header = decoder_.segment_header(line);
        is_foreign = header && header->runtime_id != runtime_id_;
        return header && !is_foreign && take_header(*header);
      });
      if (!bad) return std::move(bad).error();
      if (*bad == 0) continue;
      item("drop_journal", path,
           std::to_string(*bad) +
               " of its lines are not readable; what they did is kept as far as "
               "the logs have it");
      replace(path);
    }
    return {};
  }

  /// Visits the lines of a file that check; answers how many do not, or are refused.
  template <typename Take>
  Result<std::uint64_t> gather_lines(const std::string& path, const Take& take) {
    auto file = file_system_.open(path, OpenMode::read);
    if (!file) return std::move(file).error();
    LineScanner lines(**file, 0, UINT64_MAX);
    std::uint64_t bad = 0;
    for (;;) {
      auto filler = lines.skip_empty_lines();
      if (!filler) return std::move(filler).error();
      auto line = lines.next();
      if (!line) return std::move(line).error();
      if (!*line) return bad;
      if (is_checked(**line)) {
        if (!take((*line)->text)) ++bad;
        continue;
      }
      const auto accepted = accept_ && !(*line)->too_long
                                ? accept_(path, (*line)->number, (*line)->text)
                                : std::nullopt;
      if (!accepted || !take(*accepted)) ++bad;
    }
  }

  bool take_record(std::string_view line) {
    auto decoded = decoder_.catalog_line(line, Requests::read);
    // The header of a catalog is neither.
    if (!decoded) return line.find("\"schema_version\":") != std::string_view::npos;
    if (decoded->runtime_id != runtime_id_) return false;
    if (decoded->tombstone) {
      Tombstone& tombstone = *decoded->tombstone;
      found_.last_lsn = std::max(found_.last_lsn, tombstone.lsn);
      const auto known = found_.workers.find(tombstone.worker_id);
      if (known != found_.workers.end() && known->second.record.record.lsn < tombstone.lsn)
        found_.workers.erase(known);
      WorkerId worker_id = tombstone.worker_id;
      found_.tombstones.insert_or_assign(std::move(worker_id), std::move(tombstone));
      return true;
    }
    WorkerRecord& record = decoded->record->record;
    found_.last_lsn = std::max(found_.last_lsn, record.lsn);
    if (found_.tombstones.contains(record.worker_id)) return true;
    const auto known = found_.workers.find(record.worker_id);
    if (known != found_.workers.end() && known->second.record.record.lsn >= record.lsn) return true;
    WorkerId worker_id = record.worker_id;
    found_.workers.insert_or_assign(std::move(worker_id),
                                    SalvagedWorker{std::move(*decoded->record)});
    return true;
  }

  bool take_header(const SegmentHeader& header) {
    found_.epoch = std::max(found_.epoch, header.epoch);
    found_.may_lack_commits = found_.may_lack_commits || header.durability != Durability::sync;
    if (header.first_lsn.value > 0)
      found_.last_lsn = std::max(found_.last_lsn, Lsn{header.first_lsn.value - 1});
    return true;
  }

  [[nodiscard]] bool belongs_here(const Change& change) const {
    const auto is_foreign = [this](const WorkerRef& ref) { return ref.runtime_id != runtime_id_; };
    return !(change.event.worker_ref && is_foreign(*change.event.worker_ref)) &&
           !(change.entry && is_foreign(change.entry->worker_ref)) &&
           !(change.redaction && is_foreign(change.redaction->worker_ref)) &&
           !(change.history &&
             std::any_of(change.history->begin(), change.history->end(),
                         [&](const auto& entry) { return is_foreign(entry.worker_ref); }));
  }

  bool take_commit(std::string_view line) {
    auto record = decoder_.record(line);
    if (!record) return false;
    const auto& changes = record->commit.changes;
    const bool is_foreign = !std::all_of(changes.begin(), changes.end(),
                                         [this](const Change& each) { return belongs_here(each); });
    if (is_foreign) return false;
    found_.last_lsn = std::max(found_.last_lsn, record->head.lsn);
    found_.epoch = std::max(found_.epoch, record->head.epoch);
    for (const Change& change : record->commit.changes) {
      if (change.trim) {
        trims_.push_back(*change.trim);
        continue;
      }
      if (change.redaction) {
        take_redaction(*change.redaction);
        continue;
      }
      std::string object;
      encode(object, change.event, runtime_id_);
      found_.events.emplace(change.event.id.value, checked(object));
      if (change.stopped_workers > 0)
        found_.compact_stops[change.event.id.value] = change.stopped_workers;
      if (change.entry) take_entry(*change.entry);
      if (change.history)
        for (const TranscriptEntry& entry : *change.history) take_entry(entry);
      if (change.create && change.event.worker_ref) {
        object.clear();
        encode(object, *change.create);
        found_.creates[change.event.worker_ref->worker_id] = object;
      }
    }
    return true;
  }

  void take_entry(const TranscriptEntry& entry) {
    std::string object;
    encode(object, entry);
    found_.entries[entry.worker_ref.worker_id].emplace(entry.sequence.value, checked(object));
  }

  /// Segments are read in order: the entry itself came before, if the journal has it.
  void take_redaction(const TranscriptEntry& entry) {
    std::string object;
    encode(object, entry);
    const std::string line = checked(object);
    const WorkerId& worker_id = entry.worker_ref.worker_id;
    found_.redacted[worker_id][entry.sequence.value] = line;
    found_.entries[worker_id][entry.sequence.value] = line;
  }

  void take_trim(const Trim& trim) {
    if (!trim.worker_id) {
      EventId& first = found_.snapshot.record.first_event_id;
      first = std::max(first, EventId{trim.first_kept});
      return;
    }
    const auto known = found_.workers.find(*trim.worker_id);
    if (known == found_.workers.end()) return;
    Sequence& first = known->second.record.record.first_sequence;
    first = std::max(first, Sequence{trim.first_kept});
  }

  // ---- small things

  void item(std::string action, const std::string& path, std::string message) {
    found_.items.push_back(
        {std::move(action), file_system_.prefix() + path, {}, 0, std::move(message)});
  }
  void replace(const std::string& path) {
    auto& replaced = found_.replaced;
    if (std::find(replaced.begin(), replaced.end(), path) == replaced.end())
      replaced.push_back(path);
  }

  FileSystem& file_system_;
  const RuntimeId& runtime_id_;
  const LogSurvey::Reseal& accept_;
  Decoder decoder_;
  std::string cause_;
  std::vector<Trim> trims_;  // of the journal
  Salvage found_;
};

}  // namespace

Result<Salvage> salvage(FileSystem& file_system, const RuntimeId& runtime_id,
                        const LogSurvey::Reseal& accept) {
  return Salvager(file_system, runtime_id, accept).run();
}

}  // namespace worker_runtime::fs_store
