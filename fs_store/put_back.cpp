// Giving a file its name back: see put_back.h.
#include "put_back.h"

#include <utility>

#include "quarantine.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

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

Result<bool> is_named(FileSystem& file_system, const std::string& path, const File& file) {
  auto found = file_system.identity(path);
  if (!found) return std::move(found).error();
  return *found == file.identity();
}

Result<std::unique_ptr<File>> put_back(FileSystem& file_system, const std::string& path,
                                       const File& file, std::uint64_t bytes) {
  auto kind = file_system.kind(path);
  if (!kind) return std::move(kind).error();
  if (*kind && **kind != EntryKind::file) {
    auto moved = quarantine_entry(file_system, path);
    if (!moved) return std::move(moved).error();
  }
  auto again = AtomicFile::create(file_system, path);
  if (!again) return std::move(again).error();
  auto done = copy_bytes(file, 0, bytes, again->file());
  // Behind the copy that needs the room: what fails for want of it is tried again and again.
  if (done) done = copy_to_quarantine(file_system, path);
  if (!done) return std::move(done).error();
  // Renamed over what stands there: at no moment is there neither.
  return again->commit(Durable::yes);
}

Result<std::unique_ptr<File>> put_back_if_replaced(FileSystem& file_system, const std::string& path,
                                                   const File& file, std::uint64_t bytes,
                                                   std::vector<std::string>& told) {
  auto named = is_named(file_system, path, file);
  if (!named) return std::move(named).error();
  if (*named) return std::unique_ptr<File>();
  auto again = put_back(file_system, path, file, bytes);
  if (again) told.push_back(file_system.prefix() + path);
  return again;
}

}  // namespace worker_runtime::fs_store
