// The file system of the operating system: with the other posix_* files, the only code that makes
// system calls on files.
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "file_system.h"
#include "posix_descriptor.h"
#include "posix_in_place.h"

namespace worker_runtime::fs_store {
namespace {

/// What messages need to know about a file.
struct Place {
  std::string path;  // relative to the root
  std::string root;
};

Error system_failure(ErrorCode code, const char* operation, const Place& place, int system_error) {
  FileFields fields;
  fields.path = place.path;
  fields.system_error = system_error;
  fields.root = place.root;
  return {code,
          std::string("cannot ") + operation + " " +
              (place.path.empty() ? place.root : place.path) + ": " + std::strerror(system_error),
          std::move(fields)};
}

Error io_error(const char* operation, const Place& place, int system_error) {
  return system_failure(ErrorCode::store_io, operation, place, system_error);
}

/// A failed sync is final whatever the error: the kernel may have dropped what it was to write.
Error sync_error(const Place& place, int system_error) {
  return system_failure(ErrorCode::store_failed, "sync", place, system_error);
}

template <typename Call>
auto retry_interrupted(Call call) {
  auto answer = call();
  while (answer < 0 && errno == EINTR) answer = call();
  return answer;
}

/// What an entry of a directory is; with an empty `path` the directory, or open file, itself.
///
/// Not its times, and so no stat(): who was told the times of a file must see its next write in
/// them (multigrain timestamps, Linux 6.13), and the sync of that write has the inode to write too.
/// A stat() of the journal before each commit made the commits of one caller take a third longer.
class Look {
 public:
  Look(int directory, const char* path)
      : is_there_(::statx(directory, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
                          STATX_TYPE | STATX_MODE | STATX_INO | STATX_SIZE, &found_) == 0) {}

  /// If not, errno says why.
  [[nodiscard]] bool is_there() const { return is_there_; }
  [[nodiscard]] mode_t mode() const { return found_.stx_mode; }
  [[nodiscard]] std::uint64_t size() const { return found_.stx_size; }
  [[nodiscard]] FileIdentity identity() const {
    return {::makedev(found_.stx_dev_major, found_.stx_dev_minor), found_.stx_ino};
  }
  [[nodiscard]] EntryKind kind() const {
    if (S_ISREG(mode())) return EntryKind::file;
    if (S_ISDIR(mode())) return EntryKind::directory;
    return EntryKind::other;
  }

