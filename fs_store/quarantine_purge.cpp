// Listing and deleting what lies in quarantine: see worker_runtime/fs_store/quarantine.h.
#include <chrono>
#include <utility>

#include "file_system.h"
#include "layout.h"
#include "open.h"
#include "store_lock.h"
#include "worker_runtime/fs_store/quarantine.h"

namespace worker_runtime::fs_store {
namespace {

/// The bytes of a file, or of all below a directory. No link is followed.
Result<std::uint64_t> bytes_of(FileSystem& file_system, const std::string& path, EntryKind kind) {
  if (kind == EntryKind::other) return std::uint64_t{0};
  if (kind == EntryKind::file) {
    auto file = file_system.open(path, OpenMode::read);
    return file ? (*file)->size() : std::move(file).error();
  }
  auto entries = file_system.list(path);
  if (!entries) return std::move(entries).error();
  std::uint64_t sum = 0;
  for (const DirectoryEntry& entry : *entries) {
    auto bytes = bytes_of(file_system, path + "/" + entry.name, entry.kind);
    if (!bytes) return bytes;
    sum += *bytes;
  }
  return sum;
}

Result<void> remove(FileSystem& file_system, const std::string& path, EntryKind kind) {
  if (kind != EntryKind::directory) return file_system.remove_file(path);
  auto entries = file_system.list(path);
  if (!entries) return std::move(entries).error();
  for (const DirectoryEntry& entry : *entries) {
    auto removed = remove(file_system, path + "/" + entry.name, entry.kind);
    if (!removed) return removed;
  }
  return file_system.remove_directory(path);
}

/// What is there, without what somebody is just making: a writer sweeps that itself.
Result<std::vector<DirectoryEntry>> entries_of(FileSystem& file_system) {
  const std::string directory(layout::quarantine);
  auto kind = file_system.kind(directory);
  if (!kind) return std::move(kind).error();
  if (*kind != EntryKind::directory) return std::vector<DirectoryEntry>();
  auto entries = file_system.list(directory);
  if (entries)
    std::erase_if(*entries, [](const auto& entry) { return layout::is_temporary(entry.name); });
  return entries;
}

Result<QuarantineReport> report_of(FileSystem& file_system,
                                   const std::vector<DirectoryEntry>& entries) {
  QuarantineReport report;
  for (const DirectoryEntry& entry : entries) {
    const std::string path = std::string(layout::quarantine) + "/" + entry.name;
    auto bytes = bytes_of(file_system, path, entry.kind);
    if (!bytes) return std::move(bytes).error();
    report.files.push_back({file_system.prefix() + path, *bytes});
  }
  return report;
}

/// Keeps out who opens or repairs. Null: a writer holds the lock that is past its recovery; what it
/// moves aside from there on, it relies on no more.
Result<std::unique_ptr<FileLock>> keep_out(FileSystem& file_system, const RuntimeId& runtime_id) {
  auto lock = take_store_lock(file_system, runtime_id, std::chrono::milliseconds(0));
  if (!lock && lock.error().code() == ErrorCode::store_locked &&
      file_system.is_announced(std::string(layout::lock)))
    return std::unique_ptr<FileLock>();
  return lock;
}

Result<std::unique_ptr<FileSystem>> open(const QuarantineOptions& options, RuntimeId& runtime_id) {
  StoreOptions store;
  store.root = options.root;
  store.runtime_id = options.runtime_id;
  return open_runtime_directory(store, runtime_id);
}

}  // namespace

std::uint64_t QuarantineReport::bytes() const {
  std::uint64_t sum = 0;
  for (const QuarantinedFile& file : files) sum += file.bytes;
  return sum;
}

Result<QuarantineReport> list_quarantine(const QuarantineOptions& options) {
  RuntimeId runtime_id;
  auto directory = open(options, runtime_id);
  if (!directory) return std::move(directory).error();
  auto entries = entries_of(**directory);
  if (!entries) return std::move(entries).error();
  return report_of(**directory, *entries);
}

Result<QuarantineReport> purge_quarantine(const QuarantineOptions& options) {
  RuntimeId runtime_id;
  auto directory = open(options, runtime_id);
  if (!directory) return std::move(directory).error();
  auto lock = keep_out(**directory, runtime_id);
  if (!lock) return std::move(lock).error();
  auto entries = entries_of(**directory);
  if (!entries) return std::move(entries).error();
  auto report = report_of(**directory, *entries);
  if (!report) return report;
  const std::string quarantine(layout::quarantine);
  for (const DirectoryEntry& entry : *entries) {
    auto removed = remove(**directory, quarantine + "/" + entry.name, entry.kind);
    if (!removed) return std::move(removed).error();
  }
  if (!entries->empty()) {
    auto synced = (*directory)->sync_directory(quarantine);
    if (!synced) return std::move(synced).error();
  }
  report->purged = true;
  return report;
}

}  // namespace worker_runtime::fs_store
