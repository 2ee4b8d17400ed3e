// Writing the readable files: extension, sync, and the cut that recovery makes. See logs.h.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "checked_line.h"
#include "layout.h"
#include "line_scanner.h"
#include "logs.h"
#include "quarantine.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// One write appends at most about this much: what waits is freed as it goes.
constexpr std::size_t append_bytes_max = std::size_t{4} << 20U;
/// So much of a log goes to the disk at a time, while it is appended to.
constexpr std::uint64_t writeback_bytes = std::uint64_t{1} << 20U;
/// Beyond this many files one syncfs is cheaper than a sync each.
constexpr std::size_t single_syncs_max = 32;

/// Whether other logs would meet the same.
bool concerns_all(const Error& error) {
  return is_full(error) || is_out_of_handles(error) || error.code() == ErrorCode::store_failed;
}

}  // namespace

// ---- extension

Result<void> Logs::extend(std::uint64_t generation) {
  auto done = extend_log(event_log(), nullptr, generation);
  if (!done) return done;
  for (const WorkerId& worker_id : pending_workers()) {
    auto extended = extend_log(transcript_log(worker_id), &worker_id, generation);
    if (extended) continue;
    if (concerns_all(extended.error())) return extended;
    // The trouble of one transcript holds up no other; it is told at the end.
    if (done) done = std::move(extended);
  }
  return done;
}

Result<void> Logs::extend_log(const Name& name, const WorkerId* worker_id,
                              std::uint64_t generation) {
  std::string bytes;
  // Commits hand over their lines under the same lock: it is held while lines are taken and while
  // they are let go, not while they are copied and freed.
  std::vector<LinePointer> lines;
  for (;;) {
    bytes.clear();
    lines.clear();
    LogWatermark end;
    {
      const std::lock_guard lock(mutex_);
      const LogState* const state = state_of(worker_id);
      if (state == nullptr || state->pending.empty()) {
        if (worker_id != nullptr) waiting_.erase(*worker_id);
        return {};
      }
      end = state->end;
      lines = state->first_lines(generation, append_bytes_max);
    }
    if (lines.empty()) return {};
    if (end.bytes >= part_bytes_ && end.last >= end.first) {
      auto rolled = roll(name, worker_id);
      if (!rolled) return rolled;
      continue;
    }
    auto handle = append_handle(name, end, worker_id);
    if (!handle) return std::move(handle).error();
    {
      // Making the file may have begun a new part.
      const std::lock_guard lock(mutex_);
      const LogState* const state = state_of(worker_id);
      if (state == nullptr) return {};
      end = state->end;
    }
    for (const LinePointer& line : lines) bytes += *line;
    auto written = (*handle)->write(end.bytes, bytes);
    if (!written) {
      // Whatever was written of it goes: a later append must not glue itself to a stub.
      auto cut = (*handle)->truncate(end.bytes);
      return cut ? std::move(written) : std::move(cut);
    }
    unsynced_.insert(name.stem);
    // Bit by bit: what all came to the disk at the checkpoint would hold up the syncs of commits.
    if (end.bytes / writeback_bytes != (end.bytes + bytes.size()) / writeback_bytes) {
      const std::uint64_t from = end.bytes / writeback_bytes * writeback_bytes;
      (*handle)->begin_writeback(from, end.bytes + bytes.size() - from);
    }
    const std::lock_guard lock(mutex_);
    LogState* const state = state_of(worker_id);
    if (state == nullptr) return {};  // deleted meanwhile
    state->end.bytes += bytes.size();
    state->end.last += lines.size();
    state->pending.erase(state->pending.begin(),
                         state->pending.begin() + static_cast<std::ptrdiff_t>(lines.size()));
    pending_bytes_ -= bytes.size();
  }
}