 private:
  struct statx found_ {};
  bool is_there_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, Place place, FileIdentity identity)
      : descriptor_(std::move(descriptor)), place_(std::move(place)), identity_(identity) {}

  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t got = retry_interrupted([&] {
        return ::pread(descriptor_.number(), to.data() + done, to.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (got < 0) return io_error("read", place_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = retry_interrupted([&] {
        return ::pwrite(descriptor_.number(), bytes.data(), bytes.size(),
                        static_cast<off_t>(offset));
      });
      if (put < 0) return io_error("write", place_, errno);
      // A short write happens where the disk is full, a limit is hit or a signal came; going on
      // tells which.
      if (put == 0) return io_error("write", place_, ENOSPC);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  Result<void> sync() override {
    // Not retried, not even after EINTR: a failed sync may have dropped the pages it was to write.
    if (::fdatasync(descriptor_.number()) != 0) return sync_error(place_, errno);
    return {};
  }

  void begin_writeback(std::uint64_t offset, std::uint64_t count) override {
    static_cast<void>(::sync_file_range(descriptor_.number(), static_cast<off_t>(offset),
                                        static_cast<off_t>(count), SYNC_FILE_RANGE_WRITE));
  }

  void keep_in_place() override { posix_keep_in_place(descriptor_.number()); }

  Result<void> truncate(std::uint64_t size) override {
    if (retry_interrupted(
            [&] { return ::ftruncate(descriptor_.number(), static_cast<off_t>(size)); }) != 0) {
      return io_error("cut", place_, errno);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    const Look found(descriptor_.number(), "");
    if (!found.is_there()) return io_error("look at", place_, errno);
    return found.size();
  }

  FileIdentity identity() const override { return identity_; }

 private:
  Descriptor descriptor_;
  Place place_;
  FileIdentity identity_;
};

/// The first byte of a lock file tells readers of a writer that has announced itself; the rest
/// keeps other writers out. Two ranges of one file, so that the one can follow the other.
constexpr off_t announced_byte = 0;
constexpr off_t excluding_bytes = 1;

/// `length` 0: to the end, however long the file grows.
struct flock locked_range(off_t start, off_t length) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = start;
  range.l_len = length;
  return range;
}

class PosixLock final : public FileLock {
 public:
  PosixLock(Descriptor file, Descriptor directory, Place place)
      : file_(std::move(file)), directory_(std::move(directory)), place_(std::move(place)) {}

  Result<void> announce() override {
    struct flock range = locked_range(announced_byte, 1);
    if (::fcntl(file_.number(), F_OFD_SETLK, &range) != 0) return io_error("lock", place_, errno);
    return {};
  }

  Result<void> set_text(std::string_view text) override {
    if (::ftruncate(file_.number(), 0) != 0) return io_error("write", place_, errno);
    const ssize_t put = ::pwrite(file_.number(), text.data(), text.size(), 0);
    if (put < 0) return io_error("write", place_, errno);
    return {};
  }

 private:
  Descriptor file_;
  Descriptor directory_;
  Place place_;
};

/// Opens `path` below `directory` without following a symbolic link anywhere.
Descriptor open_beneath(int directory, const std::string& path, int flags, mode_t mode) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const char* const name = path.empty() ? "." : path.c_str();
  const long direct =
      retry_interrupted([&] { return ::syscall(SYS_openat2, directory, name, &how, sizeof how); });
  if (direct >= 0 || (errno != ENOSYS && errno != EPERM))
    return Descriptor(static_cast<int>(direct));

  // An older kernel, or a sandbox that does not know openat2: walk the directories one by one. None
  // of them may lead up or begin anew, which openat2 sees to by itself.
  const auto leads_out = [](const std::string& step) { return step.empty() || step == ".."; };
  Descriptor parent;
  std::size_t start = 0;
  int at = directory;
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', start)) {
    const std::string step = path.substr(start, slash - start);
    if (leads_out(step)) {
      errno = EXDEV;
      return Descriptor();
    }
    Descriptor next(retry_interrupted([&] {
      return ::openat(at, step.c_str(), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_RDONLY);
    }));
    if (next.number() < 0) return next;
    parent = std::move(next);
    at = parent.number();
    start = slash + 1;
  }
  const std::string last = path.empty() ? "." : path.substr(start);
  if (leads_out(last)) {
    errno = EXDEV;
    return Descriptor();
  }
  return Descriptor(retry_interrupted(
      [&] { return ::openat(at, last.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode); }));
}

/// A path split into the directory that holds it, opened, and the last name.
struct Parent {
  Descriptor directory;
  std::string name;
};

class PosixFileSystem final : public FileSystem {
 public:
  PosixFileSystem(Descriptor directory, std::string root, std::string prefix,
                  Permissions permissions)
      : directory_(std::move(directory)),
        root_(std::move(root)),
        prefix_(std::move(prefix)),
        directory_mode_(permissions == Permissions::owner_only ? 0700 : 0750),
        file_mode_(permissions == Permissions::owner_only ? 0600 : 0640),
        permissions_(permissions) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_NONBLOCK;  // a FIFO put in place of a file must not block the open
    if (mode == OpenMode::read) flags |= O_RDONLY;
    if (mode == OpenMode::write) flags |= O_RDWR;
    if (mode == OpenMode::create_new) flags |= O_RDWR | O_CREAT | O_EXCL;
    Descriptor descriptor = open_beneath(directory_.number(), path, flags, file_mode_);
    if (descriptor.number() < 0) return io_error("open", place(path), errno);
    const Look found(descriptor.number(), "");
    if (!found.is_there()) return io_error("look at", place(path), errno);
    if (found.kind() == EntryKind::directory) return io_error("open", place(path), EISDIR);
    if (found.kind() == EntryKind::other) return io_error("open", place(path), EINVAL);
    return std::unique_ptr<File>(
        std::make_unique<PosixFile>(std::move(descriptor), place(path), found.identity()));
  }

  Result<void> make_directory(const std::string& path) override {
    auto parent = open_parent(path);
    if (!parent) return std::move(parent).error();
    if (::mkdirat(parent->directory.number(), parent->name.c_str(), directory_mode_) != 0) {
      return io_error("make", place(path), errno);
    }
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    auto source = open_parent(from);
    if (!source) return std::move(source).error();
    auto target = open_parent(to);
    if (!target) return std::move(target).error();
    if (::renameat(source->directory.number(), source->name.c_str(), target->directory.number(),
                   target->name.c_str()) != 0) {
      return io_error("rename", place(from), errno);
    }
    return {};
  }

  Result<void> remove_file(const std::string& path) override { return remove(path, 0); }
  Result<void> remove_directory(const std::string& path) override {
    return remove(path, AT_REMOVEDIR);
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    Descriptor descriptor = open_beneath(directory_.number(), path, O_RDONLY | O_DIRECTORY, 0);
    if (descriptor.number() < 0) return io_error("list", place(path), errno);
    const int copy = ::fcntl(descriptor.number(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return io_error("list", place(path), errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), &::closedir);
    if (!stream) {
      const int failed = errno;
      const Descriptor closes_copy(copy);
      return io_error("list", place(path), failed);
    }
    std::vector<DirectoryEntry> entries;
    errno = 0;
    // The stream is this call's own: readdir is safe on it.
    while (const dirent* found = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view name = found->d_name;
      if (name != "." && name != "..") {
        entries.push_back({std::string(name), kind_of(descriptor.number(), *found)});
      }
      errno = 0;
    }
    if (errno != 0) return io_error("list", place(path), errno);
    std::sort(entries.begin(), entries.end(),
              [](const DirectoryEntry& left, const DirectoryEntry& right) {
                return left.name < right.name;
              });
    return entries;
  }

  Result<std::optional<EntryKind>> kind(const std::string& path) override {
    auto parent = open_parent(path);
    if (!parent) {
      if (is_missing(parent.error())) return std::optional<EntryKind>();
      return std::move(parent).error();
    }
    const Look found(parent->directory.number(), parent->name.c_str());
    if (found.is_there()) return std::optional(found.kind());
    if (errno == ENOENT) return std::optional<EntryKind>();
    return io_error("look at", place(path), errno);
  }

  Result<std::optional<FileIdentity>> identity(const std::string& path) override {
    // One call, for it comes before every group of commits. A link on the way may be followed: what
    // counts is which file it leads to.
    const Look found(directory_.number(), path.c_str());
    if (found.is_there()) return std::optional(found.identity());
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileIdentity>();
    return io_error("look at", place(path), errno);
  }

  Result<void> sync_directory(const std::string& path) override {
    const Descriptor descriptor =
        open_beneath(directory_.number(), path, O_RDONLY | O_DIRECTORY, 0);
    if (descriptor.number() < 0) return io_error("sync", place(path), errno);
    if (::fsync(descriptor.number()) != 0) return sync_error(place(path), errno);
    return {};
  }

  Result<void> sync_all() override {
    // Linux 5.8 and later report here what failed to be written since the handle was opened.
    if (::syncfs(directory_.number()) != 0) return sync_error(place(""), errno);
    return {};
  }

  Result<Space> space() override {
    struct statvfs status {};
    if (::fstatvfs(directory_.number(), &status) != 0) return io_error("look at", place(""), errno);
    return Space{std::uint64_t{status.f_bavail} * std::uint64_t{status.f_frsize}};
  }

  Result<std::unique_ptr<FileLock>> try_lock(const std::string& path) override {
    for (int attempt = 0; attempt < 100; ++attempt) {
      Descriptor file =
          open_beneath(directory_.number(), path, O_RDWR | O_CREAT | O_NONBLOCK, file_mode_);
      if (file.number() < 0) return io_error("open", place(path), errno);
      struct flock range = locked_range(excluding_bytes, 0);
      if (::fcntl(file.number(), F_OFD_SETLK, &range) != 0) {
        if (errno == EAGAIN || errno == EACCES) return std::unique_ptr<FileLock>();
        return io_error("lock", place(path), errno);
      }
      // The lock file may have been removed or replaced by hand: the directory's own lock, on a
      // handle of its own, still keeps a second writer out.
      Descriptor directory = open_beneath(directory_.number(), "", O_RDONLY | O_DIRECTORY, 0);
      if (directory.number() < 0) return io_error("open", place(""), errno);
      if (::flock(directory.number(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return std::unique_ptr<FileLock>();
        return io_error("lock", place(""), errno);
      }
      // The path must still name the file that was locked; else the lock is one that nobody will
      // meet.
      const Look held(file.number(), "");
      if (!held.is_there()) return io_error("look at", place(path), errno);
      const Look named(directory_.number(), path.c_str());
      if (named.is_there() && named.identity() == held.identity()) {
        return std::unique_ptr<FileLock>(
            std::make_unique<PosixLock>(std::move(file), std::move(directory), place(path)));
      }
    }
    return io_error("lock", place(path), EAGAIN);
  }

  bool is_locked(const std::string& path) override {
    return is_held(path, locked_range(excluding_bytes, 0));
  }
  bool is_announced(const std::string& path) override {
    return is_held(path, locked_range(announced_byte, 1));
  }

  std::unique_ptr<ChangeWatch> watch(const std::string& directory,
                                     const std::string& overwritten) override {
    Descriptor watched = open_beneath(directory_.number(), directory, O_PATH | O_DIRECTORY, 0);
    if (watched.number() < 0) return nullptr;
    return make_posix_watch(std::move(watched), overwritten);
  }

  Result<std::unique_ptr<FileSystem>> directory(const std::string& path) override {
    Descriptor descriptor = open_beneath(directory_.number(), path, O_RDONLY | O_DIRECTORY, 0);
    if (descriptor.number() < 0) return io_error("open", place(path), errno);
    return std::unique_ptr<FileSystem>(std::make_unique<PosixFileSystem>(
        std::move(descriptor), root_, prefix_ + path + "/", permissions_));
  }

  const std::string& prefix() const override { return prefix_; }
  const std::string& root() const override { return root_; }

 private:
  [[nodiscard]] Place place(const std::string& path) const { return {prefix_ + path, root_}; }

  bool is_held(const std::string& path, struct flock range) {
    const Descriptor file = open_beneath(directory_.number(), path, O_RDONLY | O_NONBLOCK, 0);
    if (file.number() < 0) return true;
    if (::fcntl(file.number(), F_OFD_GETLK, &range) != 0) return true;
    return range.l_type != F_UNLCK;
  }

  Result<Parent> open_parent(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
    Descriptor descriptor = open_beneath(directory_.number(), above, O_PATH | O_DIRECTORY, 0);
    if (descriptor.number() < 0) return io_error("open", place(above), errno);
    return Parent{std::move(descriptor),
                  slash == std::string::npos ? path : path.substr(slash + 1)};
  }

  Result<void> remove(const std::string& path, int flags) {
    auto parent = open_parent(path);
    if (!parent) return std::move(parent).error();
    if (::unlinkat(parent->directory.number(), parent->name.c_str(), flags) != 0) {
      return io_error("remove", place(path), errno);
    }
    return {};
  }

  static EntryKind kind_of(int directory, const dirent& entry) {
    if (entry.d_type == DT_REG) return EntryKind::file;
    if (entry.d_type == DT_DIR) return EntryKind::directory;
    if (entry.d_type != DT_UNKNOWN) return EntryKind::other;
    const Look found(directory, entry.d_name);
    return found.is_there() ? found.kind() : EntryKind::other;
  }

  Descriptor directory_;
  std::string root_;
  std::string prefix_;
  mode_t directory_mode_;
  mode_t file_mode_;
  Permissions permissions_;
};

/// Makes the directory and the parents that are missing; a new name is durable before anything is
/// put below it.
Result<void> make_directories(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), mode) == 0) {
      const std::size_t last = part.rfind('/');
      const std::string above = last == 0 || last == std::string::npos ? "/" : part.substr(0, last);
      const Descriptor parent(::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (parent.number() < 0 || ::fsync(parent.number()) != 0)
        return io_error("sync", {"", path}, errno);
    } else if (errno != EEXIST) {
      return io_error("make", {"", path}, errno);
    }
    if (slash == std::string::npos) return {};
  }
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_posix_file_system(const std::string& absolute_path,
                                                           bool create, Permissions permissions) {
  if (create) {
    auto made =
        make_directories(absolute_path, permissions == Permissions::owner_only ? 0700 : 0750);
    if (!made) return std::move(made).error();
  }
  // The root itself may be reached through symbolic links: it is the operator who names it.
  Descriptor descriptor(::open(absolute_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.number() < 0) return io_error("open", {"", absolute_path}, errno);
  return std::unique_ptr<FileSystem>(
      std::make_unique<PosixFileSystem>(std::move(descriptor), absolute_path, "", permissions));
}

}  // namespace worker_runtime::fs_store
