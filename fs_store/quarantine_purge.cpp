// Listing and deleting what lies in quarantine: see worker_runtime/fs_store/quarantine.h.
#include <chrono>
#include <utility>

#include "directory_tree.h"
#include "file_system.h"
#include "layout.h"
#include "open.h"
#include "store_lock.h"
#include "worker_runtime/fs_store/quarantine.h"

namespace worker_runtime::fs_store {
namespace {

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
    auto space = space_of_tree(file_system, path, entry.kind);
    if (!space) return std::move(space).error();
    report.files.push_back({file_system.prefix() + path, space->bytes});
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

}  // namespace

std::uint64_t QuarantineReport::bytes() const {
  std::uint64_t sum = 0;
  for (const QuarantinedFile& file : files) sum += file.bytes;
  return sum;
}

Result<QuarantineReport> list_quarantine(const QuarantineOptions& options) {
  RuntimeId runtime_id;
  auto directory = open_existing_directory(options.root, options.runtime_id, runtime_id);
  if (!directory) return std::move(directory).error();
  auto entries = entries_of(**directory);
  if (!entries) return std::move(entries).error();
  return report_of(**directory, *entries);
}

Result<QuarantineReport> purge_quarantine(const QuarantineOptions& options) {
  RuntimeId runtime_id;
  auto directory = open_existing_directory(options.root, options.runtime_id, runtime_id);
  if (!directory) return std::move(directory).error();
  // Whoever opens meanwhile is refused: not for nothing.
  auto entries = entries_of(**directory);
  if (!entries) return std::move(entries).error();
  if (entries->empty()) return QuarantineReport{{}, true};
  auto lock = keep_out(**directory, runtime_id);
  if (!lock) return std::move(lock).error();
  entries = entries_of(**directory);
  if (!entries) return std::move(entries).error();
  auto report = report_of(**directory, *entries);
  if (!report) return report;
  const std::string quarantine(layout::quarantine);
  for (const DirectoryEntry& entry : *entries) {
    auto removed = remove_tree(**directory, quarantine + "/" + entry.name, entry.kind);
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
