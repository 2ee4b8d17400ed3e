// verify names whatever stands in the place of a file or directory of the store.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::is_ok;

class VerifyKinds : public testing::StoreFixture {
 protected:
  VerifyKinds() {
    options_.log_part_bytes = 500;
    open();
    create("w");
    send("w", 3);
    EXPECT_TRUE(is_ok(runtime().checkpoint()));
    send("w", 3, 4);
    close();
    expect_clean();
  }
  /// The finding about a path below the runtime's directory that tells of a wrong kind.
  [[nodiscard]] std::string message_about(const std::string& relative) const {
    for (const Finding& finding : findings()) {
      if (finding.code == "wrong_kind" && finding.path == "runtimes/main/" + relative)
        return finding.message;
    }
    return "none";
  }
  /// Every file of the store, relative to the runtime's directory.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(""))) {
      if (entry.is_regular_file())
        found.push_back(std::filesystem::relative(entry.path(), path("")).string());
    }
    return found;
  }
};

TEST_F(VerifyKinds, ALinkOrADirectoryInPlaceOfAnyFileIsNamed) {
  const auto aside = directory_.path() / "aside";
  const auto all = files();
  ASSERT_GE(all.size(), 10U);
  for (const std::string& file : all) {
    SCOPED_TRACE(file);
    std::filesystem::rename(path(file), aside);
    std::filesystem::create_symlink(aside, path(file));
    EXPECT_EQ(message_about(file), "a symbolic link or special file stands where a file belongs");
    std::filesystem::remove(path(file));
    std::filesystem::create_directory(path(file));
    EXPECT_EQ(message_about(file), "a directory stands where a file belongs");
    std::filesystem::remove(path(file));
    std::filesystem::rename(aside, path(file));
  }
  expect_clean();
}

TEST_F(VerifyKinds, ALinkOrAFileInPlaceOfADirectoryIsNamed) {
  const auto aside = directory_.path() / "aside";
  for (const std::string name : {"journal", "workers"}) {
    SCOPED_TRACE(name);
    std::filesystem::rename(path(name), aside);
    std::filesystem::create_directory_symlink(aside, path(name));
    EXPECT_EQ(message_about(name),
              "a symbolic link or special file stands where a directory belongs");
    std::filesystem::remove(path(name));
    write(name, "");
    EXPECT_EQ(message_about(name), "a file stands where a directory belongs");
    std::filesystem::remove(path(name));
    std::filesystem::rename(aside, path(name));
  }
  write("quarantine", "");
  EXPECT_EQ(message_about("quarantine"), "a file stands where a directory belongs");
}

TEST_F(VerifyKinds, AViewThatIsALinkIsReplacedAndTheFileBehindItLeftAlone) {
  const auto aside = directory_.path() / "aside";
  std::filesystem::rename(path("workers/w/worker.json"), aside);
  std::filesystem::create_symlink(aside, path("workers/w/worker.json"));
  const auto size = std::filesystem::file_size(aside);
  options_.extend_interval = std::chrono::milliseconds(1);
  open();
  ASSERT_TRUE(
      eventually([this] { return !std::filesystem::is_symlink(path("workers/w/worker.json")); }));
  close();
  EXPECT_EQ(std::filesystem::file_size(aside), size);
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
