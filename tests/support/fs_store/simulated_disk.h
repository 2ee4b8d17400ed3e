// A file system in memory that can lose its power: what programs see and what would be left after a
// power cut are kept apart, for every file and for every directory entry.
//
// The fault model. After a power cut
//   - a file shows, in each of its 512-byte sectors, the last synced content or that of any write
//     or truncation since: sectors reach the disk in any order, or not at all;
//   - besides, one write may be torn at any byte;
//   - the size of a file is the synced one or one that a write or a truncation since gave it,
//     whatever became of the bytes: those that did not get there read as NULs;
//   - of the changes of entries (created, renamed, removed) since the last sync of their directory
//     any subset happened, in their order; a rename is one change, and takes both names at once;
//   - a file or directory without an entry is gone. Syncing a file makes neither its entry durable
//     nor that of any directory above it;
//   - sync_directory makes the entries of one directory durable, sync_all everything;
//   - what was synced stays.
// crash_outcomes.h lists what such a power cut may leave. A crash of the process alone loses
// nothing: a new FileSystem on the same disk sees all of it.
//
// A sync that fails makes nothing durable, and loses what it was to write, in one of the two ways
// known of kernels: the new content stays visible but counts as written, so that no later sync
// writes it until its page is written to again; or the old content comes back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file_system.h"
#include "support/fs_store/disk_content.h"

namespace worker_runtime::testing {

inline constexpr std::uint64_t sector_bytes = 512;

using NodeId = std::uint32_t;
inline constexpr NodeId root_node = 0;

/// A write or a truncation since the last sync of its file.
struct PendingWrite {
  std::uint64_t order = 0;  ///< Of all changes of the disk.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< Bytes [begin, end) may differ from before.
  DiskContent after;      ///< The whole file as programs saw it then.
};

/// A change of entries since the last sync of the directory. Names are those of one directory.
struct PendingEntry {
  std::uint64_t order = 0;
  NodeId directory = root_node;
  std::string removed;  ///< Loses this name, unless empty ...
  std::string added;    ///< ... and gets this one, unless empty,
  NodeId node = 0;      ///< for this file or directory.

  void apply_to(std::map<std::string, NodeId>& entries) const;
};

struct DiskNode {
  bool is_directory = false;
  // Of a file:
  DiskContent seen;
  DiskContent durable;
  std::vector<PendingWrite> pending;
  // Of a directory:
  std::map<std::string, NodeId> seen_entries;
  std::map<std::string, NodeId> durable_entries;
};

/// Everything about a disk at one moment. A value: copies share pages.
struct DiskState {
  DiskState();
  std::map<NodeId, DiskNode> nodes;
  std::vector<PendingEntry> pending_entries;
  std::uint64_t changes = 0;  ///< So many so far.
  NodeId next_node = 1;

  /// What is seen at "a/b/c"; null if there is nothing.
  [[nodiscard]] const DiskNode* find(std::string_view path) const;
  /// Makes all that is seen durable.
  void sync_all();
  void sync_file(DiskNode& file);
  void sync_directory(NodeId directory);
};

/// "path: size" of all that is seen, a line each, for messages.
std::string describe(const DiskState& state);

enum class LostWrites : std::uint8_t { stay_visible, come_back };

/// Thread-safe. Outlives the file systems and files that it serves.
class SimulatedDisk {
 public:
  SimulatedDisk() = default;
  explicit SimulatedDisk(DiskState state) : state_(std::move(state)) {}

  [[nodiscard]] std::unique_ptr<fs_store::FileSystem> root();
  [[nodiscard]] DiskState state() const;

  /// Is called after each change, a sync included, with the disk's lock held: it must not use the
  /// disk.
  void set_hook(std::function<void(const DiskState&)> hook);
  /// The nth sync from now on, of a file or of anything, fails.
  void fail_sync(std::uint64_t nth, LostWrites lost);
  /// From now on nothing changes any more: every call of the file systems so far fails with EIO,
  /// as if their process were dead, and its locks are gone.
  void kill();

 private:
  friend class SimulatedFileSystem;
  friend class SimulatedFile;
  friend class SimulatedLock;

  void changed();
  /// Whether this sync is to fail.
  std::optional<LostWrites> failing_sync();
  static void lose(DiskNode& file, LostWrites lost);

  mutable std::mutex mutex_;
  DiskState state_;
  std::function<void(const DiskState&)> hook_;
  std::uint64_t syncs_until_failure_ = 0;  // 0: none fails
  LostWrites lost_ = LostWrites::stay_visible;
  std::uint64_t generation_ = 0;  // of processes; a kill ends one
  struct Lock {
    bool is_announced = false;
  };
  std::map<NodeId, Lock> locks_;  // by directory
};

}  // namespace worker_runtime::testing
