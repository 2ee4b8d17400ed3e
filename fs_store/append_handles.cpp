// The cache of handles for appending: see append_handles.h.
#include "append_handles.h"

#include <utility>

namespace worker_runtime::fs_store {

std::shared_ptr<File> AppendHandles::find(const std::string& stem) {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(stem);
  if (found == handles_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second.used);
  found->second.is_synced = false;
  return found->second.file;
}

std::shared_ptr<File> AppendHandles::keep(const std::string& stem, std::unique_ptr<File> file) {
  const std::lock_guard lock(mutex_);
  if (handles_.size() >= append_handles_max) erase(handles_.find(by_use_.back()));
  by_use_.push_front(stem);
  Handle& handle = handles_[stem];
  handle = Handle{std::move(file), by_use_.begin()};
  return handle.file;
}

void AppendHandles::drop(const std::string& stem) {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(stem);
  if (found != handles_.end()) erase(found);
}

void AppendHandles::discard(const std::string& stem) {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(stem);
  if (found == handles_.end()) return;
  found->second.is_synced = true;
  erase(found);
}

bool AppendHandles::give_up() {
  const std::lock_guard lock(mutex_);
  if (handles_.empty()) return false;
  while (!handles_.empty()) erase(handles_.begin());
  return true;
}

bool AppendHandles::let_go_unsynced() const {
  const std::lock_guard lock(mutex_);
  return let_go_unsynced_;
}

void AppendHandles::set_synced() {
  const std::lock_guard lock(mutex_);
  for (auto& [stem, handle] : handles_) handle.is_synced = true;
  let_go_unsynced_ = false;
}

void AppendHandles::erase(std::unordered_map<std::string, Handle>::iterator handle) {
  if (!handle->second.is_synced) let_go_unsynced_ = true;
  by_use_.erase(handle->second.used);
  handles_.erase(handle);
}

}  // namespace worker_runtime::fs_store
