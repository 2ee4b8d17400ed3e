// Idempotency keys of entries: see key_windows.h.
#include "key_windows.h"

namespace worker_runtime {

Result<KeyWindows::Window*> KeyWindows::load(const Store& store, const WorkerId& worker_id,
                                             Sequence durable_last) {
  if (const auto found = windows_.find(worker_id); found != windows_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second.used);
    return &found->second;
  }
  Window window;
  if (durable_last.value > 0) {
    const Sequence first{
        durable_last.value > keyed_entries_max ? durable_last.value - keyed_entries_max + 1 : 1};
    auto entries = store.read_keyed_entries(worker_id, first, durable_last);
    if (!entries) return std::move(entries).error();
    for (KeyedEntry& entry : *entries) {
      std::string key = entry.key;
      window.entries.insert_or_assign(std::move(key), std::move(entry));
    }
  }
  if (windows_.size() >= key_windows_max) forget(WorkerId(by_use_.back()));
  by_use_.push_front(worker_id);
  window.used = by_use_.begin();
  return &windows_.insert_or_assign(worker_id, std::move(window)).first->second;
}

Result<const KeyedEntry*> KeyWindows::find(const Store& store, const WorkerId& worker_id,
                                           const std::string& key, Sequence durable_last,
                                           Sequence last) {
  auto window = load(store, worker_id, durable_last);
  if (!window) return std::move(window).error();
  const auto found = (*window)->entries.find(key);
  const KeyedEntry* entry = nullptr;
  if (found != (*window)->entries.end() &&
      found->second.sequence.value + keyed_entries_max > last.value) {
    entry = &found->second;
  }
  return entry;
}

void KeyWindows::add(const WorkerId& worker_id, const KeyedEntry& entry) {
  const auto window = windows_.find(worker_id);
  if (window == windows_.end()) return;  // loaded with the rest when it is asked for
  auto& entries = window->second.entries;
  entries.insert_or_assign(entry.key, entry);
  // Cleared of what it covers no longer when twice too large: each entry pays a constant share.
  if (entries.size() < 2 * keyed_entries_max) return;
  std::erase_if(entries, [&](const auto& known) {
    return known.second.sequence.value + keyed_entries_max <= entry.sequence.value;
  });
}

void KeyWindows::forget(const WorkerId& worker_id) {
  const auto window = windows_.find(worker_id);
  if (window == windows_.end()) return;
  by_use_.erase(window->second.used);
  windows_.erase(window);
}

}  // namespace worker_runtime
