// What is good in the files of one log: see log_survey.h.
#include "log_survey.h"

#include <algorithm>
#include <utility>

#include "checked_line.h"
#include "findings.h"
#include "layout.h"
#include "line_scanner.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

Result<void> LogSurvey::scan(FileSystem& file_system, Recorded recorded, const Judge& judge,
                             const Reseal& reseal) {
  redacted_ = std::move(recorded.redacted);
  const LogWatermark& end = recorded.end;
  recorded_end_ = end;
  trim(recorded.first_kept);
  const std::string directory = parent_path(stem_);
  const std::string stem_name = directory.empty() ? stem_ : stem_.substr(directory.size() + 1);
  auto entries = file_system.list(directory);
  if (!entries) {
    // What stands in the way of a directory is moved aside.
    if (is_missing(entries.error()) || is_misplaced(entries.error())) return {};
    return std::move(entries).error();
  }
  // Closed parts come in the order of their numbers: the names have them with a fixed width.
  std::optional<ScannedFile> current;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::file) continue;
    const std::string path = directory.empty() ? entry.name : directory + "/" + entry.name;
    if (entry.name == layout::log_file(stem_name)) current = ScannedFile{path, {}};
    const auto first = layout::parse_log_part(entry.name, stem_name);
    if (!first) continue;
    files_.push_back({path, *first});
    auto scanned = scan_file(file_system, end.last, judge, reseal);
    if (!scanned) return scanned;
  }
  if (current) {
    files_.push_back(std::move(*current));
    auto scanned = scan_file(file_system, end.last, judge, reseal);
    if (!scanned) return scanned;
  }
  trim(recorded.first_kept);
  is_healthy_ = is_whole_up_to(end);
  return {};
}

void LogSurvey::trim(std::uint64_t first_kept) {
  begin_ = 0;
  for (const ScannedFile& file : files_) {
    // The file that is appended to begins where the records say, if they say anything.
    const bool is_recorded = recorded_end_ != LogWatermark{};
    const std::uint64_t first =
        file.named.value_or(is_recorded ? recorded_end_.first : file.first_good);
    if (first <= first_kept) begin_ = std::max(begin_, first);
  }
  if (begin_ == 0) begin_ = first_kept;
}

std::uint64_t LogSurvey::first_of_files() const {
  for (const ScannedFile& file : files_) {
    const std::uint64_t first = file.named.value_or(file.first_good);
    if (first > 0) return first;
  }
  return 1;
}

bool LogSurvey::is_whole_up_to(const LogWatermark& end) const {
  if (has_strays_ || is_out_of_order_ || !lines_.empty() || !gaps(end.last).empty()) return false;
  const bool has_lines = end.last >= end.first;
  if (has_lines && end_offset_ != end.bytes) return false;
  bool has_end = !has_lines;
  for (std::size_t index = 0; index < files_.size(); ++index) {
    const ScannedFile& file = files_[index];
    // The file that ends there may have got its closed name since.
    const std::uint64_t first = file.named.value_or(file.first_good);
    if (first == 0 || first > end.first) continue;  // empty, or begun behind it
    if (first < begin_) continue;                   // trimmed
    // Its lines in one run from the start: to its end, or to the end that was told.
    const auto run = runs_.find(first);
    const bool begins_right =
        run != runs_.end() && run->second.file == index && run->second.begin == 0;
    if (!begins_right) return false;
    if (first < end.first ? run->second.end != file.size : run->second.last < end.last)
      return false;
    has_end = has_end || first == end.first;
  }
  return has_end;
}