Result<std::optional<std::uint64_t>> Logs::find_end(const Name& name, const File& file,
                                                    std::uint64_t size, const LogWatermark& end) {
  if (end.last < end.first || size == end.bytes) return std::optional(end.bytes);
  if (size > end.bytes) {
    auto damage = visit_lines(file, {end.first, end.last, end.bytes},
                              {name.key, end.last, Direction::newest_first, 1},
                              [](std::uint64_t, std::string_view) { return false; });
    if (!damage) return std::move(damage).error();
    if (!*damage) return std::optional(end.bytes);
  }
  auto place = find_line(file, {end.first, end.last, size}, name.key, end.last);
  if (!place) return std::move(place).error();
  if (*place) return std::optional((*place)->offset + (*place)->bytes);
  // Damaged where it stands, which moves nothing.
  auto newline = size > end.bytes ? file.read(end.bytes - 1, 1) : Result<std::string>("");
  if (!newline) return std::move(newline).error();
  return *newline == "\n" ? std::optional(end.bytes) : std::nullopt;
}

Result<void> Logs::begin_part(const Name& name, const WorkerId* worker_id) {
  auto there = file_system_.kind(layout::log_file(name.stem));
  if (!there) return std::move(there).error();
  if (*there) return roll(name, worker_id);
  const std::lock_guard lock(mutex_);
  LogState* const state = state_of(worker_id);
  if (state != nullptr) state->end = {state->end.last + 1, 0, state->end.last};
  return {};
}

Result<std::shared_ptr<File>> Logs::begin_behind_damage(const Name& name, const WorkerId* worker_id,
                                                        const std::string& cause) {
  auto begun = begin_part(name, worker_id);
  if (!begun) return std::move(begun).error();
  if (worker_id != nullptr) {
    const std::lock_guard lock(mutex_);
    troubles_.push_back({*worker_id, cause});
  }
  return new_handle(name, worker_id);
}

Result<std::shared_ptr<File>> Logs::new_handle(const Name& name, const WorkerId* worker_id) {
  auto file = make_log_file(name, worker_id);
  if (!file) return std::move(file).error();
  return handles_.keep(name.stem, std::move(*file));
}

Result<std::shared_ptr<File>> Logs::append_handle(const Name& name, const LogWatermark& end,
                                                  const WorkerId* worker_id) {
  if (auto kept = handles_.find(name.stem)) return kept;
  const std::string path = layout::log_file(name.stem);
  auto file = file_system_.open(path, OpenMode::write);
  if (!file && !is_missing(file.error()) && !concerns_all(file.error()) && worker_id != nullptr) {
    auto moved = move_stray_aside(name.stem);
    if (!moved) return std::move(moved).error();
    if (*moved) file = file_system_.open(path, OpenMode::write);
  }
  if (!file && is_missing(file.error())) {
    return end.last < end.first
               ? new_handle(name, worker_id)
               : begin_behind_damage(name, worker_id, "its transcript was removed");
  }
  if (!file) return std::move(file).error();
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  auto end_bytes = find_end(name, **file, *size, end);
  if (!end_bytes) return std::move(end_bytes).error();
  if (*end_bytes != end.bytes)
    return begin_behind_damage(name, worker_id, "its transcript was changed by somebody else");
  if (*size > end.bytes) {
    // Bytes that somebody else appended, or a file that was there before its Worker: they would
    // stand in the middle of the next lines.
    auto aside = quarantine_bytes(file_system_, path, **file, end.bytes, *size);
    if (!aside) return std::move(aside).error();
    auto cut = (*file)->truncate(end.bytes);
    if (!cut) return std::move(cut).error();
  }
  return handles_.keep(name.stem, std::move(*file));
}

Result<std::unique_ptr<File>> Logs::make_log_file(const Name& name, const WorkerId* worker_id) {
  const std::string path = layout::log_file(name.stem);
  auto file = file_system_.open(path, OpenMode::create_new);
  if (!file && is_missing(file.error()) && worker_id != nullptr) {
    auto made = make_worker_directory(layout::worker_directory(*worker_id));
    if (!made) return std::move(made).error();
    file = file_system_.open(path, OpenMode::create_new);
  }
  if (file) unsynced_directories_.insert(parent_path(path));
  return file;
}

