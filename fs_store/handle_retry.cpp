// Calling once more after handles were given up: see handle_retry.h.
#include "handle_retry.h"

#include <type_traits>
#include <utility>

#include "change_watch.h"

namespace worker_runtime::fs_store {
namespace {

/// Files that are open need no further handle: they are passed on as they are.
class HandleRetry final : public FileSystem {
 public:
  HandleRetry(std::unique_ptr<FileSystem> inner, std::function<bool()> give_up)
      : inner_(std::move(inner)), give_up_(std::move(give_up)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return retry([&] { return inner_->open(path, mode); });
  }
  Result<void> make_directory(const std::string& path) override {
    return retry([&] { return inner_->make_directory(path); });
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return retry([&] { return inner_->rename(from, to); });
  }
  Result<void> remove_file(const std::string& path) override {
    return retry([&] { return inner_->remove_file(path); });
  }
  Result<void> remove_directory(const std::string& path) override {
    return retry([&] { return inner_->remove_directory(path); });
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return retry([&] { return inner_->list(path); });
  }
  Result<std::optional<EntryKind>> kind(const std::string& path) override {
    return retry([&] { return inner_->kind(path); });
  }
  Result<std::optional<FileIdentity>> identity(const std::string& path) override {
    return inner_->identity(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    // A sync that failed is `store_failed` and never repeated; without a handle there was none.
    return retry([&] { return inner_->sync_directory(path); });
  }
  Result<void> sync_all() override { return inner_->sync_all(); }
  Result<Space> space() override { return inner_->space(); }
  Result<std::unique_ptr<FileLock>> try_lock(const std::string& path) override {
    return retry([&] { return inner_->try_lock(path); });
  }
  bool is_locked(const std::string& path) override { return inner_->is_locked(path); }
  bool is_announced(const std::string& path) override { return inner_->is_announced(path); }
  std::unique_ptr<ChangeWatch> watch(const std::string& directory,
                                     const std::string& overwritten) override {
    return inner_->watch(directory, overwritten);
  }
  Result<std::unique_ptr<FileSystem>> directory(const std::string& path) override {
    return retry([&] { return inner_->directory(path); });
  }
  const std::string& prefix() const override { return inner_->prefix(); }
  const std::string& root() const override { return inner_->root(); }

 private:
  template <typename Call>
  std::invoke_result_t<Call&> retry(Call call) {
    auto done = call();
    if (!done && is_out_of_handles(done.error()) && give_up_()) done = call();
    return done;
  }

  const std::unique_ptr<FileSystem> inner_;
  const std::function<bool()> give_up_;
};

}  // namespace

std::unique_ptr<FileSystem> make_handle_retry(std::unique_ptr<FileSystem> inner,
                                              std::function<bool()> give_up) {
  return std::make_unique<HandleRetry>(std::move(inner), std::move(give_up));
}

}  // namespace worker_runtime::fs_store