/// The last of files_.
Result<void> LogSurvey::scan_file(FileSystem& file_system, std::uint64_t end_number,
                                  const Judge& judge, const Reseal& reseal) {
  const std::size_t index = files_.size() - 1;
  ScannedFile& scanned = files_.back();
  auto file = file_system.open(scanned.path, OpenMode::read);
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  scanned.size = *size;
  LineScanner lines(**file, 0, *size);
  Run* open = nullptr;
  for (;;) {
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (!*line) return {};
    const ScannedLine& found = **line;
    const std::string* const redacted = this->redacted(found);
    const bool checks = is_checked(found) || redacted != nullptr;
    std::optional<std::string> resealed;
    if (!checks && reseal && !found.too_long)
      resealed = reseal(scanned.path, found.number, found.text);
    const std::string_view text = redacted != nullptr ? std::string_view(*redacted)
                                  : resealed          ? std::string_view(*resealed)
                                                      : found.text;
    const auto number = checks || resealed ? line_number(text, key_) : std::nullopt;
    Verdict verdict = Verdict::is_foreign;
    if (number && *number > 0 && !has(*number)) verdict = judge(*number, text);
    if (verdict != Verdict::belongs) {
      ++scanned.bad_lines;
      has_strays_ = has_strays_ || (checks && verdict == Verdict::is_foreign);
      open = nullptr;
      continue;
    }
    if (scanned.first_good == 0) scanned.first_good = *number;
    if (*number == end_number) end_offset_ = found.offset + found.length;
    if (resealed) {
      ++scanned.bad_lines;
      lines_[*number] = std::move(*resealed);
      open = nullptr;
    } else if (open != nullptr && *number == open->last + 1) {
      open->last = *number;
      open->end = found.offset + found.length;
    } else {
      is_out_of_order_ = is_out_of_order_ || open != nullptr;
      open = &runs_[*number];
      *open = {*number, index, found.offset, found.offset + found.length};
    }
  }
}

/// What is good in the place of the line; null: itself.
const std::string* LogSurvey::redacted(const ScannedLine& line) const {
  if (redacted_.empty() || !line.has_newline || line.too_long) return nullptr;
  const auto number = line_number(line.text, key_);
  const auto found = number ? redacted_.find(*number) : redacted_.end();
  return found != redacted_.end() ? &found->second : nullptr;
}

void LogSurvey::add_line(std::uint64_t number, std::string line) {
  if (!has(number)) lines_[number] = std::move(line);
}

bool LogSurvey::has(std::uint64_t number) const {
  if (lines_.contains(number)) return true;
  auto behind = runs_.upper_bound(number);
  return behind != runs_.begin() && std::prev(behind)->second.last >= number;
}

std::uint64_t LogSurvey::last() const {
  std::uint64_t last = lines_.empty() ? 0 : lines_.rbegin()->first;
  if (!runs_.empty()) last = std::max(last, runs_.rbegin()->second.last);
  return last;
}

std::vector<NumberRange> LogSurvey::gaps(std::uint64_t last) const {
  std::vector<NumberRange> missing;
  std::uint64_t next = begin_;
  auto run = runs_.begin();
  auto line = lines_.begin();
  while (next <= last) {
    while (run != runs_.end() && run->second.last < next) ++run;
    while (line != lines_.end() && line->first < next) ++line;
    const std::uint64_t run_first = run != runs_.end() ? run->first : UINT64_MAX;
    const std::uint64_t line_first = line != lines_.end() ? line->first : UINT64_MAX;
    const std::uint64_t known = std::min(run_first, line_first);
    if (known > next) missing.push_back({next, std::min(known - 1, last)});
    if (known > last) break;
    next = (known == run_first ? run->second.last : line_first) + 1;
  }
  return missing;
}

