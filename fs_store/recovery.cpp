// From files to state: see recovery.h.
#include "recovery.h"

#include <algorithm>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "log_lines.h"
#include "quarantine.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

Result<RuntimeSnapshot> read_runtime_snapshot(FileSystem& file_system, Decoder& decoder,
                                              const RuntimeId& runtime_id) {
  const std::string path(layout::runtime_json);
  auto line = read_snapshot(file_system, path, runtime_json_bytes_max);
  if (!line) {
    if (!is_missing(line.error())) return std::move(line).error();
    FileFields fields;
    fields.path = file_system.prefix() + path;
    return Error(ErrorCode::store_missing,
                 "there is no runtime " + runtime_id.text() + ": runtime.json is missing",
                 std::move(fields));
  }
  auto snapshot = decoder.runtime_snapshot(*line);
  if (!snapshot) return at_place(std::move(snapshot).error(), file_system, path, 1, 0);
  if (snapshot->record.runtime_id != runtime_id) {
    return corrupt(file_system, path, "it belongs to runtime " + snapshot->record.runtime_id.text(),
                   1, 0);
  }
  return snapshot;
}

namespace {

Result<void> load_catalog(Decoder& decoder, const RuntimeId& runtime_id, Catalog& catalog,
                          Logs& logs, Loaded& loaded) {
  // As many as a Runtime has by default: what runtime.json says may be anything.
  const auto workers = static_cast<std::size_t>(
      std::min(loaded.snapshot.record.live_workers(), Limits().live_workers));
  catalog.reserve(workers);
  logs.reserve(workers);
  loaded.state.reserve(workers);
  auto repairs = catalog.load(
      decoder, loaded.snapshot.catalog, runtime_id, [&](CatalogLine line) -> Result<void> {
        if (line.tombstone) {
          loaded.state.put(std::move(*line.tombstone));
          return {};
        }
        CatalogRecord& record = *line.record;
        if (record.transcript.last != record.record.last_sequence.value) {
          loaded.in_doubt.push_back(record.record.worker_id);
        }
        if (record.transcript.last > 0)
          logs.set_transcript(record.record.worker_id, record.transcript);
        logs.trim(&record.record.worker_id, record.record.first_sequence.value);
        loaded.state.put(std::make_shared<const WorkerState>(
            WorkerState{std::move(record.record), record.create_digest}));
        return {};
      });
  if (!repairs) return std::move(repairs).error();
  loaded.catalog_repairs = std::move(*repairs);
  return {};
}

/// How far the journal proves itself to be durable.
Result<Lsn> find_proven(FileSystem& file_system, Decoder& decoder, const ScanLimits& limits) {
  auto journal = scan_journal(file_system, decoder, limits,
                              [](const DecodedRecord&) { return Result<void>(); });
  if (!journal) return std::move(journal).error();
  return journal->durability == Durability::sync ? journal->proven : journal->end.last_lsn;
}

}  // namespace

Result<void> replay(const DecodedRecord& record, const RuntimeId& runtime_id, Logs& logs,
                    Loaded& loaded) {
  std::vector<LogLine> lines;
  append_log_lines(lines, loaded.state.expand(record.commit).events, runtime_id);
  auto applied = loaded.state.apply(record.commit);
  if (!applied) return std::move(applied).error();
  for (LogLine& line : lines) {
    if (line.worker_id) {
      logs.push_entry(*line.worker_id, std::move(line.line));
    } else {
      logs.push_event(std::move(line.line));
    }
  }
  std::vector<RedactedLine> redacted;
  append_redacted_lines(redacted, record.commit);
  for (RedactedLine& line : redacted) logs.redact(std::move(line));
  logs.trim(nullptr, loaded.state.runtime().first_event_id.value);
  for (const ChangedWorker& changed : applied->changed) {
    loaded.changes.add(changed);
    if (changed.worker) {
      logs.trim(&changed.worker_id, changed.worker->record.first_sequence.value);
    } else {
      logs.forget(changed.worker_id);
    }
  }
  for (const Change& change : record.commit.changes) {
    if (!change.create) continue;
    const auto found = loaded.changes.workers.find(change.event.worker_ref->worker_id);
    if (found == loaded.changes.workers.end() || !found->second.worker) continue;
    std::string create;
    encode(create, *change.create);
    found->second.create = std::move(create);
  }
  return {};
}

