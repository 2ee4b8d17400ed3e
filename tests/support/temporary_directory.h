// A directory of a test's own, removed with all it holds when the test is over.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace worker_runtime::testing {

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string form = (parent / "worker-runtime-test-XXXXXX").string();
    if (mkdtemp(form.data()) == nullptr) {
      ADD_FAILURE() << "cannot make a directory like " << form;
    } else {
      path_ = form;
    }
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;  // what can't be removed is the system's to clear away
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  /// Where files live in memory, if there is such a place: for tests of many openings that ask
  /// nothing of the disk.
  static std::filesystem::path quick_place() {
    std::error_code ignored;
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory, ignored) ? memory
                                                          : std::filesystem::temp_directory_path();
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What a file holds; empty if there is none.
inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace worker_runtime::testing
