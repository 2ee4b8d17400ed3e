// Which file systems can't keep the promises of the store: see unsafe_file_system().
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#include <array>

#include "file_system.h"
#include "posix_descriptor.h"

namespace worker_runtime::fs_store {

std::optional<std::string> unsafe_file_system(const std::string& absolute_path) {
  struct statfs status {};
  if (::statfs(absolute_path.c_str(), &status) != 0) return std::nullopt;
  struct Kind {
    std::uint32_t magic;
    const char* name;
  };
  // Magic numbers of statfs(2).
  constexpr std::array<Kind, 8> unsafe{{{0x6969, "NFS"},
                                        {0x65735546, "FUSE"},
                                        {0xff534d42, "CIFS"},
                                        {0xfe534d42, "SMB2"},
                                        {0x517b, "SMB"},
                                        {0x4d44, "FAT"},
                                        {0x2011bab0, "exFAT"},
                                        {0x01021997, "9P"}}};
  for (const Kind& kind : unsafe) {
    if (static_cast<std::uint32_t>(status.f_type) == kind.magic) return kind.name;
  }
  // Two ids that differ in case would share a directory.
  const Descriptor directory(::open(absolute_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  unsigned flags = 0;
  if (directory.number() >= 0 && ::ioctl(directory.number(), FS_IOC_GETFLAGS, &flags) == 0 &&
      (flags & FS_CASEFOLD_FL) != 0) {
    return "case-folding";
  }
  return std::nullopt;
}

}  // namespace worker_runtime::fs_store