Result<Loaded> load(FileSystem& file_system, Decoder& decoder, const RuntimeId& runtime_id,
                    const LoadLimits& limits, Catalog& catalog, Logs& logs) {
  auto snapshot = read_runtime_snapshot(file_system, decoder, runtime_id);
  if (!snapshot) return std::move(snapshot).error();
  if (snapshot->repairing && !limits.for_repair) {
    return corrupt(file_system, std::string(layout::runtime_json),
                   "a repair was cut off: repair it again");
  }
  State state(snapshot->record);
  Loaded loaded{std::move(*snapshot), std::move(state), {}, {}, {}, {}};
  logs.set_events(loaded.snapshot.events);
  logs.trim(nullptr, loaded.snapshot.record.first_event_id.value);
  auto catalogued = load_catalog(decoder, runtime_id, catalog, logs, loaded);
  if (!catalogued) return std::move(catalogued).error();
  ScanLimits scan{loaded.snapshot.record.lsn, runtime_id, limits.last_lsn, limits.proof};
  if (limits.proven_alone && !limits.last_lsn) {
    auto proven = find_proven(file_system, decoder, scan);
    if (!proven) return std::move(proven).error();
    scan.last_lsn = *proven;
  }
  auto journal = scan_journal(file_system, decoder, scan, [&](const DecodedRecord& record) {
    return replay(record, runtime_id, logs, loaded);
  });
  if (!journal) return std::move(journal).error();
  loaded.journal = std::move(*journal);
  for (const WorkerId& worker_id : loaded.in_doubt) {
    if (!loaded.state.find(worker_id) || scan.last_lsn) continue;
    return corrupt(file_system, layout::catalog(loaded.snapshot.catalog.lsn),
                   "the record of " + worker_id.text() + " disagrees with its watermark");
  }
  loaded.changes.runtime_changed = loaded.journal.records > 0;
  return loaded;
}

Result<void> sweep_temporary_files(FileSystem& file_system, const std::string& directory) {
  auto entries = file_system.list(directory);
  if (!entries) return is_missing(entries.error()) ? Result<void>() : std::move(entries).error();
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::file || !layout::is_temporary(entry.name)) continue;
    auto removed =
        file_system.remove_file(directory.empty() ? entry.name : directory + "/" + entry.name);
    if (!removed) return removed;
  }
  return {};
}

