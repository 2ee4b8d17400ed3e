// The readable files: what is there, and pages of it. Writing them: logs_extend.cpp. See logs.h.
#include "logs.h"

#include <algorithm>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// As visit_lines(), of a file that somebody may have edited: where a line has become longer, the
/// last ones stand behind the end that the record knows. Their numbers say which they are.
Result<std::optional<LineDamage>> visit_edited(const File& file, const Extent& extent,
                                               const LineRange& range, const LineVisitor& visitor) {
  auto damage = visit_lines(file, extent, range, visitor);
  if (!damage || !*damage) return damage;
  auto size = file.size();
  if (!size) return std::move(size).error();
  if (*size <= extent.bytes) return damage;
  LineRange rest = range;
  rest.start = (*damage)->number;
  return visit_lines(file, {extent.first, extent.last, *size}, rest, visitor);
}

}  // namespace

Logs::Name Logs::event_log() { return {std::string(layout::events), "id"}; }
Logs::Name Logs::transcript_log(const WorkerId& worker_id) {
  return {layout::transcript(worker_id), "sequence"};
}

Logs::Name Logs::name_of(const WorkerId* worker_id) {
  return worker_id != nullptr ? transcript_log(*worker_id) : event_log();
}

LogState* Logs::state_of(const WorkerId* worker_id) {
  if (worker_id == nullptr) return &events_;
  const auto found = transcripts_.find(*worker_id);
  return found == transcripts_.end() ? nullptr : &found->second;
}

const LogState* Logs::state_of(const WorkerId* worker_id) const {
  if (worker_id == nullptr) return &events_;
  const auto found = transcripts_.find(*worker_id);
  return found == transcripts_.end() ? nullptr : &found->second;
}

const LinePointer& LogState::waiting(std::uint64_t number) const {
  const auto found = redacted.find(number);
  return found != redacted.end() ? found->second.text : pending[number - end.last - 1].text;
}

std::vector<LinePointer> LogState::first_lines(std::uint64_t generation,
                                               std::size_t bytes_max) const {
  std::vector<LinePointer> lines;
  std::size_t bytes = 0;
  for (const PendingLine& line : pending) {
    if (line.generation > generation || bytes >= bytes_max) break;
    bytes += line.text->size();
    lines.push_back(line.text);
  }
  return lines;
}

void Logs::set_events(LogWatermark end) {
  const std::lock_guard lock(mutex_);
  events_.end = end;
}

void Logs::reserve(std::size_t workers) {
  const std::lock_guard lock(mutex_);
  transcripts_.reserve(workers);
}

void Logs::set_transcript(const WorkerId& worker_id, LogWatermark end) {
  const std::lock_guard lock(mutex_);
  transcripts_[worker_id].end = end;
}

LogWatermark Logs::events() const {
  const std::lock_guard lock(mutex_);
  return events_.end;
}

LogWatermark Logs::transcript(const WorkerId& worker_id) const {
  const std::lock_guard lock(mutex_);
  const LogState* const state = state_of(&worker_id);
  return state != nullptr ? state->end : LogWatermark{};
}

void Logs::push_event(std::string line) {
  auto pointer = std::make_shared<const std::string>(std::move(line));
  const std::lock_guard lock(mutex_);
  pending_bytes_ += pointer->size();
  events_.pending.push_back({std::move(pointer), generation_});
}

void Logs::push_entry(const WorkerId& worker_id, std::string line) {
  auto pointer = std::make_shared<const std::string>(std::move(line));
  const std::lock_guard lock(mutex_);
  pending_bytes_ += pointer->size();
  LogState& state = transcripts_[worker_id];
  if (state.pending.empty()) waiting_.insert(worker_id);
  state.pending.push_back({std::move(pointer), generation_});
}

void Logs::forget(const WorkerId& worker_id) {
  const std::lock_guard lock(mutex_);
  const auto found = transcripts_.find(worker_id);
  if (found != transcripts_.end()) {
    for (const PendingLine& line : found->second.pending) pending_bytes_ -= line.text->size();
    transcripts_.erase(found);
    waiting_.erase(worker_id);
    redacted_.erase(worker_id);
  }
  deleted_.push_back(worker_id);
}

bool Logs::trim(const WorkerId* worker_id, std::uint64_t first_kept) {
  const std::lock_guard lock(mutex_);
  LogState* const state = state_of(worker_id);
  if (state == nullptr || first_kept <= state->first_kept) return false;
  state->first_kept = first_kept;
  return state->end.first > 1;
}

