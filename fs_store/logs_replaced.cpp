// Log files that somebody has replaced or taken away while they were appended to: see logs.h.
//
// An editor that saves a file puts another one under its name, and what is appended goes on into
// the one that has none any more: whole, but gone as soon as it is closed. As long as the handle is
// open it can be read, and the checkpoint, behind which the journal is dropped, puts it back.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "layout.h"
#include "logs.h"
#include "quarantine.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// Whether the path still leads to the open file.
Result<bool> is_named(FileSystem& file_system, const std::string& path, const File& file) {
  auto standing = file_system.open(path, OpenMode::read);
  if (!standing) {
    if (is_missing(standing.error()) || is_misplaced(standing.error())) return false;
    return std::move(standing).error();
  }
  auto found = (*standing)->identity();
  if (!found) return std::move(found).error();
  auto wanted = file.identity();
  if (!wanted) return std::move(wanted).error();
  return *found == *wanted;
}

/// A copy of the file that stands there, if one does.
Result<void> copy_to_quarantine(FileSystem& file_system, const std::string& path) {
  auto standing = file_system.open(path, OpenMode::read);
  if (!standing && is_missing(standing.error())) return {};
  if (!standing) return std::move(standing).error();
  auto size = (*standing)->size();
  if (!size) return std::move(size).error();
  auto aside = quarantine_bytes(file_system, path, **standing, 0, *size);
  return aside ? Result<void>() : std::move(aside).error();
}

}  // namespace

Result<void> Logs::put_back_replaced() {
  for (const std::string& stem : unsynced_) {
    auto done = put_back_if_replaced(stem);
    if (!done) return done;
  }
  return {};
}

Result<void> Logs::put_back_if_replaced(const std::string& stem) {
  const auto file = handles_.find(stem);
  if (!file) return {};
  const std::string path = layout::log_file(stem);
  auto named = is_named(file_system_, path, *file);
  if (!named) return std::move(named).error();
  if (*named) return {};
  auto moved = move_stray_aside(stem);
  if (!moved) return std::move(moved).error();
  if (const std::string directory = parent_path(stem); !directory.empty()) {
    auto there = file_system_.kind(directory);
    if (!there) return std::move(there).error();
    auto made = *there ? Result<void>() : make_worker_directory(directory);
    if (!made) return made;
  }
  auto again = AtomicFile::create(file_system_, path);
  if (!again) return std::move(again).error();
  auto done = copy_bytes(*file, 0, UINT64_MAX, again->file());
  // Behind the copy that needs the room: what fails for want of it is tried again and again.
  if (done) done = copy_to_quarantine(file_system_, path);
  if (!done) return done;
  // Renamed over what stands there: at no moment is there neither.
  auto committed = again->commit(Durable::yes);
  if (!committed) return std::move(committed).error();
  handles_.discard(stem);
  const std::lock_guard lock(mutex_);
  put_back_.push_back(file_system_.prefix() + path);
  return {};
}

Result<bool> Logs::move_stray_aside(const std::string& stem) {
  const std::array<std::pair<std::string, EntryKind>, 2> wanted{
      {{parent_path(stem), EntryKind::directory}, {layout::log_file(stem), EntryKind::file}}};
  for (const auto& [path, kind_wanted] : wanted) {
    if (path.empty()) continue;  // the event log lies in the directory itself
    auto kind = file_system_.kind(path);
    if (!kind) return std::move(kind).error();
    if (!*kind) return false;
    if (**kind == kind_wanted) continue;
    auto moved = quarantine_entry(file_system_, path);
    if (!moved) return std::move(moved).error();
    return true;
  }
  return false;
}

std::vector<std::string> Logs::take_put_back() {
  const std::lock_guard lock(mutex_);
  return std::exchange(put_back_, {});
}

}  // namespace worker_runtime::fs_store
