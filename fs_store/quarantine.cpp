// Moving bytes aside: see quarantine.h.
#include "quarantine.h"

#include <algorithm>

#include "layout.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

namespace {

/// Makes the directory if there is none, and answers a new name in it.
Result<std::string> place_in_quarantine(FileSystem& file_system, const std::string& path,
                                        std::uint64_t offset) {
  const std::string directory(layout::quarantine);
  auto there = file_system.kind(directory);
  if (!there) return std::move(there).error();
  if (!*there) {
    auto made = file_system.make_directory(directory);
    if (made) made = file_system.sync_directory("");
    if (!made) return std::move(made).error();
  }
  std::string name = path;
  std::replace(name.begin(), name.end(), '/', '.');
  return layout::quarantined(name, offset);
}

}  // namespace

Result<void> quarantine_entry(FileSystem& file_system, const std::string& path) {
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
  constexpr std::uint64_t block = std::uint64_t{1} << 20U;
  for (std::uint64_t at = from; at < to;) {
    auto bytes = file.read(at, std::min(block, to - at));
    if (!bytes) return std::move(bytes).error();
    if (bytes->empty()) break;
    auto written = copy->file().write(at - from, *bytes);
    if (!written) return std::move(written).error();
    at += bytes->size();
  }
  auto committed = copy->commit(Durable::yes);
  if (!committed) return std::move(committed).error();
  return target;
}

}  // namespace worker_runtime::fs_store
