// Backing up and restoring a runtime: the copy itself is in store_copy.h.
#include "worker_runtime/fs_store/backup.h"

#include <system_error>
#include <utility>

#include "backup_directory.h"
#include "layout.h"
#include "open.h"
#include "reader_view.h"
#include "store_copy.h"
#include "store_lock.h"
#include "verify_directory.h"

namespace worker_runtime::fs_store {
namespace {

/// Copies, and again from a newer view where the writer deleted or trimmed what was to be copied.
/// Each time less is left to do.
Result<CopyReport> copy_newest(FileSystem& source, const RuntimeId& source_id, StoreCopy& copy) {
  constexpr int attempts_max = 20;
  for (int attempt = 1;; ++attempt) {
    auto view = View::load(source, source_id);
    if (!view) return std::move(view).error();
    auto report = copy.copy(**view);
    const bool again = !report && (*view)->is_live() && may_pass(report.error());
    if (!again || attempt == attempts_max) return report;
  }
}

/// The directory of the backup's runtime, made if it is missing.
Result<std::unique_ptr<FileSystem>> make_target(FileSystem& root, const RuntimeId& runtime_id) {
  auto ready = make_runtimes_directory(root);
  if (!ready) return std::move(ready).error();
  const std::string path = layout::runtime_directory(runtime_id);
  auto there = root.kind(path);
  if (!there) return std::move(there).error();
  if (!*there) {
    auto made = root.make_directory(path);
    if (!made) return std::move(made).error();
  }
  // Also one that another run made, and did not come to sync.
  auto synced = root.sync_directory(std::string(layout::runtimes));
  if (!synced) return std::move(synced).error();
  return root.directory(path);
}

Result<std::unique_ptr<FileSystem>> make_root(const std::filesystem::path& path) {
  StoreOptions options;
  options.root = path;
  options.create = true;
  return open_root(options);
}

}  // namespace

Result<CopyReport> backup_directory(FileSystem& source, const RuntimeId& runtime_id,
                                    FileSystem& root, const CopyOptions& options) {
  auto target = make_target(root, runtime_id);
  if (!target) return full_as_such(std::move(target).error());
  auto lock = take_store_lock(**target, runtime_id, std::chrono::milliseconds(0));
  if (!lock) return full_as_such(std::move(lock).error());
  StoreCopy copy(**target, runtime_id, options);
  auto begun = copy.begin();
  if (!begun) return full_as_such(std::move(begun).error());
  auto report = copy_newest(source, runtime_id, copy);
  if (!report) return full_as_such(std::move(report).error());
  report->path = layout::runtime_directory(runtime_id);
  return report;
}

Result<CopyReport> backup(const BackupOptions& options) {
  std::error_code ignored;
  if (std::filesystem::equivalent(options.root, options.directory, ignored)) {
    return Error(ErrorCode::invalid_request,
                 "the directory of the backup is the root itself: choose another one");
  }
  RuntimeId runtime_id;
  auto source = open_existing_directory(options.root, options.runtime_id, runtime_id);
  if (!source) return std::move(source).error();
  auto root = make_root(options.directory);
  if (!root) return full_as_such(std::move(root).error());
  return backup_directory(**source, runtime_id, **root, {options.stop, options.progress});
}

Result<CopyReport> restore_directory(FileSystem& source, const RuntimeId& source_id,
                                     FileSystem& root, const RuntimeId& runtime_id,
                                     const CopyOptions& options) {
  const Error taken(ErrorCode::invalid_request, "there is a runtime " + runtime_id.text() +
                                                    " under the root: restore it under another "
                                                    "id, or to another root");
  const std::string path = layout::runtime_directory(runtime_id);
  auto there = root.kind(path);
  if (!there) return std::move(there).error();
  if (*there) return taken;
  // Of a restore that was killed all it copied may lie here still, and the room is needed.
  sweep_unfinished_runtimes(root);
  CopyReport report;
  auto made = make_runtime(root, runtime_id, [&](FileSystem& directory) -> Result<void> {
    StoreCopy copy(directory, runtime_id, options);
    auto begun = copy.begin();
    if (!begun) return begun;
    auto copied = copy_newest(source, source_id, copy);
    if (!copied) return std::move(copied).error();
    report = std::move(*copied);
    VerifyOptions verifying;
    verifying.stop = options.stop;
    auto verified = verify_directory(directory, runtime_id, verifying);
    if (!verified) return std::move(verified).error();
    if (options.stop.stop_requested()) return Error(ErrorCode::closed, "stopped");
    if (verified->clean()) return {};
    return Error(ErrorCode::store_corrupt,
                 "what was restored does not verify: " + verified->findings.front().message);
  });
  if (!made) return full_as_such(std::move(made).error());
  if (!*made) return taken;  // somebody else was faster, and theirs stands
  report.path = path;
  return report;
}

Result<CopyReport> restore(const RestoreOptions& options) {
  RuntimeId source_id;
  auto source = open_existing_directory(options.directory, options.runtime_id, source_id);
  if (!source) return std::move(source).error();
  auto root = make_root(options.root);
  if (!root) return full_as_such(std::move(root).error());
  return restore_directory(**source, source_id, **root, options.new_runtime_id.value_or(source_id),
                           {options.stop, options.progress});
}

}  // namespace worker_runtime::fs_store
