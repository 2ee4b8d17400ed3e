// The persistent store: a Runtime whose commits live in plain JSON and JSONL files under a root
// directory.
//
// docs/FORMAT.md describes the files; what holds after a crash, a full disk or damage stands there
// too.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/options.h"
#include "worker_runtime/result.h"
#include "worker_runtime/runtime.h"
#include "worker_runtime/store.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

/// The version of the files that this build writes; it reads this one and the one before.
inline constexpr std::uint64_t schema_version = 1;

/// What to do about a file system that can't keep the promises (NFS, FUSE, case-folding).
enum class UnsafeFileSystem : std::uint8_t { refuse, warn };

struct StoreOptions {
  std::filesystem::path root;
  /// None: the only runtime under the root; `main` if there is none and `create` is set; several
  /// are `runtime_ambiguous`.
  std::optional<RuntimeId> runtime_id{};
  /// Make the runtime if it is not there. Otherwise that is `store_missing`.
  bool create = false;

  Durability durability = Durability::sync;
  /// Durability::interval: a commit is synced after this time, and what the sync takes, at most.
  std::chrono::milliseconds sync_interval{100};

  /// Journal written since the last checkpoint.
  std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20U;
  /// Since the first commit after the last one.
  std::chrono::milliseconds checkpoint_interval{60'000};
  /// A log starts a new part at this size.
  std::uint64_t log_part_bytes = std::uint64_t{256} << 20U;
  /// Readable files follow a commit after this time at most.
  std::chrono::milliseconds extend_interval{50};

  bool group_readable = false;  ///< Directories 0750 and files 0640 instead of 0700 and 0600.
  UnsafeFileSystem unsafe_file_system = UnsafeFileSystem::refuse;
  /// How long to wait for a lock that another writer holds.
  std::chrono::milliseconds lock_wait{0};
  /// Told from the recovery on. open_runtime() takes that of its RuntimeOptions if there is none.
  Log log{};
};

/// Takes the writer's lock and opens the store; the Runtime restores it. Errors: `store_locked`,
/// `store_missing`, `runtime_ambiguous`, `store_io`, `store_full`, `store_version`,
/// `invalid_request`.
Result<std::unique_ptr<Store>> open_store(StoreOptions options);

/// open_store() and Runtime::open() in one.
Result<Runtime> open_runtime(StoreOptions store_options, RuntimeOptions runtime_options = {});

/// The runtimes under a root, in byte order of their ids; none if the root is not there.
Result<std::vector<RuntimeId>> list_runtimes(const std::filesystem::path& root);

/// The directory of a runtime, relative to the root: "runtimes/<encoded id>".
std::string runtime_path(const RuntimeId& runtime_id);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