Result<void> Logs::make_worker_directory(const std::string& directory) {
  const std::string workers(layout::workers);
  auto there = file_system_.kind(workers);
  if (!there) return std::move(there).error();
  if (!*there) {
    auto made = file_system_.make_directory(workers);
    if (!made) return made;
    unsynced_directories_.insert("");
  }
  unsynced_directories_.insert(workers);
  return file_system_.make_directory(directory);
}

Result<void> Logs::roll(const Name& name, const WorkerId* worker_id) {
  if (auto named = put_back_if_replaced(name.stem); !named) return named;
  handles_.drop(name.stem);
  {
    // Under the lock, so that no reader opens the new part's name for the old part's lines.
    const std::lock_guard lock(mutex_);
    LogState* const state = state_of(worker_id);
    if (state == nullptr) return {};
    auto renamed = file_system_.rename(layout::log_file(name.stem),
                                       layout::log_part(name.stem, state->end.first));
    if (!renamed) return renamed;
    state->end = {state->end.last + 1, 0, state->end.last};
  }
  // The part's new name durable before another file takes the old one: a power cut that kept the
  // second change and not the first would leave acknowledged lines without a name.
  return file_system_.sync_directory(parent_path(name.stem));
}

Result<void> Logs::skip_to(const WorkerId* worker_id, std::uint64_t first) {
  const LogWatermark end = worker_id != nullptr ? transcript(*worker_id) : events();
  if (end.last >= end.first) {
    auto rolled = roll(name_of(worker_id), worker_id);
    if (!rolled) return rolled;
  }
  const LogWatermark begun{first, 0, first - 1};
  if (worker_id != nullptr) {
    set_transcript(*worker_id, begun);
  } else {
    set_events(begun);
  }
  return {};
}

Result<void> Logs::sync() {
  if (auto named = put_back_replaced(); !named) return named;
  const bool everything = handles_.let_go_unsynced() ||
                          unsynced_.size() + unsynced_directories_.size() > single_syncs_max;
  if (everything) {
    auto synced = file_system_.sync_all();
    if (!synced) return synced;
  } else {
    for (const std::string& stem : unsynced_) {
      const auto file = handles_.find(stem);
      auto synced = file ? file->sync() : file_system_.sync_all();
      if (!synced) return synced;
    }
    for (const std::string& directory : unsynced_directories_) {
      auto synced = file_system_.sync_directory(directory);
      if (!synced && !is_missing(synced.error())) return synced;  // a Worker deleted meanwhile
    }
  }
  unsynced_.clear();
  unsynced_directories_.clear();
  handles_.set_synced();
  return {};
}

std::vector<WorkerId> Logs::take_deleted() {
  const std::lock_guard lock(mutex_);
  return std::exchange(deleted_, {});
}

Result<void> Logs::remove(std::vector<WorkerId> deleted) {
  while (!deleted.empty()) {
    const WorkerId& worker_id = deleted.back();
    const std::string directory = layout::worker_directory(worker_id);
    const std::string stem = layout::transcript(worker_id);
    handles_.discard(stem);
    unsynced_.erase(stem);
    unsynced_directories_.erase(directory);
    Result<void> done;
    auto entries = file_system_.list(directory);
    auto kind = file_system_.kind(directory);
    if (kind && *kind && **kind != EntryKind::directory) {
      // Somebody put a file or a link where the directory was: it goes with the Worker.
      done = file_system_.remove_file(directory);
    } else if (!entries) {
      if (!is_missing(entries.error())) done = std::move(entries).error();
    } else {
      // A directory in there is none of ours: it stays, and the one around it. Failing on it would
      // hold up all other logs.
      const auto is_stray = [](const DirectoryEntry& entry) {
        return entry.kind == EntryKind::directory;
      };
      for (const DirectoryEntry& entry : *entries) {
        if (done && !is_stray(entry)) done = file_system_.remove_file(directory + "/" + entry.name);
      }
      if (done && std::none_of(entries->begin(), entries->end(), is_stray))
        done = file_system_.remove_directory(directory);
      unsynced_directories_.insert(std::string(layout::workers));
    }
    if (!done) {
      const std::lock_guard lock(mutex_);
      deleted_.insert(deleted_.end(), deleted.begin(), deleted.end());
      return done;
    }
    deleted.pop_back();
  }
  return {};
}

