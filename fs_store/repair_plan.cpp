// Planning a repair: see repair_plan.h.
#include "repair_plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "catalog.h"
#include "checked_line.h"
#include "layout.h"
#include "log_plan.h"
#include "made_lines.h"
#include "obstructions.h"
#include "record_fold.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// More is not made up: a number that far off is no damage but somebody's invention.
constexpr std::uint64_t lost_lines_max = 1'000'000;

class Planner {
  using Verdict = LogSurvey::Verdict;

 public:
  Planner(FileSystem& file_system, const RuntimeId& runtime_id,
          const std::vector<std::string>& accepted_files, const RepairOptions& options)
      : file_system_(file_system),
        runtime_id_(runtime_id),
        accepted_(accepted_files.begin(), accepted_files.end()),
        options_(options),
        events_(std::string(layout::events), "id") {}

  Result<RepairPlan> run() {
    auto done = take_salvage();
    if (done) done = survey_events();
    if (done) done = survey_transcripts();
    if (done) done = fold();
    if (done) done = fill_transcripts();
    if (done) done = finish_events();
    if (done) done = check_views();
    if (!done) return std::move(done).error();
    tell_obstructions();
    return std::move(plan_);
  }

 private:
  struct Transcript {
    LogSurvey survey;
    std::uint64_t content_bytes = 0;
    std::vector<NumberRange> lost = {};
    std::uint64_t last = 0;
  };
  /// The event of each lost entry, by Worker and sequence, where it is known.
  using LostEntries = std::map<WorkerId, std::map<std::uint64_t, std::optional<Event>>>;

  Salvage& salvage() { return plan_.salvage; }

  Result<void> stopped() const {
    if (!options_.stop.stop_requested()) return {};
    return Error(ErrorCode::closed, "the repair was stopped; nothing was changed");
  }

  void saw(std::uint64_t bytes) {
    bytes_read_ += bytes;
    if (!options_.progress || bytes_read_ < next_progress_) return;
    next_progress_ = bytes_read_ + (std::uint64_t{1} << 20U);
    options_.progress(bytes_read_);
  }

  // ---- 1

  Result<void> take_salvage() {
    if (!accepted_.empty()) {
      accept_ = [this](const std::string& path, std::uint64_t number,
                       std::string_view line) -> std::optional<std::string> {
        if (!accepted_.contains(path)) return std::nullopt;
        auto accepted = sealed_line(line);
        if (accepted && told_.emplace(path, number).second) {
          item("accept_line", path, {}, 0,
               "line " + std::to_string(number) +
                   " is accepted as it is now: " + std::string(line.substr(0, 400)));
        }
        return accepted;
      };
    }
    auto obstructions = find_obstructions(file_system_);
    if (!obstructions) return std::move(obstructions).error();
    plan_.obstructions = std::move(*obstructions);
    auto found = fs_store::salvage(file_system_, runtime_id_, accept_);
    if (!found) return std::move(found).error();
    salvage() = std::move(*found);
    plan_.items.insert(plan_.items.end(), salvage().items.begin(), salvage().items.end());
    return {};
  }

  /// What stands in the place of a Worker's directory is in nobody's way where there is no such
  /// Worker.
  void tell_obstructions() {
    std::vector<RepairItem> items;
    std::erase_if(plan_.obstructions, [this](const std::string& path) {
      const bool is_in_workers = parent_path(path) == layout::workers;
      if (!is_in_workers) return false;
      return std::none_of(
          salvage().workers.begin(), salvage().workers.end(),
          [&](const auto& known) { return layout::worker_directory(known.first) == path; });
    });
    for (const std::string& path : plan_.obstructions) {
      items.push_back({"move_aside",
                       file_system_.prefix() + path,
                       {},
                       0,
                       "moved to quarantine: no file or directory of the store"});
    }
    plan_.items.insert(plan_.items.begin(), items.begin(), items.end());
  }

  // ---- 2, 3

