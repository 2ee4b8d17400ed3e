// Counting and failing: see faulty_file_system.h.
#include "support/fs_store/faulty_file_system.h"

#include <algorithm>
#include <array>
#include <utility>

namespace worker_runtime::fs_store {
namespace {

constexpr std::array<std::string_view, 15> kind_names{
    "open", "read",           "write",    "sync",   "truncate",
    "size", "make_directory", "rename",   "remove", "list",
    "kind", "sync_directory", "sync_all", "space",  "lock"};

bool is_change(CallKind kind) {
  switch (kind) {
    case CallKind::write:
    case CallKind::sync:
    case CallKind::truncate:
    case CallKind::make_directory:
    case CallKind::rename:
    case CallKind::remove:
    case CallKind::sync_directory:
    case CallKind::sync_all:
      return true;
    default:
      return false;
  }
}

Error planned_error(CallKind kind, const std::string& path, int system_error) {
  const bool is_sync =
      kind == CallKind::sync || kind == CallKind::sync_directory || kind == CallKind::sync_all;
  FileFields fields;
  fields.path = path;
  fields.system_error = system_error;
  return {is_sync ? ErrorCode::store_failed : ErrorCode::store_io,
          "planned failure: " + std::string(to_string(kind)) + " " + path, std::move(fields)};
}

}  // namespace

std::string_view to_string(CallKind kind) { return kind_names.at(static_cast<std::size_t>(kind)); }

// ---- the plan

void FileFaults::plan(Fault fault) {
  const std::lock_guard lock(mutex_);
  plan_.push_back({std::move(fault), 0});
}

void FileFaults::clear_plan() {
  const std::lock_guard lock(mutex_);
  plan_.clear();
}

void FileFaults::set_hook(Hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

std::uint64_t FileFaults::count(CallKind kind) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(std::count_if(
      calls_.begin(), calls_.end(), [kind](const NotedCall& call) { return call.kind == kind; }));
}

std::uint64_t FileFaults::count() const {
  const std::lock_guard lock(mutex_);
  return calls_.size();
}

std::uint64_t FileFaults::bytes_read() const {
  const std::lock_guard lock(mutex_);
  return bytes_read_;
}

std::uint64_t FileFaults::bytes_written() const {
  const std::lock_guard lock(mutex_);
  return bytes_written_;
}

std::uint64_t FileFaults::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

std::uint64_t FileFaults::open_files() const {
  const std::lock_guard lock(mutex_);
  return open_files_;
}

std::uint64_t FileFaults::open_files_peak() const {
  const std::lock_guard lock(mutex_);
  return open_files_peak_;
}

std::vector<NotedCall> FileFaults::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> FileFaults::changes() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> changes;
  for (const NotedCall& call : calls_) {
    if (is_change(call.kind))
      changes.push_back(std::string(to_string(call.kind)) + " " + call.path);
  }
  return changes;
}

void FileFaults::reset_counts() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
  failures_ = bytes_read_ = bytes_written_ = 0;
  open_files_peak_ = open_files_;
}

std::optional<Fault> FileFaults::enter(CallKind kind, const std::string& path) {
  Hook hook;
  {
    const std::lock_guard lock(mutex_);
    hook = hook_;
  }
  if (hook) hook(kind, path);
  const std::lock_guard lock(mutex_);
  std::optional<Fault> met;
  for (Planned& planned : plan_) {
    const Fault& fault = planned.fault;
    if (fault.kind && *fault.kind != kind) continue;
    if (path.find(fault.path_part) == std::string::npos) continue;
    ++planned.seen;
    if (planned.seen >= fault.nth && planned.seen - fault.nth < fault.times) met = fault;
  }
  calls_.push_back({kind, path, met.has_value()});
  if (met) ++failures_;
  return met;
}

void FileFaults::add_read(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_read_ += bytes;
}

void FileFaults::add_written(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_written_ += bytes;
}

void FileFaults::add_open_file() {
  const std::lock_guard lock(mutex_);
  open_files_peak_ = std::max(open_files_peak_, ++open_files_);
}

void FileFaults::drop_open_file() {
  const std::lock_guard lock(mutex_);
  --open_files_;
}

// ---- before the real ones