std::uint64_t Logs::first_kept(const WorkerId* worker_id) const {
  const std::lock_guard lock(mutex_);
  const LogState* const state = state_of(worker_id);
  return state != nullptr ? state->first_kept : 1;
}

std::uint64_t Logs::begin_generation() {
  const std::lock_guard lock(mutex_);
  return generation_++;
}

std::uint64_t Logs::pending_bytes() const {
  const std::lock_guard lock(mutex_);
  return pending_bytes_;
}

std::vector<WorkerId> Logs::pending_workers() const {
  const std::lock_guard lock(mutex_);
  return {waiting_.begin(), waiting_.end()};
}

LinePointer Logs::pending_line(const WorkerId* worker_id, std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const LogState* const state = state_of(worker_id);
  if (state == nullptr || number <= state->end.last || number > state->last()) return nullptr;
  return state->waiting(number);
}

Result<std::uint64_t> Logs::durable_bytes(const WorkerId* worker_id,
                                          std::optional<std::uint64_t> part) const {
  const LogWatermark end = worker_id != nullptr ? transcript(*worker_id) : events();
  if (part && *part < end.first) return UINT64_MAX;
  if (part) return *part == end.first ? end.bytes : 0;
  auto closed = file_system_.kind(layout::log_part(name_of(worker_id).stem, end.first));
  if (!closed) return std::move(closed).error();
  return *closed ? 0 : end.bytes;
}

std::vector<LogTrouble> Logs::take_troubles() {
  const std::lock_guard lock(mutex_);
  return std::exchange(troubles_, {});
}

// ---- pages

Result<void> Logs::read_events(const PageRange& range, const LineVisitor& visitor) const {
  return read(event_log(), nullptr, range, visitor);
}

Result<void> Logs::read_transcript(const WorkerId& worker_id, const PageRange& range,
                                   const LineVisitor& visitor) const {
  return read(transcript_log(worker_id), &worker_id, range, visitor);
}

namespace {

/// Behind damage that reaches to the end of the files, what waits can be read still.
Error readable_again_at(Error error, std::uint64_t number) {
  const auto* const known = error.get<FileFields>();
  if (error.code() != ErrorCode::store_corrupt || known == nullptr || known->next_readable)
    return error;
  FileFields fields = *known;
  fields.next_readable = number;
  return {error.code(), error.message(), std::move(fields)};
}

}  // namespace

Logs::View Logs::view(const WorkerId* worker_id, const PageRange& range) const {
  View view;
  const std::lock_guard lock(mutex_);
  const LogState* const state = state_of(worker_id);
  if (state == nullptr) return view;
  view.end = state->end;
  view.first_kept = state->first_kept;
  const std::uint64_t behind_file = state->end.last + 1;
  const std::uint64_t first = std::max({range.first, behind_file, state->first_kept});
  const std::uint64_t last = std::min(range.last, state->last());
  // No page starts in the file and needs more of what waits than `items`.
  for (std::uint64_t count = 0; first <= last && count <= last - first && count < range.items;
       ++count) {
    const std::uint64_t number =
        range.direction == Direction::oldest_first ? first + count : last - count;
    view.pending.push_back(state->waiting(number));
  }
  view.redactions = state->redactions;
  for (auto at = state->redacted.lower_bound(range.first);
       at != state->redacted.end() && at->first <= std::min(range.last, state->end.last); ++at) {
    view.redacted.emplace_back(at->first, at->second.text);
  }
  if (range.direction == Direction::newest_first)
    std::reverse(view.redacted.begin(), view.redacted.end());
  return view;
}

Result<void> Logs::read(const Name& name, const WorkerId* worker_id, const PageRange& range,
                        const LineVisitor& visitor) const {
  const bool up = range.direction == Direction::oldest_first;
  bool enough = false;
  bool any = false;
  const LineVisitor counting = [&](std::uint64_t number, std::string_view line) {
    any = true;
    enough = !visitor(number, line);
    return !enough;
  };
  const auto visit_pending = [&](const View& view) {
    for (const LinePointer& line : view.pending) {
      const std::string_view text = without_newline(*line);
      const auto number = line_number(text, name.key);
      if (!number || !counting(*number, text)) return;
    }
  };
  // A part may be rolled, or trimmed and removed, between the look at the state and the opening of
  // its file, or a line in it may be overwritten: then look again.
  for (;;) {
    const View seen = view(worker_id, range);
    if ((up ? range.first : range.last) < seen.first_kept) {
      return Error(ErrorCode::cursor_expired,
                   std::string(name.key) + " " + std::to_string(up ? range.first : range.last) +
                       " was trimmed",
                   CursorFields{seen.first_kept});
    }
    if (!up) visit_pending(seen);
    PageRange in_files = range;
    in_files.first = std::max(range.first, seen.first_kept);
    in_files.last = std::min(range.last, seen.end.last);
    if (!enough && in_files.first <= in_files.last) {
      auto done = read_around_redacted(name, seen, in_files, counting);
      const View now = view(worker_id, range);
      const bool moved = now.end.first != seen.end.first || now.first_kept != seen.first_kept ||
                         now.redactions != seen.redactions;
      if (!done && moved && !any) continue;
      // A page that has something ends before the damage; the next one starts on it.
      if (!done && any && done.error().code() == ErrorCode::store_corrupt) return {};
      if (!done && range.last > seen.end.last)
        return readable_again_at(std::move(done).error(), seen.end.last + 1);
      if (!done) return done;
    }
    if (up && !enough) visit_pending(seen);
    return {};
  }
}