  Result<void> survey_events() {
    auto scanned = events_.scan(
        file_system_,
        {salvage().snapshot.events, salvage().snapshot.record.first_event_id.value, {}},
        [&](std::uint64_t number, std::string_view line) {
          saw(line.size() + 1);
          if (is_uncommitted(EventId{number})) return Verdict::is_uncommitted;
          if (contradicts(salvage().events, number, line)) return Verdict::is_foreign;
          RuntimeId runtime_id;
          auto event = decoder_.event(line, &runtime_id);
          return event && runtime_id == runtime_id_ ? Verdict::belongs : Verdict::is_foreign;
        },
        accept_);
    if (!scanned) return scanned;
    if (!salvage().has_snapshot)
      infer_first(events_, layout::log_file(layout::events),
                  salvage().snapshot.record.first_event_id.value);
    for (auto& [id, line] : salvage().events) events_.add_line(id, std::move(line));
    return stopped();
  }

  /// Where no record tells what was trimmed: a log that begins above 1 was, or has lost as much.
  void infer_first(LogSurvey& survey, const std::string& path, std::uint64_t& first_kept) {
    first_kept = std::max(first_kept, survey.first_of_files());
    survey.trim(first_kept);
    if (first_kept > 1) {
      item("rebuild_record", path, {}, 0,
           "it begins at " + std::to_string(first_kept) +
               ": what came before was trimmed, or is lost");
    }
  }

  /// Whether the journal of a store that loads has another line of this number.
  [[nodiscard]] bool contradicts(const std::map<std::uint64_t, std::string>& of_journal,
                                 std::uint64_t number, std::string_view line) const {
    const auto known = of_journal.find(number);
    return plan_.salvage.is_whole && known != of_journal.end() && known->second != line;
  }

  /// Where a power cut may have taken commits, what the logs have of them goes too.
  [[nodiscard]] bool is_uncommitted(EventId id) const {
    return plan_.salvage.is_whole && plan_.salvage.may_lack_commits &&
           id > plan_.salvage.snapshot.record.last_event_id;
  }

  Result<void> survey_transcripts() {
    std::set<WorkerId> worker_ids;
    for (const auto& [worker_id, worker] : salvage().workers) worker_ids.insert(worker_id);
    for (const auto& [worker_id, lines] : salvage().entries) worker_ids.insert(worker_id);
    // A store that loads knows its Workers; else any directory may be one's.
    auto entries = file_system_.list(std::string(layout::workers));
    if (!entries && !is_missing(entries.error()) && !is_misplaced(entries.error()))
      return std::move(entries).error();
    if (entries && !salvage().is_whole) {
      for (const DirectoryEntry& entry : *entries) {
        auto worker_id = layout::parse_worker_directory(entry.name);
        if (worker_id && entry.kind == EntryKind::directory)
          worker_ids.insert(std::move(*worker_id));
      }
    }
    for (const WorkerId& worker_id : worker_ids) {
      auto surveyed = survey_transcript(worker_id);
      if (!surveyed) return surveyed;
    }
    return stopped();
  }

  Result<void> survey_transcript(const WorkerId& worker_id) {
    Transcript transcript{LogSurvey(layout::transcript(worker_id), "sequence")};
    const auto judge = [&](std::uint64_t number, std::string_view line) {
      saw(line.size() + 1);
      return contradicts(salvage().entries[worker_id], number, line)
                 ? Verdict::is_foreign
                 : take_entry(worker_id, line, transcript);
    };
    const auto known = salvage().workers.find(worker_id);
    LogSurvey::Recorded recorded;
    if (known != salvage().workers.end()) {
      const CatalogRecord& record = known->second.record;
      recorded.end = record.transcript;
      recorded.first_kept = record.record.first_sequence.value;
    }
    recorded.redacted = std::move(salvage().redacted[worker_id]);
    auto scanned = transcript.survey.scan(file_system_, recorded, judge, accept_);
    if (!scanned) return scanned;
    for (auto& [sequence, line] : salvage().entries[worker_id]) {
      if (transcript.survey.has(sequence) ||
          take_entry(worker_id, line, transcript) != Verdict::belongs) {
        continue;
      }
      transcript.survey.add_line(sequence, std::move(line));
    }
    transcripts_.emplace(worker_id, std::move(transcript));
    return stopped();
  }

