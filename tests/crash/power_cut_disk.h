// A real file system on a disk whose power can be cut.
#pragma once

#include <filesystem>
#include <string>

#include "loop_disk.h"
#include "support/random.h"

namespace worker_runtime::testing {

/// The disk is an image on another file system, whose page cache is the volatile cache of the disk:
/// what the inner file system has not flushed is in that cache, and goes when the outer one is shut
/// down. So this is the system's own code from write() to the flush of the device, and a device
/// that keeps as little as it may. The functions answer what went wrong, or nothing.
class PowerCutDisk {
 public:
  /// `place` is a directory with nothing in it.
  std::string make(const FileSystemKind& kind, const std::filesystem::path& place);

  /// Where the inner file system is mounted.
  [[nodiscard]] const std::filesystem::path& path() const { return inner_.mount_point(); }

  /// Writes some files, and some of the disk's cache: in an order of which nobody was asked.
  void write_some_back(Random& random) const;
  /// From here on every access fails.
  std::string cut_power() const;
  /// When no process has a file open: both file systems recover as they do after a crash.
  std::string power_on();

 private:
  LoopDisk outer_;
  LoopDisk inner_;
};

}  // namespace worker_runtime::testing
