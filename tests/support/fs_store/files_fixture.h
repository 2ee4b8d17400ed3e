// A directory of a test's own, seen through a file system that counts and can be made to fail.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "file_system.h"
#include "support/domain.h"
#include "support/fs_store/faulty_file_system.h"
#include "support/temporary_directory.h"

namespace worker_runtime::fs_store {

class FilesTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path(std::string_view name = "") const {
    return name.empty() ? directory_.path() : directory_.path() / name;
  }
  /// Writes a file behind the back of the file system; makes the directories above it.
  void put(std::string_view name, std::string_view bytes) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream out(path(name), std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_TRUE(out.flush()) << name;
  }
  [[nodiscard]] std::string content(std::string_view name) const {
    std::ifstream in(path(name), std::ios::binary);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  /// Also of a symbolic link that leads nowhere.
  [[nodiscard]] bool exists(std::string_view name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(path(name)));
  }
  [[nodiscard]] std::vector<std::string> names(const std::string& directory) const {
    const auto entries = file_system_->list(directory);
    EXPECT_TRUE(testing::is_ok(entries));
    std::vector<std::string> names;
    if (!entries) return names;
    for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
    return names;
  }
  [[nodiscard]] FileSystem& files() const { return *file_system_; }
  [[nodiscard]] FileFaults& faults() { return faults_; }

 private:
  testing::TemporaryDirectory directory_;
  FileFaults faults_;
  std::unique_ptr<FileSystem> file_system_ = make_faulty_file_system(
      open_posix_file_system(directory_.path().string(), false, Permissions::owner_only).value(),
      faults_);
};

/// The errno in an error about a file; 0 if there is none.
inline int system_error_of(const Error& error) {
  const auto* const fields = error.get<FileFields>();
  return fields == nullptr ? 0 : fields->system_error;
}

}  // namespace worker_runtime::fs_store
