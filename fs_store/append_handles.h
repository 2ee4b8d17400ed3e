// Files of logs that are open for appending.
//
// A cache: bounded, and given up at any moment by any thread, where the process has run out of
// handles. Whoever is writing keeps the file alive until it is done. What was let go before its
// sync is remembered: a sync on a new handle might not see an error that happened before, so only
// one of the whole file system will do.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "file_system.h"

namespace worker_runtime::fs_store {

/// At most this many logs are kept open for appending.
inline constexpr std::size_t append_handles_max = 64;

/// Thread-safe. Logs are named by their stems.
class AppendHandles {
 public:
  /// The handle, to be written to; null if none is kept.
  std::shared_ptr<File> find(const std::string& stem);
  /// Keeps a handle that will be written to, in place of the one that was used least recently if
  /// there are too many.
  std::shared_ptr<File> keep(const std::string& stem, std::unique_ptr<File> file);
  void drop(const std::string& stem);
  /// Drops the handle of a file that goes: it needs no sync.
  void discard(const std::string& stem);
  /// Drops all; false if there were none.
  bool give_up();

  /// Whether a handle was let go before it was synced.
  [[nodiscard]] bool let_go_unsynced() const;
  /// All that was written so far is durable.
  void set_synced();

 private:
  struct Handle {
    std::shared_ptr<File> file;
    std::list<std::string>::iterator used;
    bool is_synced = false;
  };
  void erase(std::unordered_map<std::string, Handle>::iterator handle);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Handle> handles_;  // by stem
  std::list<std::string> by_use_;                    // the last one used in front
  bool let_go_unsynced_ = false;
};

}  // namespace worker_runtime::fs_store
