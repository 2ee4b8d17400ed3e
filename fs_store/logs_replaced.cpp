// Log files that somebody has replaced or taken away while they were appended to: see put_back.h.
// The checkpoint, behind which the journal lets go of what was appended, puts them back.
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "layout.h"
#include "logs.h"
#include "put_back.h"
#include "quarantine.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

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
  auto again = put_back(file_system_, path, *file, UINT64_MAX);
  if (!again) return std::move(again).error();
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
