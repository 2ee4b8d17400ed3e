// The idempotency keys of Workers' newest entries, loaded when a keyed request first asks for a
// Worker.
//
// The keys stand in the entries themselves. Memory is spent on a Worker only while its keys are in
// use: the windows of the Workers that were asked for least recently are dropped, and loaded again
// from the store if need be.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "worker_runtime/commit.h"
#include "worker_runtime/store.h"

namespace worker_runtime {

/// So many Workers' windows are kept, and so many entries in all of them.
inline constexpr std::size_t key_windows_max = 4096;
inline constexpr std::size_t key_window_entries_max = std::size_t{256} << 10U;

/// The first entry of a transcript whose key counts: it is kept, and among the newest.
inline Sequence first_keyed(const WorkerRecord& record) {
  const std::uint64_t last = record.last_sequence.value;
  const Sequence newest{last > keyed_entries_max ? last - keyed_entries_max + 1 : 1};
  return std::max(newest, record.first_sequence);
}

class KeyWindows {
 public:
  /// The entry with the key, of those whose keys count by the Worker's `record`; null if there is
  /// none. `durable` is the record as the store has it, null if it has none yet. The pointer is
  /// valid until the next call.
  Result<const KeyedEntry*> find(const Store& store, const WorkerRecord& record,
                                 std::string_view key, const WorkerRecord* durable);
  /// An entry that became durable.
  void add(const WorkerId& worker_id, const KeyedEntry& entry);
  void forget(const WorkerId& worker_id);

  [[nodiscard]] std::size_t windows() const { return windows_.size(); }
  [[nodiscard]] std::size_t entries() const { return entries_; }

 private:
  struct ByKey {
    using is_transparent = void;
    static std::string_view key_of(const KeyedEntry& entry) { return entry.key; }
    static std::string_view key_of(std::string_view key) { return key; }
    template <typename Item>
    std::size_t operator()(const Item& item) const {
      return std::hash<std::string_view>{}(key_of(item));
    }
    template <typename Left, typename Right>
    bool operator()(const Left& left, const Right& right) const {
      return key_of(left) == key_of(right);
    }
  };
  struct Window {
    std::unordered_set<KeyedEntry, ByKey, ByKey> entries;
    std::list<WorkerId>::iterator used;
  };
  Result<Window*> load(const Store& store, const WorkerId& worker_id, const WorkerRecord* durable);
  void put(Window& window, KeyedEntry entry);
  void make_room();

  std::unordered_map<WorkerId, Window> windows_;
  std::list<WorkerId> by_use_;  // the one used last comes first
  std::size_t entries_ = 0;     // of all windows
};

}  // namespace worker_runtime
