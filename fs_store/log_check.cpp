// Checking one log: see log_check.h.
#include "log_check.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "checked_line.h"
#include "file_system.h"
#include "layout.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

LogWatermark LogCheck::end() const {
  return worker_id_ != nullptr ? expected_.logs.transcript(*worker_id_) : expected_.logs.events();
}

Result<void> LogCheck::check_file(const File& file, const std::string& path,
                                  std::optional<std::uint64_t> part, Decoder& decoder) {
  auto durable_bytes = expected_.logs.durable_bytes(worker_id_, part);
  if (!durable_bytes) return std::move(durable_bytes).error();
  const std::string_view key = worker_id_ != nullptr ? "sequence" : "id";
  if (worker_id_ != nullptr) redacted_ = expected_.logs.redacted_lines(*worker_id_);
  LineScanner lines(file, 0, UINT64_MAX);
  std::uint64_t expected = part.value_or(end().first);
  std::uint64_t first = 0;
  bool in_order = true;
  for (;;) {
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (!*line) break;
    if (findings_.stop_requested()) return {};
    findings_.saw((*line)->length);
    const bool above_watermark = (*line)->offset >= *durable_bytes;
    if (!redacted_.empty() && (is_checked(**line) || !above_watermark))
      *line = as_redacted(**line, expected);
    if (!is_checked(**line)) {
      if (above_watermark && expected_.state != nullptr) {
        if (!expected_.live) {
          findings_.find_at(Severity::info, "torn_tail",
                            "the log ends in a torn tail, which the next open moves aside", path,
                            **line);
        }
        break;
      }
      findings_.find_bad_line(path, **line);
      in_order = false;
      ++expected;
      continue;
    }
    const auto number = line_number((*line)->text, key);
    if (!number) {
      findings_.find_at(Severity::error, "number_missing", "the line has no " + std::string(key),
                        path, **line);
      continue;
    }
    // A roll that recovery will undo begins a part behind the watermark's one.
    if (first == 0 && !part && above_watermark) expected = *number;
    if (first == 0) first = *number;
    if (*number != expected) {
      in_order = false;
      findings_.find_at(Severity::error, "number_out_of_order",
                        std::string(key) + " " + std::to_string(*number) + " stands where " +
                            std::to_string(expected) + " belongs",
                        path, **line);
    }
    expected = *number + 1;
    if (in_order) check_length(path, **line, *number, *durable_bytes);
    check_content(path, **line, *number, above_watermark, decoder);
  }
  if (first != 0) {
    GoodRun& run = runs_[first];
    if (run.last < expected) run = {expected - 1, path};
  }
  return {};
}

/// What a crash has left of a redacted line and the one before it, whole or half, is no damage: the
/// next checkpoint writes it again.
ScannedLine LogCheck::as_redacted(const ScannedLine& line, std::uint64_t expected) const {
  const auto redacted = redacted_.find(expected);
  const bool may_be_it = redacted != redacted_.end() && line.has_newline && !line.too_long &&
                         (!is_checked(line) || line_number(line.text, "sequence") == expected);
  if (!may_be_it) return line;
  ScannedLine seen = line;
  seen.text = without_newline(*redacted->second);
  return seen;
}

void LogCheck::check_length(const std::string& path, const ScannedLine& line, std::uint64_t number,
                            std::uint64_t durable_bytes) {
  const bool is_of_watermark = durable_bytes == end().bytes && durable_bytes > 0;
  const std::uint64_t line_end = line.offset + line.length;
  if (!is_of_watermark || number != end().last || line_end == durable_bytes) return;
  findings_.find_at(Severity::error, "length_disagrees_with_record",
                    "the line ends at byte " + std::to_string(line_end) + ", by the records at " +
                        std::to_string(durable_bytes) + ": a line before it has another length",
                    path, line);
}

bool LogCheck::check_owner(const std::string& path, const ScannedLine& line, Decoder& decoder) {
  std::optional<Error> problem;
  std::string owner;
  if (worker_id_ == nullptr) {
    RuntimeId runtime_id;
    auto event = decoder.event(line.text, &runtime_id);
    if (!event) problem = event.error();
    if (event && runtime_id != expected_.runtime_id) owner = "runtime " + runtime_id.text();
  } else {
    auto entry = decoder.entry(line.text);
    if (!entry) {
      problem = entry.error();
    } else if (entry->worker_ref != WorkerRef{expected_.runtime_id, *worker_id_}) {
      owner = owner_text(entry->worker_ref);
    } else {
      content_bytes_ += content_bytes(*entry);
    }
  }
  if (problem) {
    findings_.find_at(Severity::error, "line_malformed", problem->message(), path, line);
  } else if (!owner.empty()) {
    findings_.find_at(Severity::error, "ids_disagree", "the line belongs to " + owner, path, line);
  }
  return !problem && owner.empty();
}

void LogCheck::check_content(const std::string& path, const ScannedLine& line, std::uint64_t number,
                             bool above_watermark, Decoder& decoder) {
  if (!check_owner(path, line, decoder)) return;
  if (!above_watermark || expected_.state == nullptr || expected_.live) return;
  const LinePointer committed = expected_.logs.pending_line(worker_id_, number);
  if (number <= end().last) return;  // below the watermark by number: told as out of order
  if (!committed && expected_.may_lack_commits) {
    findings_.find_at(Severity::info, "commit_lost",
                      "a power cut has taken its commit, which was not synced yet: the next writer "
                      "moves the line to quarantine",
                      path, line);
  } else if (!committed) {
    findings_.find_at(Severity::error, "journal_lost_commits",
                      "the line was acknowledged, but the journal ends before it", path, line);
  } else if (without_newline(*committed) != line.text) {
    findings_.find_at(Severity::error, "log_disagrees_with_journal",
                      "the line is not the one that the journal has", path, line);
  }
}

