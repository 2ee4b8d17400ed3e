// A disk without power: see power_cut_disk.h.
#include "power_cut_disk.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace worker_runtime::testing {
namespace {

// Linux, fs/ext4/ext4.h, the same as of XFS: not in a header of the system.
constexpr unsigned long ioctl_shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t shutdown_without_flush = 2;

void write_back(const std::filesystem::path& path, std::uint64_t offset, std::uint64_t bytes) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return;  // removed meanwhile: nothing to write back
  ::sync_file_range(file, static_cast<off64_t>(offset), static_cast<off64_t>(bytes),
                    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  ::close(file);
}

}  // namespace

std::string PowerCutDisk::make(const FileSystemKind& kind, const std::filesystem::path& place) {
  constexpr std::uint64_t for_its_own_use = 48;
  std::string problem = outer_.make({"ext4", kind.mebibytes + for_its_own_use},
                                    place / "outer.image", place / "outer");
  if (problem.empty()) problem = inner_.make(kind, place / "outer" / "image", place / "inner");
  return problem;
}

void PowerCutDisk::write_some_back(Random& random) const {
  std::error_code gone;  // the writer removes files meanwhile
  for (auto at = std::filesystem::recursive_directory_iterator(path(), gone);
       !gone && at != std::filesystem::recursive_directory_iterator(); at.increment(gone)) {
    if (random.one_in(2)) write_back(at->path(), 0, 0);
  }
  constexpr std::uint64_t piece = std::uint64_t{64} << 10U;
  const std::uint64_t bytes = std::filesystem::file_size(inner_.image());
  for (std::uint64_t offset = 0; offset < bytes; offset += piece) {
    if (random.one_in(2)) write_back(inner_.image(), offset, piece);
  }
}

std::string PowerCutDisk::cut_power() const {
  const int directory = ::open(outer_.mount_point().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::uint32_t how = shutdown_without_flush;
  const bool is_done = directory >= 0 && ::ioctl(directory, ioctl_shutdown, &how) == 0;
  std::string problem = is_done ? "" : std::string("shut down: ") + std::strerror(errno);
  if (directory >= 0) ::close(directory);
  return problem;
}

std::string PowerCutDisk::power_on() {
  std::string problem = inner_.unmount();
  if (problem.empty()) problem = outer_.unmount();
  if (problem.empty()) problem = outer_.mount();
  if (problem.empty()) problem = inner_.mount();
  return problem;
}

}  // namespace worker_runtime::testing