Result<void> Logs::remove_trimmed(const WorkerId* worker_id, std::uint64_t first_kept) {
  const Name name = name_of(worker_id);
  LogWatermark end;
  {
    const std::lock_guard lock(mutex_);
    const LogState* const state = state_of(worker_id);
    if (state == nullptr) return {};  // deleted meanwhile
    end = state->end;
  }
  if (end.first == 1) return {};
  auto parts = closed_parts(name, end);
  if (!parts) return std::move(parts).error();
  for (std::size_t part = 0; part < parts->size(); ++part) {
    const std::uint64_t behind = part + 1 < parts->size() ? (*parts)[part + 1] : end.first;
    if (behind > first_kept) break;
    auto removed = file_system_.remove_file(layout::log_part(name.stem, (*parts)[part]));
    if (!removed && !is_missing(removed.error())) return removed;
  }
  return {};
}

// ---- recovery

void Logs::distrust_directories() { unsynced_directories_.insert(std::string(layout::workers)); }

Result<Logs::Settled> Logs::settle_events(Loss loss) { return settle(event_log(), nullptr, loss); }

Result<Logs::Settled> Logs::settle_transcript(const WorkerId& worker_id, Loss loss) {
  // What is missing then was damaged before.
  auto moved = move_stray_aside(layout::transcript(worker_id));
  if (!moved) return std::move(moved).error();
  return settle(transcript_log(worker_id), &worker_id, loss);
}

Result<Logs::Settled> Logs::settle(const Name& name, const WorkerId* worker_id, Loss loss) {
  LogWatermark end;
  std::uint64_t last = 0;
  {
    const std::lock_guard lock(mutex_);
    // A Worker without entries has no state here.
    if (const LogState* const state = state_of(worker_id)) {
      end = state->end;
      last = state->last();
    }
  }
  auto undone = undo_roll(name, end, last, loss);
  if (!undone) return std::move(undone).error();

  Settled settled{*undone, layout::log_file(name.stem)};
  auto file = file_system_.open(settled.path, OpenMode::write);
  if (!file) {
    if (!is_missing(file.error())) return std::move(file).error();
    if (end.last < end.first) return settled;
    return corrupt(file_system_, settled.path, "the file is missing");
  }
  if (end.bytes == 0) {
    // A process that died may have made the file, and its directory, without a sync of the names.
    unsynced_directories_.insert(parent_path(name.stem));
    unsynced_directories_.insert(std::string(layout::workers));
  }
  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  auto end_bytes = find_end(name, **file, *size, end);
  if (!end_bytes) return std::move(end_bytes).error();
  if (!*end_bytes || (worker_id != nullptr && **end_bytes != end.bytes)) {
    return corrupt(file_system_, settled.path,
                   "the file has " + std::to_string(*size) + " bytes, and no " +
                       std::string(name.key) + " " + std::to_string(end.last) +
                       " that ends at byte " + std::to_string(end.bytes),
                   {}, std::min(*size, end.bytes));
  }
  if (**end_bytes != end.bytes) {
    end.bytes = **end_bytes;
    const std::lock_guard lock(mutex_);
    state_of(worker_id)->end.bytes = end.bytes;
  }
  if (*size == end.bytes) return settled;
  auto torn = inspect_tail(name, settled.path, **file, end.bytes, last, loss);
  if (!torn) return std::move(torn).error();
  if (*torn > 0) {
    auto aside = quarantine_bytes(file_system_, settled.path, **file, *size - *torn, *size);
    if (!aside) return std::move(aside).error();
    settled.torn_bytes += *torn;
  }
  auto cut = (*file)->truncate(end.bytes);
  if (!cut) return std::move(cut).error();
  unsynced_.insert(name.stem);
  handles_.keep(name.stem, std::move(*file));
  return settled;
}

