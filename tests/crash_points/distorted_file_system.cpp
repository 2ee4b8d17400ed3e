// Stores that break one rule each: see distorted_file_system.h.
#include "distorted_file_system.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace worker_runtime::testing {
namespace {

using fs_store::DirectoryEntry;
using fs_store::EntryKind;
using fs_store::File;
using fs_store::FileIdentity;
using fs_store::FileLock;
using fs_store::FileSystem;
using fs_store::OpenMode;
using fs_store::Space;

bool is_below(const std::string& path, std::string_view directory) {
  return path == directory || path.starts_with(std::string(directory) + "/");
}

/// Whether the content of a file is left unsynced for ever.
bool is_unsynced(BrokenRule broken, const std::string& path) {
  switch (broken) {
    case BrokenRule::journal_is_synced:
      return is_below(path, "journal");
    case BrokenRule::logs_are_synced:
      return path.starts_with("events.") || path.find("/transcript.") != std::string::npos;
    case BrokenRule::redactions_are_synced:
      return path.find("/transcript.") != std::string::npos;
    case BrokenRule::catalog_is_synced:
      return path.starts_with("catalog.");
    case BrokenRule::snapshot_content_is_synced:
      return path.starts_with("runtime.json");
    default:
      return false;
  }
}

bool is_unsynced_directory(BrokenRule broken, const std::string& path) {
  switch (broken) {
    case BrokenRule::segment_name_is_synced:
      return path == "journal";
    case BrokenRule::snapshot_name_is_synced:
      return path.empty();
    case BrokenRule::worker_names_are_synced:
      return is_below(path, "workers");
    default:
      return false;
  }
}

class DistortedFile final : public File {
 public:
  DistortedFile(std::unique_ptr<File> inner, BrokenRule broken, std::string path)
      : inner_(std::move(inner)), broken_(broken), path_(std::move(path)) {}

  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    return inner_->read_into(offset, to);
  }
  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    if (std::exchange(sync_is_due_, false)) {
      auto synced = inner_->sync();
      if (!synced) return synced;
    }
    return inner_->write(offset, bytes);
  }
  Result<void> sync() override {
    if (is_unsynced(broken_, path_)) return {};
    if (broken_ == BrokenRule::answer_follows_sync && is_below(path_, "journal")) {
      sync_is_due_ = true;
      return {};
    }
    return inner_->sync();
  }
  Result<void> truncate(std::uint64_t size) override { return inner_->truncate(size); }
  Result<std::uint64_t> size() const override { return inner_->size(); }
  FileIdentity identity() const override { return inner_->identity(); }
  void begin_writeback(std::uint64_t offset, std::uint64_t count) override {
    inner_->begin_writeback(offset, count);
  }
  void keep_in_place() override { inner_->keep_in_place(); }

 private:
  std::unique_ptr<File> inner_;
  const BrokenRule broken_;
  const std::string path_;
  bool sync_is_due_ = false;
};

class DistortedFileSystem final : public FileSystem {
 public:
  DistortedFileSystem(std::unique_ptr<FileSystem> inner, BrokenRule broken)
      : inner_(std::move(inner)), broken_(broken) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto file = inner_->open(path, mode);
    if (!file) return file;
    return std::unique_ptr<File>(std::make_unique<DistortedFile>(std::move(*file), broken_, path));
  }
  Result<void> make_directory(const std::string& path) override {
    return inner_->make_directory(path);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (broken_ == BrokenRule::segments_go_last && to == "runtime.json") {
      late_snapshot_ = from;
      return {};
    }
    return inner_->rename(from, to);
  }
  Result<void> remove_file(const std::string& path) override {
    auto removed = inner_->remove_file(path);
    if (!removed || !late_snapshot_ || !is_below(path, "journal")) return removed;
    auto renamed = inner_->rename(*std::exchange(late_snapshot_, std::nullopt), "runtime.json");
    return renamed ? inner_->sync_directory("") : renamed;
  }
  Result<void> remove_directory(const std::string& path) override {
    return inner_->remove_directory(path);
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return inner_->list(path);
  }
  Result<std::optional<EntryKind>> kind(const std::string& path) override {
    return inner_->kind(path);
  }
  Result<std::optional<FileIdentity>> identity(const std::string& path) override {
    return inner_->identity(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    return is_unsynced_directory(broken_, path) ? Result<void>() : inner_->sync_directory(path);
  }
  Result<void> sync_all() override {
    return broken_ == BrokenRule::logs_are_synced ? Result<void>() : inner_->sync_all();
  }
  Result<Space> space() override { return inner_->space(); }
  Result<std::unique_ptr<FileLock>> try_lock(const std::string& path) override {
    return inner_->try_lock(path);
  }
  bool is_locked(const std::string& path) override { return inner_->is_locked(path); }
  bool is_announced(const std::string& path) override { return inner_->is_announced(path); }
  std::unique_ptr<fs_store::ChangeWatch> watch(const std::string& directory,
                                               const std::string& overwritten) override {
    return inner_->watch(directory, overwritten);
  }
  Result<std::unique_ptr<FileSystem>> directory(const std::string& path) override {
    return inner_->directory(path);
  }
  const std::string& prefix() const override { return inner_->prefix(); }
  const std::string& root() const override { return inner_->root(); }

 private:
  std::unique_ptr<FileSystem> inner_;
  const BrokenRule broken_;
  std::optional<std::string> late_snapshot_;
};

}  // namespace

Distortion distortion(BrokenRule broken) {
  return [broken](std::unique_ptr<FileSystem> inner) -> std::unique_ptr<FileSystem> {
    return std::make_unique<DistortedFileSystem>(std::move(inner), broken);
  };
}

}  // namespace worker_runtime::testing