class FaultyFile final : public File {
 public:
  FaultyFile(std::unique_ptr<File> inner, std::string path, FileFaults& faults)
      : inner_(std::move(inner)), path_(std::move(path)), faults_(faults) {
    faults_.add_open_file();
  }
  FaultyFile(const FaultyFile&) = delete;
  FaultyFile& operator=(const FaultyFile&) = delete;
  ~FaultyFile() override { faults_.drop_open_file(); }

  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    if (auto fault = faults_.enter(CallKind::read, path_))
      return planned_error(CallKind::read, path_, fault->system_error);
    auto got = inner_->read_into(offset, to);
    if (got) faults_.add_read(*got);
    return got;
  }
  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    const auto fault = faults_.enter(CallKind::write, path_);
    if (fault) bytes = bytes.substr(0, fault->bytes_written);
    auto written = bytes.empty() ? Result<void>() : inner_->write(offset, bytes);
    if (written) faults_.add_written(bytes.size());
    if (fault) return planned_error(CallKind::write, path_, fault->system_error);
    return written;
  }
  Result<void> sync() override {
    if (auto fault = faults_.enter(CallKind::sync, path_))
      return planned_error(CallKind::sync, path_, fault->system_error);
    return inner_->sync();
  }
  Result<void> truncate(std::uint64_t size) override {
    if (auto fault = faults_.enter(CallKind::truncate, path_))
      return planned_error(CallKind::truncate, path_, fault->system_error);
    return inner_->truncate(size);
  }
  Result<std::uint64_t> size() const override {
    if (auto fault = faults_.enter(CallKind::size, path_))
      return planned_error(CallKind::size, path_, fault->system_error);
    return inner_->size();
  }
  FileIdentity identity() const override { return inner_->identity(); }
  void begin_writeback(std::uint64_t offset, std::uint64_t count) override {
    inner_->begin_writeback(offset, count);
  }
  void keep_in_place() override { inner_->keep_in_place(); }

 private:
  std::unique_ptr<File> inner_;
  std::string path_;
  FileFaults& faults_;
};

class FaultyFileSystem final : public FileSystem {
 public:
  FaultyFileSystem(std::unique_ptr<FileSystem> inner, FileFaults& faults)
      : inner_(std::move(inner)), faults_(faults) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return pass<std::unique_ptr<File>>(
        CallKind::open, path, [&]() -> Result<std::unique_ptr<File>> {
          auto file = inner_->open(path, mode);
          if (!file) return file;
          return make_faulty_file(std::move(*file), inner_->prefix() + path, faults_);
        });
  }
  Result<void> make_directory(const std::string& path) override {
    return pass<void>(CallKind::make_directory, path, [&] { return inner_->make_directory(path); });
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return pass<void>(CallKind::rename, from, [&] { return inner_->rename(from, to); });
  }
  Result<void> remove_file(const std::string& path) override {
    return pass<void>(CallKind::remove, path, [&] { return inner_->remove_file(path); });
  }
  Result<void> remove_directory(const std::string& path) override {
    return pass<void>(CallKind::remove, path, [&] { return inner_->remove_directory(path); });
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return pass<std::vector<DirectoryEntry>>(CallKind::list, path,
                                             [&] { return inner_->list(path); });
  }
  Result<std::optional<EntryKind>> kind(const std::string& path) override {
    return pass<std::optional<EntryKind>>(CallKind::kind, path, [&] { return inner_->kind(path); });
  }
  Result<std::optional<FileIdentity>> identity(const std::string& path) override {
    return pass<std::optional<FileIdentity>>(CallKind::kind, path,
                                             [&] { return inner_->identity(path); });
  }
  Result<void> sync_directory(const std::string& path) override {
    return pass<void>(CallKind::sync_directory, path, [&] { return inner_->sync_directory(path); });
  }
  Result<void> sync_all() override {
    return pass<void>(CallKind::sync_all, "", [&] { return inner_->sync_all(); });
  }
  Result<Space> space() override {
    return pass<Space>(CallKind::space, "", [&] { return inner_->space(); });
  }
  Result<std::unique_ptr<FileLock>> try_lock(const std::string& path) override {
    return pass<std::unique_ptr<FileLock>>(CallKind::lock, path,
                                           [&] { return inner_->try_lock(path); });
  }
  bool is_locked(const std::string& path) override { return inner_->is_locked(path); }
  bool is_announced(const std::string& path) override { return inner_->is_announced(path); }
  std::unique_ptr<ChangeWatch> watch(const std::string& directory,
                                     const std::string& overwritten) override {
    return inner_->watch(directory, overwritten);
  }

  Result<std::unique_ptr<FileSystem>> directory(const std::string& path) override {
    return pass<std::unique_ptr<FileSystem>>(
        CallKind::open, path, [&]() -> Result<std::unique_ptr<FileSystem>> {
          auto below = inner_->directory(path);
          if (!below) return below;
          return make_faulty_file_system(std::move(*below), faults_);
        });
  }
  const std::string& prefix() const override { return inner_->prefix(); }
  const std::string& root() const override { return inner_->root(); }

 private:
  template <typename T, typename Call>
  Result<T> pass(CallKind kind, const std::string& path, Call call) {
    const std::string whole = inner_->prefix() + path;
    if (auto fault = faults_.enter(kind, whole))
      return planned_error(kind, whole, fault->system_error);
    return call();
  }

  std::unique_ptr<FileSystem> inner_;
  FileFaults& faults_;
};

std::unique_ptr<File> make_faulty_file(std::unique_ptr<File> inner, std::string path,
                                       FileFaults& faults) {
  return std::make_unique<FaultyFile>(std::move(inner), std::move(path), faults);
}

std::unique_ptr<FileSystem> make_faulty_file_system(std::unique_ptr<FileSystem> inner,
                                                    FileFaults& faults) {
  return std::make_unique<FaultyFileSystem>(std::move(inner), faults);
}

}  // namespace worker_runtime::fs_store
