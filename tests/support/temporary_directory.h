// A directory of a test's own, removed with all it holds when the test is over.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace worker_runtime::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string form =
        (std::filesystem::temp_directory_path() / "worker-runtime-test-XXXXXX").string();
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

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace worker_runtime::testing