  Verdict take_entry(const WorkerId& worker_id, std::string_view line, Transcript& transcript) {
    auto entry = decoder_.entry(line);
    if (!entry || entry->worker_ref != WorkerRef{runtime_id_, worker_id})
      return Verdict::is_foreign;
    if (is_uncommitted(entry->event_id)) return Verdict::is_uncommitted;
    transcript.content_bytes += content_bytes(*entry);
    // (The event of a copied entry is that of its Worker, which the entry does not tell.)
    if (!entry->copied && !events_.has(entry->event_id.value) && entry->event_id.value > 0)
      events_.add_line(entry->event_id.value, restored_event_line(*entry));
    fold_.take_entry(salvage(), *entry);
    return Verdict::belongs;
  }

  // ---- 4

  Result<void> fold() {
    std::optional<Error> bad;
    // A store that loads has records of all events up to its own end.
    const RuntimeRecord& record = salvage().snapshot.record;
    const std::uint64_t first = salvage().is_whole ? record.last_event_id.value + 1 : 1;
    auto visited = events_.visit(file_system_, {first, std::max(first, events_.last())},
                                 [&](std::uint64_t number, std::string_view line) {
                                   auto event = decoder_.event(line);
                                   if (!event) {
                                     bad = std::move(event).error();
                                     return false;
                                   }
                                   if (number == 1 && !salvage().has_snapshot)
                                     salvage().snapshot.created_at = event->at;
                                   fold_.take_event(salvage(), *event);
                                   return !options_.stop.stop_requested();
                                 });
    if (!visited) return visited;
    if (bad) return *std::move(bad);
    if (salvage().is_whole && events_.last() >= first) {
      item("rebuild_record", layout::log_file(layout::events), {}, 0,
           "the logs have events that the journal has lost, from " + std::to_string(first) +
               " on: they are kept, and the records follow them");
    }
    for (const Event& event : fold_.expanded()) {
      events_.add_line(event.id.value, event_line(event, runtime_id_));
    }
    for (const WorkerId& worker_id : fold_.made()) {
      const auto known = salvage().workers.find(worker_id);
      if (known == salvage().workers.end()) continue;
      const auto surveyed = transcripts_.find(worker_id);
      if (surveyed != transcripts_.end()) {
        infer_first(surveyed->second.survey, layout::log_file(layout::transcript(worker_id)),
                    known->second.record.record.first_sequence.value);
      }
      const bool has_request = RecordFold::finish(salvage(), known->second, decoder_);
      item("rebuild_record", layout::worker_json(worker_id), worker_id.text(), has_request ? 0 : 1,
           has_request ? "its record is made anew from the logs and the journal"
                       : "its record is made anew from the logs; its create request is lost");
    }
    return stopped();
  }

  // ---- 5

  Result<void> fill_transcripts() {
    LostEntries lost;
    std::uint64_t lost_total = 0;
    for (auto& [worker_id, worker] : salvage().workers) {
      if (!transcripts_.contains(worker_id)) {
        auto surveyed = survey_transcript(worker_id);
        if (!surveyed) return surveyed;
      }
      Transcript& transcript = transcripts_.at(worker_id);
      WorkerRecord& record = worker.record.record;
      transcript.last = std::max(record.last_sequence.value, transcript.survey.last());
      record.last_sequence = Sequence{transcript.last};
      record.first_sequence = std::min(record.first_sequence, record.last_sequence.next());
      transcript.lost = transcript.survey.gaps(transcript.last);
      lost_total += count(transcript.lost);
      if (lost_total > lost_lines_max) return too_much(layout::transcript(worker_id));
      for (const NumberRange& range : transcript.lost) {
        for (std::uint64_t sequence = range.first; sequence <= range.last; ++sequence)
          lost[worker_id].try_emplace(sequence);
      }
    }
    if (!lost.empty()) {
      auto found = find_events_of(lost);
      if (!found) return found;
    }
    for (auto& [worker_id, worker] : salvage().workers) {
      Transcript& transcript = transcripts_.at(worker_id);
      for (const auto& [sequence, event] : lost[worker_id])
        add_lost_entry(worker_id, worker.record.record, sequence, event, transcript);
      finish_transcript(worker_id, worker, transcript);
    }
    return stopped();
  }

