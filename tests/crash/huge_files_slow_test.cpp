// Files that are far larger than anything a store writes, in the place of each of its files: the
// tool answers, and needs no more memory than the longest line that there may be. Each command is a
// process of its own; what the largest of them needed is asked of the system.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "damaged_store.h"
#include "support/random.h"
#include "support/subprocess.h"

namespace worker_runtime::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
/// Lines of 160 MiB are read whole, into a buffer that has grown by doubling, and passed on once.
constexpr std::uint64_t memory_max = 600 * mebibyte;

std::uint64_t memory_of_children() {
  rusage usage{};
  EXPECT_EQ(::getrusage(RUSAGE_CHILDREN, &usage), 0);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

class HugeFilesTest : public DamagedStoreTest {
 protected:
  void make_copy() const {
    fs::remove_all(copy());
    make_store(store().files, copy());
  }
  [[nodiscard]] Finished tool(const std::vector<std::string>& command) const {
    std::vector<std::string> arguments = {WORKER_RUNTIME_CLI_PATH, "--root", copy().string()};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return run(arguments);
  }
  /// One file of a kind stands for the others, unless every case is asked for.
  [[nodiscard]] std::vector<std::string> places() const {
    std::vector<std::string> paths = store().line_files();
    if (is_every_case_asked_for()) return paths;
    std::set<std::string> kinds;
    std::erase_if(paths, [&kinds](const std::string& path) {
      const std::string name = fs::path(path).filename();
      return !kinds.insert(name.substr(0, name.find_first_of("0123456789"))).second;
    });
    return paths;
  }
  /// Whatever the answer is: one of the store, and no more memory than allowed.
  void expect_answers(const std::string& path) const {
    std::vector<std::vector<std::string>> commands = {{"verify"}, {"transcript", "a"}};
    if (is_every_case_asked_for()) {
      commands.insert(commands.end(), {{"list"}, {"events"}, {"repair", "--plan"}});
    }
    for (const std::vector<std::string>& command : commands) {
      const Finished finished = tool(command);
      EXPECT_GE(finished.exit_code, 0) << command.front() << " with " << path;
      EXPECT_LE(finished.exit_code, 3) << command.front() << " with " << path;
    }
    EXPECT_LE(memory_of_children(), memory_max) << path;
  }
  void print_memory(const char* what) const {
    std::printf("%s: %llu MiB at most\n", what,
                static_cast<unsigned long long>(memory_of_children() / mebibyte));
  }
};

TEST_F(HugeFilesTest, NulsWithoutEnd) {
  const std::uint64_t size = (is_every_case_asked_for() ? 2048 : 200) * mebibyte;
  for (const std::string& path : places()) {
    make_copy();
    fs::resize_file(copy() / path, size);  // a hole: it takes no space
    expect_answers(path);
  }
  print_memory("NULs");
}

TEST_F(HugeFilesTest, ALineWithoutEnd) {
  for (const std::string& path : places()) {
    make_copy();
    {
      std::ofstream file(copy() / path, std::ios::binary);
      const std::string block(mebibyte, 'x');
      for (std::uint64_t written = 0; written < 70; ++written) file << block;
    }
    expect_answers(path);
    if (!is_every_case_asked_for() && path.find("transcript") == std::string::npos) continue;
    EXPECT_EQ(tool({"repair", "--apply"}).exit_code, 0) << path;
    EXPECT_EQ(tool({"verify"}).exit_code, 0) << path;
  }
  print_memory("a line of 70 MiB");
}

}  // namespace
}  // namespace worker_runtime::testing
