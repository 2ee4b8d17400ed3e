// The seam to the file system: mechanism only, about a dozen operations, so that a simulated one
// can stand in.
//
// Every path is relative to one directory that was opened once, and never leaves it: no symbolic
// link is followed. Errors are `store_io` with path and errno, of a failed sync `store_failed`:
// that one is final, and a different code keeps it from being taken for a full disk. No operation
// retries anything but EINTR.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "change_watch.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// True for ENOSPC, EDQUOT and EFBIG, but not at a sync: nothing is broken, there is just no room.
bool is_full(const Error& error);
/// `store_full` in place of an error for which is_full() holds; any other as it is.
Error full_as_such(Error error);
/// True for EMFILE and ENFILE: the process, or the system, has no handle left.
bool is_out_of_handles(const Error& error);
/// True for ENOENT.
bool is_missing(const Error& error);
/// True where something of another kind stands there, or a symbolic link is on the way.
bool is_misplaced(const Error& error);

/// Which file it is, whatever its name is by now.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  bool operator==(const FileIdentity&) const = default;
};

/// An open file. Positioned reads and writes may run in parallel.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Reads from `offset` on and answers how many bytes: fewer than there is room for only at the
  /// end of the file.
  virtual Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const = 0;
  /// The same as a string of up to `count` bytes.
  Result<std::string> read(std::uint64_t offset, std::size_t count) const;
  /// Writes all of `bytes`. On an error any prefix may have been written: the caller undoes it.
  virtual Result<void> write(std::uint64_t offset, std::string_view bytes) = 0;
  /// Makes content and size durable (fdatasync).
  virtual Result<void> sync() = 0;
  /// Lets the disk begin with what was written there, and waits for nothing: a later sync finds
  /// less to do. A hint: nothing rests on it.
  virtual void begin_writeback(std::uint64_t offset, std::uint64_t count) = 0;
  /// Of a file that is still empty: what is written to it is to be overwritten where it is, so that
  /// an overwrite takes no space, also where the file system would write elsewhere (btrfs). A hint.
  virtual void keep_in_place() = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  [[nodiscard]] virtual FileIdentity identity() const = 0;
};

/// A lock that is held until destroyed.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;
  /// Replaces the text in the lock file, for messages only.
  virtual Result<void> set_text(std::string_view text) = 0;
  /// From here on is_announced() is true, until the lock is given back.
  virtual Result<void> announce() = 0;
};

enum class OpenMode : std::uint8_t {
  read,        ///< Must exist.
  write,       ///< Read and write; must exist.
  create_new,  ///< Read and write; must not exist.
};

enum class EntryKind : std::uint8_t { file, directory, other };
struct DirectoryEntry {
  std::string name;
  EntryKind kind = EntryKind::file;
};
struct Space {
  std::uint64_t free_bytes = 0;
};

class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> make_directory(const std::string& path) = 0;
  /// Replaces `to` if it is a file.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove_file(const std::string& path) = 0;
  virtual Result<void> remove_directory(const std::string& path) = 0;
  /// In byte order of names. "" is the directory itself.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  /// None if there is nothing.
  virtual Result<std::optional<EntryKind>> kind(const std::string& path) = 0;
  /// Of what stands there, of whatever kind; none if there is nothing.
  virtual Result<std::optional<FileIdentity>> identity(const std::string& path) = 0;
  /// Makes the entries of a directory durable. "" is the directory itself.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  /// Makes everything written to this file system durable (syncfs on a handle held since open).
  virtual Result<void> sync_all() = 0;
  virtual Result<Space> space() = 0;

  /// Takes the writer's lock: on the file `path` (made if missing) and on the directory itself.
  /// None if somebody else has either.
  virtual Result<std::unique_ptr<FileLock>> try_lock(const std::string& path) = 0;
  /// Whether somebody holds the lock on `path`, without taking it. True also if that cannot be
  /// told.
  virtual bool is_locked(const std::string& path) = 0;
  /// The same of a lock whose holder has announced itself: it is past its recovery, and its mark
  /// says what is durable.
  virtual bool is_announced(const std::string& path) = 0;

  /// Tells that entries of `directory` change, or that the file `overwritten` in it is written.
  /// Null where nothing can be told: then one looks from time to time.
  virtual std::unique_ptr<ChangeWatch> watch(const std::string& directory,
                                             const std::string& overwritten) = 0;

  /// Another directory below this one as a file system of its own.
  virtual Result<std::unique_ptr<FileSystem>> directory(const std::string& path) = 0;
  /// In messages: the path of this directory, relative to the store root, with its slash; "" for
  /// the root.
  [[nodiscard]] virtual const std::string& prefix() const = 0;
  /// The absolute path of the store root, for Error::detail() alone.
  [[nodiscard]] virtual const std::string& root() const = 0;
};

enum class Permissions : std::uint8_t { owner_only, group_read };

/// What statfs says of a file system that can't keep the promises; none if it can.
std::optional<std::string> unsafe_file_system(const std::string& absolute_path);

/// Opens a directory of the operating system. With `create` it and its parents are made and synced.
Result<std::unique_ptr<FileSystem>> open_posix_file_system(const std::string& absolute_path,
                                                           bool create, Permissions permissions);

}  // namespace worker_runtime::fs_store