  Result<void> find_events_of(LostEntries& lost) {
    return events_.visit(file_system_, {1, events_.last()},
                         [&](std::uint64_t, std::string_view line) {
                           auto event = decoder_.event(line);
                           if (!event || !event->worker_ref || !event->sequence) return true;
                           const auto worker = lost.find(event->worker_ref->worker_id);
                           if (worker == lost.end()) return true;
                           const auto entry = worker->second.find(event->sequence->value);
                           if (entry != worker->second.end()) entry->second = *event;
                           return true;
                         });
  }

  void add_lost_entry(const WorkerId& worker_id, const WorkerRecord& record, std::uint64_t sequence,
                      const std::optional<Event>& event, Transcript& transcript) {
    transcript.survey.add_line(sequence,
                               lost_entry_line({runtime_id_, worker_id}, Sequence{sequence}, event,
                                               record.updated_at, record.last_event_id));
    transcript.content_bytes += lost_entry_text.size();
  }

  // ---- 6

  void finish_transcript(const WorkerId& worker_id, SalvagedWorker& worker,
                         Transcript& transcript) {
    WorkerRecord& record = worker.record.record;
    const bool counts_all = record.first_sequence.value == 1;
    if (counts_all && record.usage.content_bytes != transcript.content_bytes) {
      if (transcript.lost.empty()) {
        item("rebuild_record", layout::worker_json(worker_id), worker_id.text(), 0,
             "the record counted " + std::to_string(record.usage.content_bytes) +
                 " content bytes, the transcript has " + std::to_string(transcript.content_bytes));
      }
      record.usage.content_bytes = transcript.content_bytes;
    }
    finish_log(worker_id, std::move(transcript.survey), transcript.last, transcript.lost,
               worker.record.transcript);
    const std::string directory = layout::worker_directory(worker_id);
    auto there = file_system_.kind(directory);
    const bool is_known = !salvage().is_whole || worker.catalog_checksum;
    if (there && !*there && transcript.last == 0 && is_known)
      item("make_directory", directory, worker_id.text(), 0, "the worker has no directory");
  }

  Result<void> finish_events() {
    RuntimeRecord& record = salvage().snapshot.record;
    std::uint64_t last = std::max(record.last_event_id.value, events_.last());
    for (const auto& [worker_id, worker] : salvage().workers)
      last = std::max(last, worker.record.record.last_event_id.value);
    const std::vector<NumberRange> lost = events_.gaps(last);
    if (count(lost) > lost_lines_max) return too_much(layout::log_file(layout::events));
    Timestamp at = record.last_at;
    for (const NumberRange& range : lost) {
      auto before = time_before(range.first);
      if (!before) return std::move(before).error();
      for (std::uint64_t id = range.first; id <= range.last; ++id) {
        events_.add_line(id, lost_event_line(EventId{id}, before->value_or(at), runtime_id_));
      }
    }
    record.last_event_id = EventId{last};
    record.first_event_id = std::min(record.first_event_id, record.last_event_id.next());
    if (last == 0) {
      return corrupt(file_system_, layout::log_file(layout::events),
                     "there is neither an event nor a record to make a store of");
    }
    finish_log(std::nullopt, std::move(events_), last, lost, salvage().snapshot.events);
    return stopped();
  }

