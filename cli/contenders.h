// What `bench` measures: the limit of the disk, and this store as its users have it.
#pragma once

#include <cstddef>
#include <filesystem>

#include "load.h"
#include "worker_runtime/result.h"

namespace worker_runtime::cli {

/// The text of a measured input. With its event it comes to `record_bytes` in the journal, roughly.
inline constexpr std::size_t content_bytes = 300;
inline constexpr std::size_t record_bytes = 500;

/// A directory of the measurement's own; removed with it.
class Scratch {
 public:
  /// In `directory`, which is there.
  static Result<Scratch> make(const std::filesystem::path& directory);
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit Scratch(std::filesystem::path path);
  std::filesystem::path path_;
};

/// A file laid out ahead, one write of the records that wait and one fdatasync, nothing else.
Result<Contender> limit_contender(const std::filesystem::path& directory);

/// send_input to one Worker of a new runtime, durability `sync`, all options as they are by
/// default.
Result<Contender> store_contender(const std::filesystem::path& directory);

}  // namespace worker_runtime::cli