/// What the files have, but for lines that are redacted: those may be overwritten right now.
Result<void> Logs::read_around_redacted(const Name& name, const View& seen, const PageRange& range,
                                        const LineVisitor& visitor) const {
  const bool up = range.direction == Direction::oldest_first;
  bool enough = false;
  const LineVisitor watched = [&](std::uint64_t number, std::string_view line) {
    enough = !visitor(number, line);
    return !enough;
  };
  PageRange piece = range;
  for (const auto& [number, line] : seen.redacted) {
    if (number < range.first || number > range.last) continue;
    (up ? piece.last : piece.first) = up ? number - 1 : number + 1;
    if (piece.first <= piece.last) {
      auto read = read_files(name, seen.end, piece, watched);
      if (!read || enough) return read;
    }
    if (!watched(number, without_newline(*line))) return {};
    piece.first = up ? number + 1 : range.first;
    piece.last = up ? range.last : number - 1;
  }
  return piece.first <= piece.last ? read_files(name, seen.end, piece, watched) : Result<void>();
}

Result<void> Logs::read_files(const Name& name, LogWatermark end, const PageRange& range,
                              const LineVisitor& visitor) const {
  const bool up = range.direction == Direction::oldest_first;
  std::uint64_t number = up ? range.first : range.last;
  while (number >= range.first && number <= range.last) {
    auto part = find_part(name, end, number);
    if (!part) return std::move(part).error();
    auto file = open_part(name, *part, number);
    if (!file) return std::move(file).error();
    bool enough = false;
    // Behind the last one that is wanted may stand one that is overwritten right now.
    const std::uint64_t last_wanted = up ? range.last : range.first;
    const LineVisitor bounded = [&](std::uint64_t at, std::string_view line) {
      enough = at < range.first || at > range.last || !visitor(at, line);
      return !enough && at != last_wanted;
    };
    const LineRange lines{name.key, number, range.direction, range.items};
    auto damage = visit_edited(**file, part->extent, lines, bounded);
    if (!damage) return std::move(damage).error();
    if (*damage) {
      auto next = (*damage)->next_readable;
      if (!next && up && part->extent.last < range.last) next = part->extent.last + 1;
      if (!next && !up && part->extent.first > range.first) next = part->extent.first - 1;
      return corrupt(file_system_, part->path,
                     std::string(name.key) + " " + std::to_string((*damage)->number) +
                         " is damaged or missing",
                     (*damage)->line, (*damage)->offset, next);
    }
    if (enough) return {};
    number = up ? part->extent.last + 1 : part->extent.first - 1;
  }
  return {};
}

Result<std::vector<std::uint64_t>> Logs::closed_parts(const Name& name,
                                                      const LogWatermark& end) const {
  const std::string directory = parent_path(name.stem);
  const std::string_view stem_name = directory.empty()
                                         ? std::string_view(name.stem)
                                         : std::string_view(name.stem).substr(directory.size() + 1);
  auto entries = file_system_.list(directory);
  if (!entries && !is_missing(entries.error())) return std::move(entries).error();
  std::vector<std::uint64_t> firsts;
  if (!entries) return firsts;
  for (const DirectoryEntry& entry : *entries) {
    const auto first = layout::parse_log_part(entry.name, stem_name);
    if (first && *first > 0 && *first < end.first) firsts.push_back(*first);
  }
  std::sort(firsts.begin(), firsts.end());
  return firsts;
}

