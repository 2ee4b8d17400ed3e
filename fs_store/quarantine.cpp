// Moving bytes aside: see quarantine.h.
#include "quarantine.h"

#include <algorithm>

#include "layout.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

namespace {

/// Makes the directory if there is none. What stands there and is none goes into it.
Result<void> make_quarantine(FileSystem& file_system) {
  const std::string directory(layout::quarantine);
  auto there = file_system.kind(directory);
  if (!there) return std::move(there).error();
  if (*there == EntryKind::directory) return {};
  const bool is_obstructed = there->has_value();
  const std::string target = layout::quarantined(directory, 0);
  // Under this name a crash leaves it as a file that belongs to nothing, and is never removed.
  const std::string aside = target.substr(directory.size() + 1);
  Result<void> done;
  if (is_obstructed) done = file_system.rename(directory, aside);
  if (done) done = file_system.make_directory(directory);
  if (done && is_obstructed) done = file_system.rename(aside, target);
  if (done && is_obstructed) done = file_system.sync_directory(directory);
  if (done) done = file_system.sync_directory("");
  return done;
}

/// A new name in the directory, which is there.
Result<std::string> place_in_quarantine(FileSystem& file_system, const std::string& path,
                                        std::uint64_t offset) {
  auto made = make_quarantine(file_system);
  if (!made) return std::move(made).error();
  std::string name = path;
  std::replace(name.begin(), name.end(), '/', '.');
  return layout::quarantined(name, offset);
}

}  // namespace

Result<void> quarantine_entry(FileSystem& file_system, const std::string& path) {
  if (path == layout::quarantine) return make_quarantine(file_system);
  auto target = place_in_quarantine(file_system, path, 0);
  if (!target) return std::move(target).error();
  auto done = file_system.rename(path, *target);
  // There before it is gone here.
  if (done) done = file_system.sync_directory(std::string(layout::quarantine));
  if (done) done = file_system.sync_directory(parent_path(path));
  return done;
}

Result<std::string> quarantine_bytes(FileSystem& file_system, const std::string& path,
                                     const File& file, std::uint64_t from, std::uint64_t to) {
  auto place = place_in_quarantine(file_system, path, from);
  if (!place) return place;
  const std::string target = *std::move(place);
  auto copy = AtomicFile::create(file_system, target);
  if (!copy) return std::move(copy).error();
  auto copied = copy_bytes(file, from, to, copy->file());
  if (!copied) return std::move(copied).error();
  auto committed = copy->commit(Durable::yes);
  if (!committed) return std::move(committed).error();
  return target;
}

}  // namespace worker_runtime::fs_store
