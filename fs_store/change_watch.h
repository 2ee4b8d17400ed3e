// Being woken by what another process writes, instead of looking again and again.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "posix_descriptor.h"

namespace worker_runtime::fs_store {

/// A watch tells that something happened since it was made or since its last wait(), never what:
/// whoever is woken looks. It is a hint alone. Where files change without the kernel of this
/// machine (a network file system) it stays silent, so no wait may rest on it for long. For one
/// thread at a time.
class ChangeWatch {
 public:
  ChangeWatch() = default;
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;
  virtual ~ChangeWatch() = default;

  /// Returns once something happened, at `until`, or when `stop` is requested.
  virtual void wait(std::chrono::steady_clock::time_point until, const std::stop_token& stop) = 0;
};

/// Where there is no watch: waits without being told of anything, until `until` or `stop`.
void pause_until(std::chrono::steady_clock::time_point until, const std::stop_token& stop);

/// Watches the entries of a directory (made, renamed, removed) and what is written to the file
/// `overwritten` in it. Null if the system has no watch to give.
std::unique_ptr<ChangeWatch> make_posix_watch(Descriptor directory, const std::string& overwritten);

}  // namespace worker_runtime::fs_store
