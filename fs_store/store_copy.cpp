// Copying a store: see store_copy.h.
#include "store_copy.h"

#include <utility>

#include "checked_line.h"
#include "journal_reader.h"
#include "json_writer.h"
#include "layout.h"
#include "recovery.h"
#include "resumed_log.h"
#include "snapshot.h"
#include "store_at_rest.h"

namespace worker_runtime::fs_store {
namespace {

/// Read at once, and written at once.
constexpr std::uint64_t page_items = 4096;
constexpr std::uint64_t page_bytes = std::uint64_t{4} << 20U;
constexpr std::uint64_t waiting_bytes_max = std::uint64_t{8} << 20U;

std::string stem_of(const WorkerId* worker_id) {
  return worker_id != nullptr ? layout::transcript(*worker_id) : std::string(layout::events);
}
std::string_view key_of(const WorkerId* worker_id) {
  return worker_id != nullptr ? "sequence" : "id";
}

Result<void> read_lines(const Logs& logs, const WorkerId* worker_id, const PageRange& range,
                        const LineVisitor& visitor) {
  return worker_id != nullptr ? logs.read_transcript(*worker_id, range, visitor)
                              : logs.read_events(range, visitor);
}

/// `"runtime_id":"main"`, as it stands in lines.
std::string member_of(const RuntimeId& runtime_id) {
  std::string member = "\"runtime_id\":";
  JsonWriter(member).value(runtime_id.text());
  return member;
}

/// Whether two lines of a transcript differ in nothing but what a redaction takes.
bool differ_by_redaction(std::string_view left, std::string_view right) {
  Decoder decoder;
  const auto rest = [&](std::string_view line) {
    auto entry = decoder.entry(line);
    if (!entry) return std::optional<TranscriptEntry>();
    redact(*entry);
    return std::optional(*std::move(entry));
  };
  const auto known = rest(left);
  return known && known == rest(right);
}

Error other_history(const std::string& what) {
  return {ErrorCode::invalid_request, "the directory holds another history under the same id (" +
                                          what + "): choose another directory"};
}

}  // namespace

/// What the view shows, and how its lines become the target's.
struct StoreCopy::Source {
  const View& view;
  const Loaded& loaded;
  std::string member;      // of the source's runtime id
  std::string new_member;  // of the target's
  [[nodiscard]] const RuntimeRecord& runtime() const { return loaded.state.runtime(); }
};

StoreCopy::StoreCopy(FileSystem& target, RuntimeId runtime_id, CopyOptions options)
    : target_(target),
      runtime_id_(std::move(runtime_id)),
      options_(std::move(options)),
      logs_(target, options_.part_bytes),
      catalog_(target) {}

Result<void> StoreCopy::begin() {
  for (const std::string_view name : {layout::journal, layout::workers}) {
    auto there = target_.kind(std::string(name));
    if (!there) return std::move(there).error();
    if (*there) continue;
    auto made = target_.make_directory(std::string(name));
    if (!made) return made;
  }
  for (const std::string& directory : {std::string(), std::string(layout::journal)}) {
    auto swept = sweep_temporary_files(target_, directory);
    if (!swept) return swept;
  }
  auto there = target_.kind(std::string(layout::runtime_json));
  if (!there) return std::move(there).error();
  if (!*there) return {};
  const auto mark = read_durable_mark(target_);
  LoadLimits limits;
  if (mark && mark->writer == DurableMark::Writer::failed) limits.last_lsn = mark->lsn;
  Decoder decoder;
  auto loaded = load(target_, decoder, runtime_id_, limits, catalog_, logs_);
  if (!loaded) return std::move(loaded).error();
  if (loaded->journal.records > 0) return other_history("it was written to by itself");
  before_ = std::move(loaded->snapshot);
  return {};
}

Result<CopyReport> StoreCopy::copy(const View& source_view) {
  // The view is the caller's alone: nobody waits for it while files are read.
  return source_view.with_loaded([&](const Loaded& loaded) -> Result<CopyReport> {
    const Source source{source_view, loaded, member_of(loaded.snapshot.record.runtime_id),
                        member_of(runtime_id_)};
    if (before_ && before_->record.lsn > source.runtime().lsn)
      return other_history("it has more commits");
    auto done = copy_logs(source);
    if (!done) return std::move(done).error();
    auto catalog = write_records(source);
    if (!catalog) return std::move(catalog).error();
    done = put_in_force(source, *catalog);
    if (done) done = drop_the_gone(source);
    if (!done) return std::move(done).error();
    CopyReport report;
    report.runtime_id = runtime_id_;
    report.lsn = source.runtime().lsn;
    report.events =
        source.runtime().last_event_id.value + 1 - source.runtime().first_event_id.value;
    report.copied_bytes = copied_bytes_;
    for (const WorkerPointer& worker : loaded.state.list({}, SIZE_MAX)) {
      const WorkerRecord& record = worker->record;
      ++report.workers;
      report.entries += record.last_sequence.value + 1 - record.first_sequence.value;
    }
    return report;
  });
}

// ---- logs

Result<void> StoreCopy::copy_logs(const Source& source) {
  auto done = copy_log(source, nullptr, source.runtime().last_event_id.value);
  for (const WorkerPointer& worker : source.loaded.state.list({}, SIZE_MAX)) {
    if (!done) return done;
    const WorkerRecord& record = worker->record;
    if (record.last_sequence.value > 0)
      done = copy_log(source, &record.worker_id, record.last_sequence.value);
  }
  if (done) done = extend_if(true);
  if (!done) return done;
  const std::string events = layout::log_file(layout::events);
  auto there = target_.kind(events);
  if (!there) return std::move(there).error();
  if (!*there) {
    auto made = target_.open(events, OpenMode::create_new);
    if (!made) return std::move(made).error();
  }
  return {};
}

Result<void> StoreCopy::copy_log(const Source& source, const WorkerId* worker_id,
                                 std::uint64_t last) {
  auto end = end_of(source, worker_id, last);
  if (!end) return std::move(end).error();
  std::uint64_t next = end->last + 1;
  while (next <= last) {
    if (options_.stop.stop_requested()) return Error(ErrorCode::closed, "stopped");
    const std::uint64_t first = next;
    std::uint64_t bytes = 0;
    Result<void> pushed;
    auto read = read_lines(source.view.logs(), worker_id,
                           {next, last, Direction::oldest_first, page_items, page_bytes},
                           [&](std::uint64_t number, std::string_view line) {
                             bytes += line.size();
                             pushed = push(source, worker_id, line);
                             if (pushed) next = number + 1;
                             return pushed && bytes < page_bytes && next < first + page_items;
                           });
    if (!read) return read;
    if (!pushed) return pushed;
    if (next == first) {
      return corrupt(source.view.logs().file_system(), layout::log_file(stem_of(worker_id)),
                     std::string(key_of(worker_id)) + " " + std::to_string(next) + " is missing");
    }
    auto extended = extend_if(logs_.pending_bytes() >= waiting_bytes_max);
    if (!extended) return extended;
  }
  return {};
}

/// Where the log goes on in the target.
Result<LogWatermark> StoreCopy::end_of(const Source& source, const WorkerId* worker_id,
                                       std::uint64_t last) {
  auto taken_up = take_up(source, worker_id, last);
  if (!taken_up) return std::move(taken_up).error();
  const auto end = [&] {
    return worker_id != nullptr ? logs_.transcript(*worker_id) : logs_.events();
  };
  const std::uint64_t first_kept = source.view.logs().first_kept(worker_id);
  if (end().last + 1 < first_kept) {
    // The part before stays as long as the earlier copy is in force.
    auto skipped = logs_.skip_to(worker_id, first_kept);
    if (!skipped) return std::move(skipped).error();
  }
  return end();
}

/// Finds the end of the log in the target, unless it is known.
Result<void> StoreCopy::take_up(const Source& source, const WorkerId* worker_id,
                                std::uint64_t last) {
  const bool is_known = worker_id != nullptr ? resumed_.contains(*worker_id) : has_events_;
  // Lines of an attempt that failed may wait still.
  if (is_known) return extend_if(logs_.pending_bytes() > 0);
  const LogWatermark known = worker_id != nullptr ? logs_.transcript(*worker_id) : logs_.events();
  auto end = resume_log(target_, stem_of(worker_id), key_of(worker_id), known);
  if (!end) return std::move(end).error();
  if (worker_id != nullptr) {
    resumed_.insert(*worker_id);
    logs_.set_transcript(*worker_id, *end);
  } else {
    has_events_ = true;
    logs_.set_events(*end);
  }
  if (end->last > last) return other_history(layout::log_file(stem_of(worker_id)) + " is longer");
  if (end->last < end->first || end->last < source.view.logs().first_kept(worker_id)) return {};
  return check_same_history(source, worker_id, *end);
}

/// The newest line that both have says whether they are of one history: it has a number, a time,
/// and a checksum over all of it.
Result<void> StoreCopy::check_same_history(const Source& source, const WorkerId* worker_id,
                                           const LogWatermark& end) const {
  const PageRange range{end.last, end.last, Direction::oldest_first, 1, page_bytes};
  std::string mine;
  auto read = read_lines(logs_, worker_id, range, [&](std::uint64_t, std::string_view line) {
    mine = line;
    return false;
  });
  if (!read) return read;
  bool is_same = false;
  read =
      read_lines(source.view.logs(), worker_id, range, [&](std::uint64_t, std::string_view line) {
        is_same = line == mine || (worker_id != nullptr && differ_by_redaction(line, mine));
        return false;
      });
  if (!read) return read;
  if (is_same) return {};
  return other_history(layout::log_file(stem_of(worker_id)) + " differs at " +
                       std::string(key_of(worker_id)) + " " + std::to_string(end.last));
}

Result<void> StoreCopy::push(const Source& source, const WorkerId* worker_id,
                             std::string_view line) {
  std::string copied;
  if (source.member == source.new_member) {
    copied.reserve(line.size() + 1);
    copied = line;
    copied += '\n';
  } else {
    // What stands before it is a number, a time and names of members: the first place where the
    // member stands is the one.
    const std::size_t at = line.find(source.member);
    if (at == std::string_view::npos) {
      return corrupt(source.view.logs().file_system(), layout::log_file(stem_of(worker_id)),
                     "a line names no runtime");
    }
    std::string object = "{";
    object += line.substr(line_head_bytes, at - line_head_bytes);
    object += source.new_member;
    object += line.substr(at + source.member.size());
    append_checked_line(copied, object);
  }
  copied_bytes_ += copied.size();
  if (worker_id != nullptr) {
    logs_.push_entry(*worker_id, std::move(copied));
  } else {
    logs_.push_event(std::move(copied));
  }
  return {};
}

Result<void> StoreCopy::extend_if(bool due) {
  if (!due) return {};
  if (options_.progress) options_.progress(copied_bytes_);
  return logs_.extend();
}

// ---- records

/// From here until runtime.json is replaced a cut leaves two segments with a gap between. A writer
/// that failed at the end of the first is what keeps readers from going on to the second.
Result<void> StoreCopy::mark_the_end() const {
  if (!before_) return {};
  const std::string mark = durable_mark_text(
      {before_->record.lsn, before_->epoch, DurableMark::Writer::failed, Durability::sync});
  return replace_file(target_, std::string(layout::durable), mark, Durable::yes);
}

Result<CatalogPosition> StoreCopy::write_records(const Source& source) {
  const Lsn lsn = source.runtime().lsn;
  // Without a commit since, the records are those of the earlier copy.
  if (before_ && before_->record.lsn == lsn) return before_->catalog;
  auto lines = catalog_lines(source);
  if (!lines) return std::move(lines).error();
  auto marked = mark_the_end();
  if (!marked) return std::move(marked).error();
  auto position = write_records_at_rest(target_, catalog_, *lines, lsn, runtime_id_);
  if (!position) return position;
  auto begun = begin_segment_at_rest(target_, runtime_id_, lsn, source.view.epoch());
  if (!begun) return std::move(begun).error();
  // Everything that runtime.json will rely on: lines, names of files and directories; and the
  // views, which no writer comes by here to make anew.
  auto synced = target_.sync_all();
  if (!synced) return std::move(synced).error();
  return position;
}

Result<std::vector<CatalogUpdate>> StoreCopy::catalog_lines(const Source& source) const {
  std::vector<CatalogUpdate> updates;
  const auto add = [&](const WorkerId& worker_id, bool tombstone) -> std::string& {
    return updates.emplace_back(CatalogUpdate{worker_id, {}, tombstone}).line;
  };
  std::string object;
  const auto& changed = source.loaded.changes.workers;
  for (const WorkerPointer& worker : source.loaded.state.list({}, SIZE_MAX)) {
    const WorkerId& worker_id = worker->record.worker_id;
    const auto found = changed.find(worker_id);
    auto record = next_record(source.view.catalog(), *worker, logs_.transcript(worker_id),
                              found != changed.end() ? found->second.create : std::string());
    if (!record) return std::move(record).error();
    object.clear();
    encode(object, *record, runtime_id_);
    append_checked_line(add(worker_id, false), object);
  }
  for (const Tombstone& tombstone : source.loaded.state.tombstones()) {
    object.clear();
    encode(object, tombstone, runtime_id_);
    append_checked_line(add(tombstone.worker_id, true), object);
  }
  return updates;
}

Result<void> StoreCopy::put_in_force(const Source& source, CatalogPosition catalog) {
  RuntimeSnapshot snapshot = source.loaded.snapshot;
  snapshot.record = source.runtime();
  snapshot.record.runtime_id = runtime_id_;
  snapshot.epoch = source.view.epoch();
  snapshot.catalog = catalog;
  snapshot.events = logs_.events();
  for (Diagnostic& diagnostic : snapshot.diagnostics) {
    if (diagnostic.worker_ref) diagnostic.worker_ref->runtime_id = runtime_id_;
  }
  std::string object;
  encode(object, snapshot);
  auto written = write_snapshot(target_, std::string(layout::runtime_json), object);
  if (!written) return written;
  before_ = std::move(snapshot);
  return drop_what_was_before(target_, catalog_, before_->record.lsn, before_->epoch);
}

Result<void> StoreCopy::drop_the_gone(const Source& source) {
  auto entries = target_.list(std::string(layout::workers));
  if (!entries) return std::move(entries).error();
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::directory) continue;
    const auto worker_id = layout::parse_worker_directory(entry.name);
    if (worker_id && !source.loaded.state.find(*worker_id)) logs_.forget(*worker_id);
  }
  auto done = logs_.remove(logs_.take_deleted());
  if (done) done = logs_.remove_trimmed(nullptr, source.runtime().first_event_id.value);
  for (const WorkerPointer& worker : source.loaded.state.list({}, SIZE_MAX)) {
    if (!done) return done;
    const WorkerRecord& record = worker->record;
    if (record.first_sequence.value > 1)
      done = logs_.remove_trimmed(&record.worker_id, record.first_sequence.value);
  }
  return done;
}

}  // namespace worker_runtime::fs_store
