// A snapshot: a file of one checked line, replaced as a whole.
//
// A new content is written under a temporary name, synced, and renamed over the old one. A crash
// before the rename leaves the old content and a temporary file that the next open sweeps; a crash
// after it leaves either content, whole, until the directory is synced too, and the new one from
// then on.
#pragma once

#include <string>
#include <string_view>

#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

enum class Durable : std::uint8_t { yes, no };

/// Builds the new content of `path` and puts it in place. An attempt that is not committed leaves
/// nothing.
class AtomicFile {
 public:
  static Result<AtomicFile> create(FileSystem& file_system, std::string path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  [[nodiscard]] File& file() { return *file_; }
  /// Renames; with Durable::yes the content is synced before and the directory after. Answers the
  /// open file.
  Result<std::unique_ptr<File>> commit(Durable durable);

 private:
  AtomicFile(FileSystem& file_system, std::string path, std::string temporary,
             std::unique_ptr<File> file);
  FileSystem* file_system_;
  std::string path_;
  std::string temporary_;
  std::unique_ptr<File> file_;
};

/// Copies the bytes from `begin` to `end`, or to where the file ends before, to the start of `to`.
Result<void> copy_bytes(const File& from, std::uint64_t begin, std::uint64_t end, File& to);

/// Replaces a file with `bytes`.
Result<void> replace_file(FileSystem& file_system, const std::string& path, std::string_view bytes,
                          Durable durable);

/// Reads a whole file of at most `bytes_max` bytes; a longer one is `store_corrupt`.
Result<std::string> read_small_file(FileSystem& file_system, const std::string& path,
                                    std::uint64_t bytes_max);

/// Makes a file of one checked line, of `object`, durable in place of what is there.
Result<void> write_snapshot(FileSystem& file_system, const std::string& path,
                            std::string_view object);

/// Reads a file of one checked line and answers the line without its newline. `store_corrupt` if
/// that is not what it is.
Result<std::string> read_snapshot(FileSystem& file_system, const std::string& path,
                                  std::uint64_t bytes_max);

/// The directory part of a path; "" if it has none.
std::string parent_path(const std::string& path);

/// An error about damage, with its place.
Error corrupt(const FileSystem& file_system, const std::string& path, std::string message,
              std::optional<std::uint64_t> line = {}, std::optional<std::uint64_t> offset = {},
              std::optional<std::uint64_t> next_readable = {});

/// Puts the place into an error that a decoder gave without one.
Error at_place(Error error, const FileSystem& file_system, const std::string& path,
               std::optional<std::uint64_t> line, std::optional<std::uint64_t> offset);

}  // namespace worker_runtime::fs_store