/// A closed part that nobody reads any more.
void LogCheck::tell_trimmed(const std::string& path) {
  if (path == layout::log_file(stem()) || expected_.live) return;
  findings_.find(Severity::info, "trimmed_part",
                 "all of it is trimmed; a checkpoint of this log removes it", path);
}

std::vector<LogCheck::Gap> LogCheck::gaps() const {
  std::vector<Gap> found;
  const std::string path = layout::log_file(stem());
  // Where the lines would be: in the file that is appended to, or behind those that are there.
  const std::string* before = nullptr;
  const auto find = [&](std::uint64_t first, std::uint64_t last) {
    found.push_back({first, last,
                     first >= end().first ? path
                     : before != nullptr  ? *before
                     : expected_.logs.first_kept(worker_id_) > 1
                         ? path  // no name says its begin
                         : layout::log_part(stem(), first)});
  };
  const std::uint64_t end_last = end().last;
  // Behind the watermark a power cut may leave gaps, even before lines that it left: the next
  // writer makes all of it anew from the journal. One that is at work has done so.
  const std::uint64_t required = expected_.live ? UINT64_MAX : end_last;
  std::uint64_t next = expected_.logs.first_kept(worker_id_);
  const auto first_there = std::find_if_not(
      runs_.begin(), runs_.end(), [&](const auto& known) { return is_trimmed(known.second); });
  const bool begins_late =
      first_there == runs_.end() ? next <= end_last : first_there->first > next;
  if (begins_late && expected_.live) next = std::max(next, expected_.first_kept_now(worker_id_));
  for (const auto& [first, run] : runs_) {
    if (is_trimmed(run)) continue;
    if (first > next && next <= required) find(next, std::min(first - 1, required));
    next = std::max(next, run.last + 1);
    before = &run.path;
  }
  if (next <= end_last) find(next, end_last);
  return found;
}

bool LogCheck::is_trimmed(const GoodRun& run) const {
  return run.last < expected_.logs.first_kept(worker_id_);
}

std::string LogCheck::stem() const {
  return worker_id_ != nullptr ? layout::transcript(*worker_id_) : std::string(layout::events);
}

Result<void> LogCheck::check_parts_closed_since(FileSystem& file_system, Decoder& decoder) {
  if (!expected_.live) return {};
  const std::string directory = parent_path(stem());
  const std::string name = directory.empty() ? stem() : stem().substr(directory.size() + 1);
  std::set<std::uint64_t> looked_at;
  for (;;) {
    const std::vector<Gap> missing = gaps();
    if (missing.empty() || findings_.stop_requested()) return {};
    auto entries = file_system.list(directory);
    if (!entries) return is_missing(entries.error()) ? Result<void>() : std::move(entries).error();
    bool has_looked = false;
    for (const DirectoryEntry& entry : *entries) {
      const auto part = layout::parse_log_part(entry.name, name);
      if (!part || *part > missing.back().last) continue;
      const std::string path = layout::log_part(stem(), *part);
      const auto known = runs_.find(*part);
      if (known != runs_.end() && known->second.path == path) continue;
      if (!looked_at.insert(*part).second) continue;
      auto file = file_system.open(path, OpenMode::read);
      if (!file && is_missing(file.error())) continue;  // trimmed by now
      if (!file) return std::move(file).error();
      findings_.saw_file();
      auto checked = check_file(**file, path, part, decoder);
      if (!checked) return checked;
      has_looked = true;
    }
    if (!has_looked) return {};
  }
}

/// Of lines that are all there from the first one ever; 0 if there is none or a gap.
std::uint64_t LogCheck::last_of_unbroken() const {
  std::uint64_t last = 0;
  for (const auto& [first, run] : runs_) {
    if (first > last + 1) return 0;
    last = std::max(last, run.last);
  }
  return expected_.logs.first_kept(worker_id_) == 1 ? last : 0;
}

Result<void> LogCheck::check_complete(FileSystem& file_system, Decoder& decoder) {
  if (expected_.state == nullptr || findings_.stop_requested()) return {};
  auto looked = check_parts_closed_since(file_system, decoder);
  if (!looked || findings_.stop_requested()) return looked;
  for (const auto& [first, run] : runs_) {
    if (is_trimmed(run)) tell_trimmed(run.path);
  }
  for (const Gap& gap : gaps()) {
    findings_.find(
        Severity::error, "lines_missing",
        "numbers " + std::to_string(gap.first) + " to " + std::to_string(gap.last) + " are missing",
        gap.path);
  }
  const std::uint64_t last = last_of_unbroken();
  if (worker_id_ == nullptr || expected_.live || last < end().last) return {};
  const WorkerPointer worker = expected_.state->find(*worker_id_);
  if (worker && last == worker->record.last_sequence.value &&
      content_bytes_ != worker->record.usage.content_bytes) {
    findings_.find(Severity::error, "log_disagrees_with_record",
                   "the record counts " + std::to_string(worker->record.usage.content_bytes) +
                       " content bytes, the transcript has " + std::to_string(content_bytes_),
                   layout::log_file(stem()));
  }
  return {};
}

}  // namespace worker_runtime::fs_store