  Result<std::optional<Timestamp>> time_before(std::uint64_t id) {
    std::optional<Timestamp> at;
    if (id < 2) return at;
    auto visited =
        events_.visit(file_system_, {id - 1, id - 1}, [&](std::uint64_t, std::string_view line) {
          auto event = decoder_.event(line);
          if (event) at = event->at;
          return true;
        });
    if (!visited) return std::move(visited).error();
    return at;
  }

  void finish_log(std::optional<WorkerId> worker_id, LogSurvey survey, std::uint64_t last,
                  const std::vector<NumberRange>& lost, LogWatermark& watermark) {
    auto log = plan_log(std::move(worker_id), std::move(survey), last, watermark);
    if (!log) return;
    // What a crash leaves of a store that loads is no damage: an open puts it right. A repair does
    // so too, if there is one.
    if (!salvage().is_whole || !log->survey.is_healthy()) {
      auto items = describe(*log, file_system_.prefix(), lost);
      plan_.items.insert(plan_.items.end(), items.begin(), items.end());
    }
    if (log->worker_id) changed_.insert(*log->worker_id);
    plan_.logs.push_back(*std::move(log));
  }

  Result<void> check_views() {
    for (const auto& [worker_id, worker] : salvage().workers) {
      const std::string path = layout::worker_json(worker_id);
      auto view = read_snapshot(file_system_, path, view_bytes_max);
      const bool missing = !view && (is_missing(view.error()) || is_misplaced(view.error()));
      if (!view && view.error().code() != ErrorCode::store_corrupt && !missing)
        return std::move(view).error();
      auto known =
          view ? decoder_.catalog_line(*view, Requests::skip) : Result<CatalogLine>(view.error());
      const bool belongs = known && known->record && known->runtime_id == runtime_id_ &&
                           known->record->record.worker_id == worker_id;
      if (belongs && is_view_right(worker, *known->record, check_line(*view))) continue;
      // The view of a Worker that only the journal has is the checkpoint's to make.
      if (salvage().is_whole && !worker.catalog_checksum && !belongs) continue;
      if (!belongs && !missing) plan_.damaged_views.push_back(path);
      // One that only follows what its record becomes is not worth a word.
      if (belongs && changed_.contains(worker_id)) continue;
      item("write_view", path, worker_id.text(), 0, "made anew from the records");
    }
    return stopped();
  }

  /// Of a store that loads, the catalog's own line, or one that a checkpoint that was cut off had
  /// newer. Else what the records say.
  [[nodiscard]] bool is_view_right(const SalvagedWorker& worker, const CatalogRecord& view,
                                   std::optional<std::uint32_t> checksum) const {
    if (plan_.salvage.is_whole)
      return checksum == worker.catalog_checksum || view.record.lsn > worker.catalog_lsn;
    return view.record == worker.record.record && view.transcript == worker.record.transcript;
  }

  // ---- small things

  Error too_much(const std::string& path) const {
    return corrupt(file_system_, path,
                   "more than " + std::to_string(lost_lines_max) +
                       " lines are missing: that is beyond repair by this tool");
  }

  void item(std::string action, const std::string& path, std::optional<std::string> worker_id,
            std::uint64_t lost, std::string message) {
    plan_.items.push_back({std::move(action), file_system_.prefix() + path, std::move(worker_id),
                           lost, std::move(message)});
  }

  FileSystem& file_system_;
  const RuntimeId& runtime_id_;
  const std::set<std::string> accepted_;
  const RepairOptions& options_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t next_progress_ = 0;
  LogSurvey::Reseal accept_;
  std::set<std::pair<std::string, std::uint64_t>> told_;
  Decoder decoder_;
  RecordFold fold_;
  LogSurvey events_;
  std::map<WorkerId, Transcript> transcripts_;
  std::set<WorkerId> changed_;  // their logs are written
  RepairPlan plan_;
};

}  // namespace

Result<RepairPlan> plan_repair(FileSystem& file_system, const RuntimeId& runtime_id,
                               const std::vector<std::string>& accepted_files,
                               const RepairOptions& options) {
  return Planner(file_system, runtime_id, accepted_files, options).run();
}

}  // namespace worker_runtime::fs_store
