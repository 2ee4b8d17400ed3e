// Finding, making and opening a runtime under a root directory.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "directory_tree.h"
#include "fs_store.h"
#include "journal_reserve.h"
#include "layout.h"
#include "open.h"
#include "snapshot.h"
#include "store_lock.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {

Result<void> make_runtimes_directory(FileSystem& root) {
  const std::string runtimes(layout::runtimes);
  auto there = root.kind(runtimes);
  if (!there) return std::move(there).error();
  if (*there) return {};
  auto made = root.make_directory(runtimes);
  if (!made) {
    // Somebody else may have been faster.
    there = root.kind(runtimes);
    if (!there || *there != EntryKind::directory) return made;
  }
  return root.sync_directory("");
}

namespace {

std::string absolute_text(const std::filesystem::path& root) {
  std::error_code ignored;
  const std::filesystem::path path = std::filesystem::absolute(root, ignored);
  return path.empty() ? root.string() : path.lexically_normal().string();
}

Permissions permissions_of(const StoreOptions& options) {
  return options.group_readable ? Permissions::group_read : Permissions::owner_only;
}

Error missing(const std::string& what) { return {ErrorCode::store_missing, what}; }

enum class Whole : std::uint8_t { required, not_required };

/// Directories named after a runtime; with Whole::required, those that have a runtime.json.
Result<std::vector<RuntimeId>> find_runtimes(FileSystem& root, Whole whole = Whole::required) {
  std::vector<RuntimeId> found;
  auto entries = root.list(std::string(layout::runtimes));
  if (!entries) {
    if (is_missing(entries.error())) return found;
    return std::move(entries).error();
  }
  for (const DirectoryEntry& entry : *entries) {
    const auto text = layout::decode_id(entry.name);
    if (entry.kind != EntryKind::directory || !text) continue;
    auto runtime_id = RuntimeId::parse(*text);
    if (!runtime_id) continue;
    if (whole == Whole::not_required) {
      found.push_back(std::move(*runtime_id));
      continue;
    }
    auto snapshot =
        root.kind(layout::runtime_directory(*runtime_id) + "/" + std::string(layout::runtime_json));
    if (!snapshot) return std::move(snapshot).error();
    if (*snapshot) found.push_back(std::move(*runtime_id));
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The files of a runtime without a commit, but for its lock, in a directory that nobody knows yet.
Result<void> build_runtime(FileSystem& directory, const RuntimeId& runtime_id) {
  for (const std::string_view name : {layout::journal, layout::workers}) {
    auto made = directory.make_directory(std::string(name));
    if (!made) return made;
  }
  auto events = directory.open(layout::log_file(layout::events), OpenMode::create_new);
  if (!events) return std::move(events).error();
  auto reserved = JournalReserve(directory).replenish();
  if (!reserved) return reserved;
  std::string object;
  encode(object, SegmentHeader{Lsn{1}, runtime_id, Epoch{}, Durability::sync, 0});
  auto done = write_snapshot(directory, layout::segment(Lsn{1}), object);
  if (!done) return done;
  auto catalog = Catalog::create(directory, Lsn{}, runtime_id);
  if (!catalog) return std::move(catalog).error();
  RuntimeSnapshot snapshot;
  snapshot.record.runtime_id = runtime_id;
  snapshot.created_at = system_clock()();
  snapshot.catalog = *catalog;
  object.clear();
  encode(object, snapshot);
  return write_snapshot(directory, std::string(layout::runtime_json), object);
}

/// Takes away a runtime that is not finished, best effort. Whoever else tries its lock meanwhile
/// may make the file of the lock again, once.
void discard(FileSystem& root, const std::string& path) {
  constexpr int attempts_max = 100;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    static_cast<void>(remove_tree(root, path, EntryKind::directory).has_value());
    auto there = root.kind(path);
    if (!there || !*there) return;
  }
}

/// A directory to build a runtime in, and its lock, which tells that somebody is at it.
struct Building {
  std::string path;
  std::unique_ptr<FileSystem> directory;
  std::unique_ptr<FileLock> lock;
};
Result<Building> begin_runtime(FileSystem& root, const RuntimeId& runtime_id) {
  for (int attempt = 1;; ++attempt) {
    Building building{layout::unfinished_runtime(runtime_id), nullptr, nullptr};
    auto made = root.make_directory(building.path);
    if (!made) return std::move(made).error();
    auto lock = [&]() -> Result<std::unique_ptr<FileLock>> {
      auto directory = root.directory(building.path);
      if (!directory) return std::move(directory).error();
      building.directory = std::move(*directory);
      return building.directory->try_lock(std::string(layout::lock));
    }();
    if (lock && *lock) {
      building.lock = std::move(*lock);
      return building;
    }
    // Until it is locked, another opener takes it for left over, and removes it.
    const bool taken = lock || is_missing(lock.error());
    if (!lock) discard(root, building.path);
    if (taken && attempt < 10) continue;
    if (!lock) return std::move(lock).error();
    return Error(ErrorCode::store_io, "cannot make a runtime: its directory is taken away");
  }
}

}  // namespace

Result<std::unique_ptr<FileLock>> make_runtime(
    FileSystem& root, const RuntimeId& runtime_id,
    const std::function<Result<void>(FileSystem&)>& build) {
  auto ready = make_runtimes_directory(root);
  if (!ready) return std::move(ready).error();
  auto building = begin_runtime(root, runtime_id);
  if (!building) return std::move(building).error();
  const std::string target = layout::runtime_directory(runtime_id);
  auto done = build(*building->directory);
  if (done) done = building->directory->sync_directory("");
  if (done) done = root.rename(building->path, target);
  if (!done) {
    discard(root, building->path);
    auto present = root.kind(target + "/" + std::string(layout::runtime_json));
    if (present && *present) return std::unique_ptr<FileLock>();
    const auto* const known = done.error().get<FileFields>();
    const int cause = known != nullptr ? known->system_error : 0;
    if (cause != ENOTEMPTY && cause != EEXIST && cause != ENOTDIR) return std::move(done).error();
    FileFields fields = *known;
    fields.path = target;
    return Error(ErrorCode::store_io,
                 "cannot make the runtime: " + target + " is there, and it is none" +
                     (cause == ENOTDIR ? "" : "; a repair makes one of what is left of one"),
                 fields);
  }
  auto synced = root.sync_directory(std::string(layout::runtimes));
  if (!synced) return std::move(synced).error();
  return std::move(building->lock);
}

namespace {

/// Where a directory has lost its runtime.json, the error names that file: a repair makes it anew.
Error no_runtime(FileSystem& root, const std::optional<RuntimeId>& wanted) {
  const std::string message =
      "there is no runtime " + (wanted ? wanted->text() + " " : "") + "under the root";
  auto directories = find_runtimes(root, Whole::not_required);
  if (!directories) return missing(message);
  const auto found =
      wanted ? std::find(directories->begin(), directories->end(), *wanted) : directories->begin();
  if (found == directories->end()) return missing(message);
  FileFields fields;
  fields.path = layout::runtime_directory(*found) + "/" + std::string(layout::runtime_json);
  const std::string cause = ": " + fields.path + " is missing";
  return {ErrorCode::store_missing, message + cause, std::move(fields)};
}

Result<RuntimeId> choose_runtime(FileSystem& root, const StoreOptions& options,
                                 Whole whole = Whole::required) {
  if (options.runtime_id) return *options.runtime_id;
  auto found = find_runtimes(root, whole);
  if (!found) return std::move(found).error();
  if (found->size() == 1) return found->front();
  if (found->empty()) {
    if (options.create) return RuntimeId::parse("main");
    return no_runtime(root, {});
  }
  AmbiguousFields fields;
  for (const RuntimeId& runtime_id : *found) fields.runtimes.push_back(runtime_id.text());
  return Error(ErrorCode::runtime_ambiguous, "there are several runtimes under the root: say which",
               std::move(fields));
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_root(const StoreOptions& options) {
  const std::string path = absolute_text(options.root);
  auto root = open_posix_file_system(path, options.create, permissions_of(options));
  if (!root && !options.create && is_missing(root.error()))
    return missing("there is no directory " + path);
  return root;
}

std::string runtime_path(const RuntimeId& runtime_id) {
  return layout::runtime_directory(runtime_id);
}

Result<std::unique_ptr<FileSystem>> open_runtime_directory(const StoreOptions& options,
                                                           RuntimeId& runtime_id) {
  auto root = open_root(options);
  if (!root) return root;
  return open_runtime_directory(**root, options, runtime_id);
}

Result<std::unique_ptr<FileSystem>> open_existing_directory(const std::filesystem::path& root,
                                                            const std::optional<RuntimeId>& wanted,
                                                            RuntimeId& runtime_id) {
  StoreOptions options;
  options.root = root;
  options.runtime_id = wanted;
  return open_runtime_directory(options, runtime_id);
}

Result<std::unique_ptr<FileSystem>> open_runtime_directory(FileSystem& root,
                                                           const StoreOptions& options,
                                                           RuntimeId& runtime_id,
                                                           std::unique_ptr<FileLock>* lock) {
  auto chosen = choose_runtime(root, options);
  if (!chosen) return std::move(chosen).error();
  runtime_id = *chosen;
  const std::string path = layout::runtime_directory(runtime_id);
  if (layout::encode_id(runtime_id.text()).size() > layout::name_bytes_max - 32) {
    return Error(ErrorCode::invalid_request,
                 "the runtime id is too long for a directory name once encoded");
  }
  auto there = root.kind(path + "/" + std::string(layout::runtime_json));
  if (!there) return std::move(there).error();
  if (!*there) {
    if (!options.create) return no_runtime(root, runtime_id);
    auto made = make_runtime(root, runtime_id, [&](FileSystem& directory) {
      return build_runtime(directory, runtime_id);
    });
    if (!made) return std::move(made).error();
    if (lock != nullptr) *lock = std::move(*made);
  }
  return root.directory(path);
}

Result<std::unique_ptr<FileSystem>> open_damaged_directory(const StoreOptions& options,
                                                           RuntimeId& runtime_id) {
  auto root = open_root(options);
  if (!root) return root;
  auto chosen = choose_runtime(**root, options, Whole::not_required);
  if (!chosen) return std::move(chosen).error();
  runtime_id = *chosen;
  auto directory = (*root)->directory(layout::runtime_directory(runtime_id));
  if (!directory && is_missing(directory.error())) return no_runtime(**root, runtime_id);
  return directory;
}

void sweep_unfinished_runtimes(FileSystem& root) {
  auto entries = root.list(std::string(layout::runtimes));
  if (!entries) return;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::directory || !entry.name.starts_with('.') ||
        !layout::is_temporary(entry.name)) {
      continue;
    }
    const std::string path = std::string(layout::runtimes) + "/" + entry.name;
    auto directory = root.directory(path);
    if (!directory) continue;
    auto lock = (*directory)->try_lock(std::string(layout::lock));
    if (lock && *lock) discard(root, path);
  }
}

Result<std::unique_ptr<Store>> open_store(StoreOptions options) {
  auto root = open_root(options);
  if (!root) return full_as_such(std::move(root).error());
  std::optional<std::string> unsafe = unsafe_file_system(absolute_text(options.root));
  if (unsafe && options.unsafe_file_system == UnsafeFileSystem::refuse) {
    return Error(ErrorCode::store_io,
                 "the file system (" + *unsafe +
                     ") can't keep the promises of the store; an option allows it all the same");
  }
  RuntimeId runtime_id;
  std::unique_ptr<FileLock> lock;
  auto directory = open_runtime_directory(**root, options, runtime_id, &lock);
  if (!directory) return full_as_such(std::move(directory).error());
  auto named = take_store_lock(**directory, runtime_id, options.lock_wait, std::move(lock));
  if (!named) return full_as_such(std::move(named).error());
  sweep_unfinished_runtimes(**root);
  return std::unique_ptr<Store>(std::make_unique<FsStore>(std::move(options), std::move(runtime_id),
                                                          std::move(*directory), std::move(*named),
                                                          std::move(unsafe)));
}

Result<Runtime> open_runtime(StoreOptions store_options, RuntimeOptions runtime_options) {
  if (!store_options.log) store_options.log = runtime_options.log;
  auto store = open_store(std::move(store_options));
  if (!store) return std::move(store).error();
  return Runtime::open(std::move(*store), std::move(runtime_options));
}

Result<std::vector<RuntimeId>> list_runtimes(const std::filesystem::path& root) {
  StoreOptions options;
  options.root = root;
  auto directory = open_root(options);
  if (!directory) {
    if (directory.error().code() == ErrorCode::store_missing) return std::vector<RuntimeId>();
    return std::move(directory).error();
  }
  return find_runtimes(**directory);
}

}  // namespace worker_runtime::fs_store
