// A file system for tests that stands before a real one: it counts and notes every call, fails
// those that a test planned, and lets a test step in between two calls.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file_system.h"

namespace worker_runtime::fs_store {

enum class CallKind : std::uint8_t {
  open,
  read,
  write,
  sync,
  truncate,
  size,
  make_directory,
  rename,
  remove,  ///< Of files and directories.
  list,
  kind,
  sync_directory,
  sync_all,
  space,
  lock,
};
std::string_view to_string(CallKind kind);

/// A plan to let calls fail. A call that fails does nothing, but for `bytes_written`.
struct Fault {
  static constexpr std::uint64_t for_ever = UINT64_MAX;

  std::optional<CallKind> kind;  ///< None: calls of every kind.
  /// The first call that fails, from 1, among those that are meant and made after the planning.
  std::uint64_t nth = 1;
  std::uint64_t times = 1;  ///< So many calls in a row fail.
  int system_error = EIO;
  std::string path_part;          ///< Only calls on paths that contain it.
  std::size_t bytes_written = 0;  ///< Of a write: a prefix so long gets into the file.
};

/// One call. Paths are relative to the root; of a rename it is the old one.
struct NotedCall {
  CallKind kind = CallKind::open;
  std::string path;
  bool failed = false;  ///< By plan.
};

/// What a test plans and learns. Thread-safe. Outlives the file systems and files that it serves.
class FileFaults {
 public:
  using Hook = std::function<void(CallKind kind, const std::string& path)>;

  void plan(Fault fault);
  /// Plans no failures any more; what was noted stays.
  void clear_plan();
  /// Is called before each call, without any lock: it may use the file system itself.
  void set_hook(Hook hook);

  [[nodiscard]] std::uint64_t count(CallKind kind) const;
  /// Of every kind.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::uint64_t bytes_read() const;
  [[nodiscard]] std::uint64_t bytes_written() const;
  /// Calls that failed by plan.
  [[nodiscard]] std::uint64_t failures() const;
  [[nodiscard]] std::uint64_t open_files() const;
  [[nodiscard]] std::uint64_t open_files_peak() const;
  /// In the order in which they began.
  [[nodiscard]] std::vector<NotedCall> calls() const;
  /// "write events.jsonl", "sync events.jsonl", ... of all noted calls that change anything.
  [[nodiscard]] std::vector<std::string> changes() const;
  /// Forgets counts, notes and peaks, but not the plan.
  void reset_counts();

 private:
  friend class FaultyFileSystem;
  friend class FaultyFile;

  struct Planned {
    Fault fault;
    std::uint64_t seen = 0;
  };

  /// Notes a call; the fault that it meets, if it has to fail.
  std::optional<Fault> enter(CallKind kind, const std::string& path);
  void add_read(std::uint64_t bytes);
  void add_written(std::uint64_t bytes);
  void add_open_file();
  void drop_open_file();

  mutable std::mutex mutex_;
  std::vector<Planned> plan_;
  Hook hook_;
  std::vector<NotedCall> calls_;
  std::uint64_t failures_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  std::uint64_t open_files_ = 0;
  std::uint64_t open_files_peak_ = 0;
};

/// `path` is for notes and messages.
std::unique_ptr<File> make_faulty_file(std::unique_ptr<File> inner, std::string path,
                                       FileFaults& faults);

/// Directories opened below it share `faults`.
std::unique_ptr<FileSystem> make_faulty_file_system(std::unique_ptr<FileSystem> inner,
                                                    FileFaults& faults);

}  // namespace worker_runtime::fs_store
