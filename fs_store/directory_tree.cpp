// All below a directory: see directory_tree.h.
#include "directory_tree.h"

#include <utility>

namespace worker_runtime::fs_store {

Result<SpaceUse> space_of_tree(FileSystem& file_system, const std::string& path, EntryKind kind,
                               const std::stop_token& stop) {
  if (stop.stop_requested()) return Error(ErrorCode::closed, "stopped");
  SpaceUse sum;
  if (kind == EntryKind::other) return sum;
  if (kind == EntryKind::file) {
    auto file = file_system.open(path, OpenMode::read);
    if (!file) return is_missing(file.error()) ? Result<SpaceUse>(sum) : std::move(file).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    return SpaceUse{1, *size};
  }
  auto entries = file_system.list(path);
  if (!entries)
    return is_missing(entries.error()) ? Result<SpaceUse>(sum) : std::move(entries).error();
  for (const DirectoryEntry& entry : *entries) {
    auto below = space_of_tree(file_system, path + "/" + entry.name, entry.kind, stop);
    if (!below) return below;
    sum.files += below->files;
    sum.bytes += below->bytes;
  }
  return sum;
}

Result<void> remove_tree(FileSystem& file_system, const std::string& path, EntryKind kind) {
  const auto unless_missing = [](Result<void> removed) {
    return !removed && is_missing(removed.error()) ? Result<void>() : removed;
  };
  if (kind != EntryKind::directory) return unless_missing(file_system.remove_file(path));
  auto entries = file_system.list(path);
  if (!entries) return unless_missing(std::move(entries).error());
  Result<void> done;
  for (const DirectoryEntry& entry : *entries) {
    auto removed = remove_tree(file_system, path + "/" + entry.name, entry.kind);
    if (done) done = std::move(removed);
  }
  return done ? unless_missing(file_system.remove_directory(path)) : done;
}

}  // namespace worker_runtime::fs_store
