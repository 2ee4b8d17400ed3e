// Idempotency keys of entries: see key_windows.h.
#include "key_windows.h"

#include <utility>

namespace worker_runtime {

Result<KeyWindows::Window*> KeyWindows::load(const Store& store, const WorkerId& worker_id,
                                             const WorkerRecord* durable) {
  if (const auto found = windows_.find(worker_id); found != windows_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second.used);
    return &found->second;
  }
  std::vector<KeyedEntry> keyed;
  if (durable != nullptr && first_keyed(*durable) <= durable->last_sequence) {
    auto read = store.read_keyed_entries(worker_id, first_keyed(*durable), durable->last_sequence);
    if (!read) return std::move(read).error();
    keyed = std::move(*read);
  }
  make_room();
  Window& window = windows_[worker_id];
  by_use_.push_front(worker_id);
  window.used = by_use_.begin();
  for (KeyedEntry& entry : keyed) put(window, std::move(entry));
  return &window;
}

/// A key that is used again, after its first entry is covered no longer, is that of the newer.
void KeyWindows::put(Window& window, KeyedEntry entry) {
  if (const auto older = window.entries.find(entry); older != window.entries.end()) {
    window.entries.erase(older);
    --entries_;
  }
  window.entries.insert(std::move(entry));
  ++entries_;
}

void KeyWindows::make_room() {
  while (!by_use_.empty() &&
         (windows_.size() >= key_windows_max || entries_ >= key_window_entries_max)) {
    forget(WorkerId(by_use_.back()));
  }
}

Result<const KeyedEntry*> KeyWindows::find(const Store& store, const WorkerRecord& record,
                                           std::string_view key, const WorkerRecord* durable) {
  auto window = load(store, record.worker_id, durable);
  if (!window) return std::move(window).error();
  const auto found = (*window)->entries.find(key);
  const KeyedEntry* entry = nullptr;
  if (found != (*window)->entries.end() && found->sequence >= first_keyed(record)) entry = &*found;
  return entry;
}

void KeyWindows::add(const WorkerId& worker_id, const KeyedEntry& entry) {
  const auto found = windows_.find(worker_id);
  if (found == windows_.end()) return;  // loaded with the rest when it is asked for
  Window& window = found->second;
  put(window, entry);
  // Cleared of what it covers no longer when twice too large: each entry pays a constant share.
  if (window.entries.size() < 2 * keyed_entries_max) return;
  entries_ -= std::erase_if(window.entries, [&](const KeyedEntry& known) {
    return known.sequence.value + keyed_entries_max <= entry.sequence.value;
  });
}

void KeyWindows::forget(const WorkerId& worker_id) {
  const auto window = windows_.find(worker_id);
  if (window == windows_.end()) return;
  entries_ -= window->second.entries.size();
  by_use_.erase(window->second.used);
  windows_.erase(window);
}

}  // namespace worker_runtime
