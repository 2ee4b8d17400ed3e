// Images as disks: see loop_disk.h.
#include "loop_disk.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string_view>
#include <thread>
#include <vector>

#include "support/subprocess.h"

namespace worker_runtime::testing {
namespace {

std::string failed(std::string_view what) {
  return std::string(what) + ": " + std::strerror(errno);
}

/// Of the whole process, once. Without the second call the mounts would be passed on to others.
std::string have_mounts_of_our_own() {
  static const std::string problem = [] {
    if (::unshare(CLONE_NEWNS) != 0) return failed("unshare");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("mount /");
    return std::string();
  }();
  return problem;
}

std::string done(const std::vector<std::string>& command) {
  const Finished finished = run(command);
  return finished.exit_code == 0 ? "" : command.front() + ": " + finished.errors;
}

std::string write_zeros(const std::filesystem::path& path, std::uint64_t mebibytes) {
  std::ofstream file(path, std::ios::binary);
  const std::string piece(std::size_t{1} << 20U, '\0');
  for (std::uint64_t written = 0; written < mebibytes; ++written) file << piece;
  file.close();
  return file ? "" : failed(path.string());
}

}  // namespace

LoopDisk::~LoopDisk() {
  if (is_mounted_) ::umount2(mount_point_.c_str(), MNT_DETACH);
}

std::string LoopDisk::make(const FileSystemKind& kind, const std::filesystem::path& image,
                           const std::filesystem::path& mount_point) {
  image_ = image;
  mount_point_ = mount_point;
  std::string problem = have_mounts_of_our_own();
  if (problem.empty()) problem = write_zeros(image, kind.mebibytes);
  if (problem.empty())
    problem = done({std::string("/usr/sbin/mkfs.") + kind.name, "-q", image.string()});
  if (!problem.empty()) return problem;
  std::filesystem::create_directory(mount_point);
  return mount();
}

std::string LoopDisk::mount() {
  std::string problem =
      done({"/usr/bin/mount", "-o", "loop", image_.string(), mount_point_.string()});
  is_mounted_ = problem.empty();
  return problem;
}

std::string LoopDisk::unmount() {
  // What is mounted inside lets go of its image a moment after it is unmounted.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (::umount2(mount_point_.c_str(), 0) != 0) {
    if (errno != EBUSY || std::chrono::steady_clock::now() > deadline)
      return failed("unmount " + mount_point_.string());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  is_mounted_ = false;
  return "";
}

}  // namespace worker_runtime::testing
