// A file system of the test's own, in an image that is mounted as a disk.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>

namespace worker_runtime::testing {

struct FileSystemKind {
  const char* name;         ///< As mkfs knows it.
  std::uint64_t mebibytes;  ///< About as few as it takes.
};

/// Those that are tried beside the one that the tests run on.
inline constexpr std::array<FileSystemKind, 3> file_system_kinds{
    {{"ext4", 64}, {"xfs", 300}, {"btrfs", 128}}};

inline void PrintTo(const FileSystemKind& kind, std::ostream* out) { *out << kind.name; }

/// Mounts in a name space that the test's process has to itself: whatever ends the process, nothing
/// stays mounted. The functions answer what went wrong, or nothing.
class LoopDisk {
 public:
  LoopDisk() = default;
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;
  ~LoopDisk();

  /// Makes a file system in a new file, and mounts it. All blocks of the file are written, so that
  /// writing to them changes nothing else.
  std::string make(const FileSystemKind& kind, const std::filesystem::path& image,
                   const std::filesystem::path& mount_point);
  std::string mount();
  std::string unmount();

  [[nodiscard]] const std::filesystem::path& image() const { return image_; }
  [[nodiscard]] const std::filesystem::path& mount_point() const { return mount_point_; }

 private:
  std::filesystem::path image_;
  std::filesystem::path mount_point_;
  bool is_mounted_ = false;
};

}  // namespace worker_runtime::testing
