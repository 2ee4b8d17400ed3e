// Log files that somebody has replaced or taken away while they were appended to: see logs.h.
//
// An editor that saves a file puts another one under its name, and what is appended goes on into
// the one that has none any more: whole, but gone as soon as it is closed. As long as the handle is
// open it can be read, and the checkpoint, behind which the journal is dropped, puts it back.
#include <algorithm>
#include <utility>

#include "layout.h"
#include "logs.h"
#include "quarantine.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

Result<void> copy(const File& from, File& to) {
  constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20U;
  for (std::uint64_t at = 0;;) {
    auto bytes = from.read(at, block_bytes);
    if (!bytes) return std::move(bytes).error();
    if (bytes->empty()) return {};
    auto written = to.write(at, *bytes);
    if (!written) return written;
    at += bytes->size();
  }
}

/// Whether the path still leads to the open file.
Result<bool> is_named(FileSystem& file_system, const std::string& path, const File& file) {
  auto standing = file_system.open(path, OpenMode::read);
  if (!standing) {
    if (is_missing(standing.error()) || is_misplaced(standing.error())) return false;
    // Nothing can be looked at; nor can anything be put back.
    if (is_out_of_handles(standing.error())) return true;
    return std::move(standing).error();
  }
  auto found = (*standing)->identity();
  if (!found) return std::move(found).error();
  auto wanted = file.identity();
  if (!wanted) return std::move(wanted).error();
  return *found == *wanted;
}

/// Copies what stands there to quarantine, or moves it if it is no file.
Result<void> keep_aside(FileSystem& file_system, const std::string& path) {
  auto kind = file_system.kind(path);
  if (!kind) return std::move(kind).error();
  if (!*kind) return {};
  if (**kind != EntryKind::file) return quarantine_entry(file_system, path);
  auto standing = file_system.open(path, OpenMode::read);
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
  auto done = make_directory_of(path);
  if (done) done = keep_aside(file_system_, path);
  if (!done) return done;
  // Renamed over what stands there: at no moment is there neither.
  auto again = AtomicFile::create(file_system_, path);
  if (!again) return std::move(again).error();
  done = copy(*file, again->file());
  if (!done) return done;
  auto committed = again->commit(Durable::yes);
  if (!committed) return std::move(committed).error();
  handles_.discard(stem);
  handles_.keep(stem, *std::move(committed));
  const std::lock_guard lock(mutex_);
  put_back_.push_back(file_system_.prefix() + path);
  return {};
}

/// Where the Worker's directory was taken away, or something else put in its place.
Result<void> Logs::make_directory_of(const std::string& path) {
  const std::string directory = parent_path(path);
  if (directory.empty()) return {};
  auto kind = file_system_.kind(directory);
  if (!kind) return std::move(kind).error();
  if (*kind == EntryKind::directory) return {};
  if (*kind) {
    auto aside = quarantine_entry(file_system_, directory);
    if (!aside) return aside;
  }
  auto made = file_system_.make_directory(directory);
  if (!made) return made;
  unsynced_directories_.insert(std::string(layout::workers));
  return {};
}

std::vector<std::string> Logs::take_put_back() {
  const std::lock_guard lock(mutex_);
  return std::exchange(put_back_, {});
}

}  // namespace worker_runtime::fs_store