namespace {

std::string note_of(std::uint64_t bytes, const std::string& path) {
  return "moved a torn tail of " + std::to_string(bytes) + " bytes of " + path + " to quarantine";
}

/// A step that needs a little space gets it from the reserve where the disk has none.
template <typename Step>
auto with_space(JournalReserve* reserve, Step step) {
  auto done = step();
  while (!done && is_full(done.error()) && reserve != nullptr) {
    auto given = reserve->give_back();
    if (!given || !*given) break;
    done = step();
  }
  return done;
}

/// Whose transcripts may have more than their watermarks say. As a rule those of replayed commits;
/// where a power cut may have taken commits whose lines it left, anybody's.
std::vector<WorkerId> workers_to_settle(const State& state, const Logs& logs, Logs::Loss loss) {
  if (loss == Logs::Loss::impossible) return logs.pending_workers();
  std::vector<WorkerId> all;
  for (const WorkerPointer& worker : state.list({}, SIZE_MAX)) {
    all.push_back(worker->record.worker_id);
  }
  return all;
}

Result<void> settle_logs(JournalReserve* reserve, const State& state, Logs& logs, Logs::Loss loss,
                         Settled& settled) {
  auto events = with_space(reserve, [&] { return logs.settle_events(loss); });
  if (!events) return std::move(events).error();
  if (events->torn_bytes > 0) settled.notes.push_back(note_of(events->torn_bytes, events->path));
  for (const WorkerId& worker_id : workers_to_settle(state, logs, loss)) {
    auto transcript = with_space(reserve, [&] { return logs.settle_transcript(worker_id, loss); });
    if (transcript) {
      if (transcript->torn_bytes > 0)
        settled.notes.push_back(note_of(transcript->torn_bytes, transcript->path));
      continue;
    }
    // Damage to one transcript stays with its Worker.
    if (transcript.error().code() != ErrorCode::store_corrupt) return std::move(transcript).error();
    settled.damaged.push_back({worker_id, transcript.error().message()});
    auto closed = logs.close_damaged(worker_id);
    if (!closed) return closed;
  }
  return {};
}

Result<void> move_torn_journal(FileSystem& file_system, const TornTail& torn, Settled& settled) {
  auto file = file_system.open(torn.path, OpenMode::read);
  if (!file) return std::move(file).error();
  auto aside =
      quarantine_bytes(file_system, torn.path, **file, torn.offset, torn.offset + torn.bytes);
  if (!aside) return std::move(aside).error();
  settled.notes.push_back(note_of(torn.bytes, torn.path));
  return {};
}

}  // namespace

Result<Settled> settle(FileSystem& file_system, const RuntimeId& runtime_id,
                       const SettleOptions& options, Loaded& loaded, Logs& logs) {
  Settled settled;
  for (const std::string& directory :
       {std::string(), std::string(layout::journal), std::string(layout::quarantine)}) {
    auto swept = sweep_temporary_files(file_system, directory);
    if (!swept) return std::move(swept).error();
  }
  JournalScan& scan = loaded.journal;
  // What only takes room goes first: the rest may need it.
  for (const std::string& path : scan.obsolete) {
    auto removed = file_system.remove_file(path);
    if (!removed) return std::move(removed).error();
  }
  if (scan.records > 0) logs.distrust_directories();
  const Logs::Loss loss =
      scan.durability == Durability::sync ? Logs::Loss::impossible : Logs::Loss::allowed;
  auto logs_settled = settle_logs(options.reserve, loaded.state, logs, loss, settled);
  if (!logs_settled) return std::move(logs_settled).error();
  if (loss == Logs::Loss::allowed) {
    // The cut is durable before a segment that may promise Durability::sync is: lines that a power
    // cut brought back would then count as acknowledged ones that the journal has lost.
    auto synced = logs.sync();
    if (!synced) return std::move(synced).error();
  }
  if (scan.torn) {
    auto moved = with_space(options.reserve,
                            [&] { return move_torn_journal(file_system, *scan.torn, settled); });
    if (!moved) return std::move(moved).error();
  }
  for (const Catalog::Repaired& repaired : loaded.catalog_repairs) {
    settled.warnings.push_back(repaired.message + " (line " + std::to_string(repaired.line) + ")");
  }
  settled.epoch = Epoch{std::max(loaded.snapshot.epoch, scan.epoch).value + 1};
  Journal::Start start;
  start.runtime_id = runtime_id;
  start.epoch = settled.epoch;
  start.durability = options.durability;
  start.first_lsn = scan.proven_end.last_lsn.next();
  start.previous = scan.proven_end.checksum;
  start.copied = std::move(scan.above_proven);
  start.end = scan.end;
  start.older = std::move(scan.segments);
  start.sizes = options.sizes;
  start.reserve = options.reserve;
  auto journal = Journal::start(file_system, std::move(start));
  if (!journal) return std::move(journal).error();
  settled.journal = std::move(*journal);
  return settled;
}

}  // namespace worker_runtime::fs_store
