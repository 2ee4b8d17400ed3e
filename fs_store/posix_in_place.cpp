// Overwriting in place: see posix_in_place.h.
#include "posix_in_place.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

namespace worker_runtime::fs_store {

// What `chattr +C` does (btrfs(5), "nodatacow"). Such a file has no checksums of the file system's;
// the lines have their own.
void posix_keep_in_place(int descriptor) {
  struct statfs status {};
  if (::fstatfs(descriptor, &status) != 0 || status.f_type != BTRFS_SUPER_MAGIC) return;
  unsigned flags = 0;
  if (::ioctl(descriptor, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags |= FS_NOCOW_FL;
  static_cast<void>(::ioctl(descriptor, FS_IOC_SETFLAGS, &flags));
}

}  // namespace worker_runtime::fs_store
