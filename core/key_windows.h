// The idempotency keys of Workers' newest entries, loaded when a keyed request first asks for a
// Worker.
//
// The keys stand in the entries themselves. Memory is spent on a Worker only while its keys are in
// use: the windows of the Workers that were asked for least recently are dropped, and loaded again
// from the store if need be.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "worker_runtime/commit.h"
#include "worker_runtime/store.h"

namespace worker_runtime {

/// So many Workers' windows are kept.
inline constexpr std::size_t key_windows_max = 1024;

class KeyWindows {
 public:
  /// The entry with the key among the newest keyed_entries_max of a transcript that ends at `last`;
  /// null if there is none. `durable_last` is what the store has. The pointer is valid until the
  /// next call.
  Result<const KeyedEntry*> find(const Store& store, const WorkerId& worker_id,
                                 const std::string& key, Sequence durable_last, Sequence last);
  /// An entry that became durable.
  void add(const WorkerId& worker_id, const KeyedEntry& entry);
  void forget(const WorkerId& worker_id);

 private:
  struct Window {
    std::unordered_map<std::string, KeyedEntry> entries;
    std::list<WorkerId>::iterator used;
  };
  Result<Window*> load(const Store& store, const WorkerId& worker_id, Sequence durable_last);

  std::unordered_map<WorkerId, Window> windows_;
  std::list<WorkerId> by_use_;
};

}  // namespace worker_runtime