Result<Logs::Part> Logs::find_part(const Name& name, const LogWatermark& end,
                                   std::uint64_t number) const {
  if (number >= end.first)
    return Part{layout::log_file(name.stem), {end.first, end.last, end.bytes}};
  auto parts = closed_parts(name, end);
  if (!parts) return std::move(parts).error();
  const auto behind = std::upper_bound(parts->begin(), parts->end(), number);
  const std::uint64_t next = behind != parts->end() ? *behind : end.first;
  const std::uint64_t first = behind != parts->begin() ? *std::prev(behind) : 0;
  if (first == 0) {
    return corrupt(file_system_, layout::log_part(name.stem, number),
                   "the part of the log that holds " + std::string(name.key) + " " +
                       std::to_string(number) + " is missing",
                   {}, {}, next);
  }
  return Part{layout::log_part(name.stem, first), {first, next - 1, 0}};
}

Result<std::unique_ptr<File>> Logs::open_part(const Name& name, Part& part, std::uint64_t number,
                                              OpenMode mode) const {
  auto file = file_system_.open(part.path, mode);
  if (!file) {
    if (!is_missing(file.error())) return file;
    // Beside another process that writes, the file may have become a closed part meanwhile.
    const std::string rolled = layout::log_part(name.stem, part.extent.first);
    file = file_system_.open(rolled, mode);
    if (!file) {
      if (!is_missing(file.error())) return file;
      return corrupt(file_system_, part.path,
                     "the file is missing: " + std::string(name.key) + " " +
                         std::to_string(number) + " and those behind it are lost");
    }
    part.path = rolled;
  } else if (part.path == layout::log_file(name.stem)) {
    auto head = (*file)->read(0, 64);
    if (!head) return std::move(head).error();
    if (line_number(*head, name.key) != part.extent.first) {
      auto rolled = file_system_.open(layout::log_part(name.stem, part.extent.first), mode);
      if (rolled) {
        part.path = layout::log_part(name.stem, part.extent.first);
        return rolled;
      }
    }
  }
  if (part.extent.bytes == 0) {
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    part.extent.bytes = *size;
  }
  return file;
}

Result<std::optional<std::string>> Logs::check_end(const WorkerId& worker_id,
                                                   const LineJudge& judge) const {
  auto kind = file_system_.kind(layout::worker_directory(worker_id));
  if (!kind) return std::move(kind).error();
  if (*kind && **kind != EntryKind::directory)
    return std::optional<std::string>("its directory is no directory");
  const LogWatermark end = transcript(worker_id);
  const Name name = transcript_log(worker_id);
  // What was damaged and then closed as a part is damaged still: the file must go on where the part
  // before it ends, unless that was trimmed.
  if (end.first > first_kept(&worker_id)) {
    auto before = find_part(name, end, end.first - 1);
    if (!before && before.error().code() != ErrorCode::store_corrupt)
      return std::move(before).error();
    if (!before) return std::optional<std::string>("the part before the file is missing");
    auto cause = check_part_end(worker_id, *std::move(before), judge);
    if (!cause || *cause) return cause;
  }
  if (end.last < end.first) return std::optional<std::string>();
  // Beside a writer, and after a crash, the file may have become a closed part meanwhile.
  return check_part_end(worker_id, {layout::log_file(name.stem), {end.first, end.last, end.bytes}},
                        judge);
}

Result<bool> Logs::has_closed_twin(const WorkerId& worker_id) const {
  const Name name = transcript_log(worker_id);
  auto kind = file_system_.kind(layout::log_part(name.stem, transcript(worker_id).first));
  if (!kind) return std::move(kind).error();
  return kind->has_value();
}

Result<std::optional<std::string>> Logs::check_part_end(const WorkerId& worker_id, Part part,
                                                        const LineJudge& judge) const {
  const Name name = transcript_log(worker_id);
  auto file = open_part(name, part, part.extent.last);
  if (!file) {
    if (file.error().code() != ErrorCode::store_corrupt) return std::move(file).error();
    return std::optional<std::string>("the file is missing");
  }
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  if (*size < part.extent.bytes) {
    return std::optional<std::string>("the file has " + std::to_string(*size) + " bytes where " +
                                      std::to_string(part.extent.bytes) + " were acknowledged");
  }
  std::optional<std::string> cause;
  // A line that is to be overwritten may be torn by right.
  if (redacted_line(worker_id, part.extent.last)) return cause;
  auto damage =
      visit_lines(**file, part.extent, {name.key, part.extent.last, Direction::newest_first, 1},
                  [&](std::uint64_t, std::string_view line) {
                    cause = judge(line);
                    return false;
                  });
  if (!damage) return std::move(damage).error();
  if (*damage)
    return std::optional<std::string>("its last entry does not match its checksum or its number");
  return cause;
}

}  // namespace worker_runtime::fs_store
