// Finding, making and opening a runtime under a root directory.
#include <algorithm>
#include <utility>

#include "checked_line.h"
#include "fs_store.h"
#include "journal_reserve.h"
#include "layout.h"
#include "open.h"
#include "snapshot.h"
#include "store_lock.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::fs_store {
namespace {

Permissions permissions_of(const StoreOptions& options) {
  return options.group_readable ? Permissions::group_read : Permissions::owner_only;
}

std::string absolute_text(const std::filesystem::path& root) {
  std::error_code ignored;
  const std::filesystem::path path = std::filesystem::absolute(root, ignored);
  return path.empty() ? root.string() : path.lexically_normal().string();
}

Error missing(const std::string& what) { return {ErrorCode::store_missing, what}; }

Result<std::vector<RuntimeId>> find_runtimes(FileSystem& root) {
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
    auto snapshot =
        root.kind(layout::runtime_directory(*runtime_id) + "/" + std::string(layout::runtime_json));
    if (!snapshot) return std::move(snapshot).error();
    if (*snapshot) found.push_back(std::move(*runtime_id));
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The files of a runtime without a commit, in a directory that nobody knows yet.
Result<void> build_runtime(FileSystem& directory, const RuntimeId& runtime_id) {
  for (const std::string_view name : {layout::journal, layout::workers}) {
    auto made = directory.make_directory(std::string(name));
    if (!made) return made;
  }
  for (const std::string& name : {std::string(layout::lock), layout::log_file(layout::events)}) {
    auto made = directory.open(name, OpenMode::create_new);
    if (!made) return std::move(made).error();
  }
  auto reserved = JournalReserve(directory).replenish();
  if (!reserved) return reserved;
  std::string object;
  encode(object, SegmentHeader{Lsn{1}, runtime_id, Epoch{}, Durability::sync, 0});
  std::string line;
  append_checked_line(line, object);
  auto done = replace_file(directory, layout::segment(Lsn{1}), line, Durable::yes);
  if (!done) return done;
  auto catalog = Catalog::create(directory, Lsn{}, runtime_id);
  if (!catalog) return std::move(catalog).error();
  RuntimeSnapshot snapshot;
  snapshot.record.runtime_id = runtime_id;
  snapshot.created_at = system_clock()();
  snapshot.catalog = *catalog;
  object.clear();
  encode(object, snapshot);
  line.clear();
  append_checked_line(line, object);
  return replace_file(directory, std::string(layout::runtime_json), line, Durable::yes);
}

/// Takes away what build_runtime() made, best effort.
void discard(FileSystem& root, const std::string& path) {
  auto entries = root.list(path);
  if (!entries) return;
  for (const DirectoryEntry& entry : *entries) {
    const std::string below = path + "/" + entry.name;
    if (entry.kind == EntryKind::directory) {
      discard(root, below);
    } else {
      static_cast<void>(root.remove_file(below).has_value());
    }
  }
  static_cast<void>(root.remove_directory(path).has_value());
}

/// Makes the runtime under a temporary name, and renames it once all of it is durable: nobody ever
/// meets half of one. If somebody else was faster, theirs stands.
Result<void> create_runtime(FileSystem& root, const RuntimeId& runtime_id) {
  const std::string runtimes(layout::runtimes);
  auto there = root.kind(runtimes);
  if (!there) return std::move(there).error();
  if (!*there) {
    auto made = root.make_directory(runtimes);
    if (!made) return made;
    auto synced = root.sync_directory("");
    if (!synced) return synced;
  }
  const std::string target = layout::runtime_directory(runtime_id);
  const std::string building = layout::unfinished_runtime(runtime_id);
  auto made = root.make_directory(building);
  if (!made) return made;
  auto directory = root.directory(building);
  if (!directory) return std::move(directory).error();
  auto done = build_runtime(**directory, runtime_id);
  if (done) done = (*directory)->sync_directory("");
  if (done) done = root.rename(building, target);
  if (!done) {
    discard(root, building);
    auto present = root.kind(target + "/" + std::string(layout::runtime_json));
    if (present && *present) return {};
    return done;
  }
  return root.sync_directory(runtimes);
}

Result<RuntimeId> choose_runtime(FileSystem& root, const StoreOptions& options) {
  if (options.runtime_id) return *options.runtime_id;
  auto found = find_runtimes(root);
  if (!found) return std::move(found).error();
  if (found->size() == 1) return found->front();
  if (found->empty()) {
    if (options.create) return RuntimeId::parse("main");
    return missing("there is no runtime under the root");
  }
  AmbiguousFields fields;
  for (const RuntimeId& runtime_id : *found) fields.runtimes.push_back(runtime_id.text());
  return Error(ErrorCode::runtime_ambiguous, "there are several runtimes under the root: say which",
               std::move(fields));
}

Result<std::unique_ptr<FileSystem>> open_root(const StoreOptions& options) {
  auto root =
      open_posix_file_system(absolute_text(options.root), options.create, permissions_of(options));
  if (!root && is_missing(root.error())) return missing("the root directory does not exist");
  return root;
}

}  // namespace

std::string runtime_path(const RuntimeId& runtime_id) {
  return layout::runtime_directory(runtime_id);
}

Result<std::unique_ptr<FileSystem>> open_runtime_directory(const StoreOptions& options,
                                                           RuntimeId& runtime_id) {
  auto root = open_root(options);
  if (!root) return root;
  return open_runtime_directory(**root, options, runtime_id);
}

Result<std::unique_ptr<FileSystem>> open_runtime_directory(FileSystem& root,
                                                           const StoreOptions& options,
                                                           RuntimeId& runtime_id) {
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
    if (!options.create)
      return missing("there is no runtime " + runtime_id.text() + " under the root");
    auto made = create_runtime(root, runtime_id);
    if (!made) return std::move(made).error();
  }
  return root.directory(path);
}

Result<std::unique_ptr<Store>> open_store(StoreOptions options) {
  std::optional<std::string> unsafe;
  RuntimeId runtime_id;
  auto directory = open_runtime_directory(options, runtime_id);
  if (!directory) return full_as_such(std::move(directory).error());
  unsafe = unsafe_file_system(absolute_text(options.root));
  if (unsafe && options.unsafe_file_system == UnsafeFileSystem::refuse) {
    return Error(ErrorCode::store_io,
                 "the file system (" + *unsafe +
                     ") can't keep the promises of the store; an option allows it all the same");
  }
  auto lock = take_store_lock(**directory, runtime_id, options.lock_wait);
  if (!lock) return full_as_such(std::move(lock).error());
  return std::unique_ptr<Store>(std::make_unique<FsStore>(std::move(options), std::move(runtime_id),
                                                          std::move(*directory), std::move(*lock),
                                                          std::move(unsafe)));
}

Result<Runtime> open_runtime(StoreOptions store_options, RuntimeOptions runtime_options) {
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