Result<void> LogSurvey::visit(FileSystem& file_system, NumberRange numbers,
                              const Visitor& visitor) const {
  auto line = lines_.lower_bound(numbers.first);
  const auto visit_lines_before = [&](std::uint64_t number) {
    for (; line != lines_.end() && line->first < number && line->first <= numbers.last; ++line) {
      if (!visitor(line->first, line->second)) return false;
    }
    return true;
  };
  auto run = runs_.upper_bound(numbers.first);
  if (run != runs_.begin() && std::prev(run)->second.last >= numbers.first) --run;
  for (; run != runs_.end() && run->first <= numbers.last; ++run) {
    auto file = file_system.open(files_[run->second.file].path, OpenMode::read);
    if (!file) return std::move(file).error();
    LineScanner lines(**file, run->second.begin, run->second.end);
    for (std::uint64_t number = run->first; number <= std::min(run->second.last, numbers.last);
         ++number) {
      auto text = lines.next();
      if (!text) return std::move(text).error();
      const std::string* const redacted = *text ? this->redacted(**text) : nullptr;
      const bool checks = *text && (is_checked(**text) || redacted != nullptr);
      if (!checks || line_number((*text)->text, key_) != number)
        return corrupt(file_system, files_[run->second.file].path,
                       "the file changed while it was read");
      if (number < numbers.first) continue;
      const std::string_view seen =
          redacted != nullptr ? std::string_view(*redacted) : (*text)->text;
      if (!visit_lines_before(number) || !visitor(number, seen)) return {};
    }
  }
  static_cast<void>(visit_lines_before(UINT64_MAX));
  return {};
}

std::vector<LogSurvey::Part> LogSurvey::parts(std::uint64_t last,
                                              std::uint64_t current_first) const {
  std::vector<Part> parts;
  if (last == 0 && files_.empty()) return parts;
  std::uint64_t next_first = begin_;
  for (const ScannedFile& file : files_) {
    // A part that begins behind the end of the log, or is trimmed, holds nothing of it.
    if (!file.named || *file.named > last || *file.named < begin_) continue;
    parts.push_back({file.path, {*file.named, last}, false, true, file.bad_lines, file.size});
    next_first = *file.named + 1;
  }
  const bool has_current = !files_.empty() && !files_.back().named;
  // Where the file that is appended to begins: as the records say if that fits the closed parts,
  // else where its first good line says, else behind everything.
  std::uint64_t first = current_first;
  if (first < next_first || first > last + 1) first = has_current ? files_.back().first_good : 0;
  if (first < next_first || first > last + 1) first = parts.empty() ? begin_ : last + 1;
  Part current{layout::log_file(stem_), {first, last}, false, has_current, 0, 0};
  if (has_current) {
    current.bad_lines = files_.back().bad_lines;
    current.bytes = files_.back().size;
  }
  parts.push_back(std::move(current));
  if (parts.front().numbers.first > begin_) {
    parts.insert(parts.begin(),
                 Part{layout::log_part(stem_, begin_), {begin_, last}, false, false, 0, 0});
  }
  for (std::size_t index = 0; index + 1 < parts.size(); ++index)
    parts[index].numbers.last = parts[index + 1].numbers.first - 1;
  for (Part& part : parts) {
    for (std::size_t index = 0; index < files_.size(); ++index) {
      if (files_[index].path == part.path) part.is_right = is_right(part, files_[index], index);
    }
  }
  return parts;
}

std::vector<std::string> LogSurvey::others(const std::vector<Part>& parts) const {
  std::vector<std::string> paths;
  for (const ScannedFile& file : files_) {
    const bool is_part = std::any_of(parts.begin(), parts.end(),
                                     [&](const Part& part) { return part.path == file.path; });
    const bool is_trimmed = file.named && *file.named > 0 && *file.named < begin_;
    if (!is_part && !is_trimmed) paths.push_back(file.path);
  }
  return paths;
}

bool LogSurvey::is_right(const Part& part, const ScannedFile& file, std::size_t index) const {
  if (part.numbers.count() == 0) return file.size == 0;
  const auto redacted = redacted_.lower_bound(part.numbers.first);
  if (redacted != redacted_.end() && redacted->first <= part.numbers.last) return false;
  const auto run = runs_.find(part.numbers.first);
  return run != runs_.end() && run->second.file == index && run->second.begin == 0 &&
         run->second.end == file.size && run->second.last == part.numbers.last;
}

}  // namespace worker_runtime::fs_store