Result<void> Logs::close_damaged(const WorkerId& worker_id) {
  const Name name = transcript_log(worker_id);
  handles_.drop(name.stem);
  return begin_part(name, &worker_id);
}

/// Bytes behind the last good line. A good line that the journal can't give again is acknowledged
/// data that the journal has lost.
Result<std::uint64_t> Logs::inspect_tail(const Name& name, const std::string& path,
                                         const File& file, std::uint64_t from, std::uint64_t last,
                                         Loss loss) const {
  LineScanner lines(file, from, UINT64_MAX);
  std::uint64_t good_end = from;
  std::uint64_t end = from;
  for (;;) {
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (!*line) return end - good_end;
    end = (*line)->offset + (*line)->length;
    if (!(*line)->has_newline || (*line)->too_long || !check_line((*line)->text)) continue;
    const auto number = line_number((*line)->text, name.key);
    if (!number) continue;
    if (*number > last && loss == Loss::impossible) {
      return corrupt(file_system_, path,
                     std::string(name.key) + " " + std::to_string(*number) +
                         " was acknowledged, but the journal ends before it",
                     {}, (*line)->offset);
    }
    if (*number <= last) good_end = end;
  }
}

/// Parts that were begun since the watermark hold nothing that the journal does not: they go, torn
/// tails to quarantine, and the part of the watermark gets its old name back. A power cut in here
/// may keep the rename and lose the removals: then younger parts are all there is to undo.
Result<std::uint64_t> Logs::undo_roll(const Name& name, const LogWatermark& end, std::uint64_t last,
                                      Loss loss) {
  const std::string directory = parent_path(name.stem);
  const std::string stem_name =
      directory.empty() ? name.stem : name.stem.substr(directory.size() + 1);
  auto entries = file_system_.list(directory);
  if (!entries) {
    if (is_missing(entries.error())) return std::uint64_t{0};
    return std::move(entries).error();
  }
  const std::string rolled = layout::log_part(stem_name, end.first);
  const bool is_rolled =
      std::any_of(entries->begin(), entries->end(),
                  [&](const DirectoryEntry& entry) { return entry.name == rolled; });
  std::vector<std::string> younger;
  for (const DirectoryEntry& entry : *entries) {
    const auto first = layout::parse_log_part(entry.name, stem_name);
    const bool current = is_rolled && entry.name == layout::log_file(stem_name);
    if (current || (first && *first > end.first)) {
      younger.push_back(directory.empty() ? entry.name : directory + "/" + entry.name);
    }
  }
  // All are looked at before the first goes: a line that the journal has lost must not cost others.
  std::vector<std::uint64_t> torn_bytes;
  for (const std::string& path : younger) {
    auto file = file_system_.open(path, OpenMode::read);
    if (!file) return std::move(file).error();
    auto torn = inspect_tail(name, path, **file, 0, last, loss);
    if (!torn) return std::move(torn).error();
    torn_bytes.push_back(*torn);
  }
  std::uint64_t torn_total = 0;
  for (std::size_t part = 0; part < younger.size(); ++part) {
    auto removed = remove_part(younger[part], torn_bytes[part]);
    if (!removed) return std::move(removed).error();
    torn_total += torn_bytes[part];
  }
  if (!younger.empty()) unsynced_directories_.insert(directory);
  if (!is_rolled) return torn_total;
  unsynced_directories_.insert(directory);
  auto renamed =
      file_system_.rename(layout::log_part(name.stem, end.first), layout::log_file(name.stem));
  if (!renamed) return std::move(renamed).error();
  return torn_total;
}

Result<void> Logs::remove_part(const std::string& path, std::uint64_t torn_bytes) {
  if (torn_bytes > 0) {
    auto file = file_system_.open(path, OpenMode::read);
    if (!file) return std::move(file).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    auto aside = quarantine_bytes(file_system_, path, **file, *size - torn_bytes, *size);
    if (!aside) return std::move(aside).error();
  }
  return file_system_.remove_file(path);
}

}  // namespace worker_runtime::fs_store
