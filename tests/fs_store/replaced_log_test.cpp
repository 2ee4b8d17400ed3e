// Somebody saves a log in an editor, or takes it away, while a writer appends to it: nothing that
// was acknowledged goes with the file that has lost its name.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::is_ok;

struct Replacement {
  std::string name;
  std::function<void(const std::filesystem::path& file)> act;
  bool leaves_something = true;  ///< In quarantine.
};
void PrintTo(const Replacement& replacement, std::ostream* out) { *out << replacement.name; }

class WhileItIsWritten : public testing::StoreFixture {
 protected:
  void write_and_replace(const std::string& file, const Replacement& replacement) {
    open();
    create("w");
    send("w", 4);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    send("w", 1, 5);
    replacement.act(path(file));
    send("w", 1, 6);
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
  }
  void expect_all_is_there(std::uint64_t entries) {
    EXPECT_EQ(all_entries(runtime(), "w").size(), entries);
    const auto events = runtime().read_events();
    ASSERT_TRUE(is_ok(events));
    EXPECT_EQ(events->events.size(), entries + 2);
  }
  [[nodiscard]] bool is_told() {
    const auto diagnostics = runtime().diagnostics();
    return std::any_of(diagnostics->diagnostics.begin(), diagnostics->diagnostics.end(),
                       [](const Diagnostic& known) { return known.code == "log.put_back"; });
  }
};

class ReplacedLog : public WhileItIsWritten, public ::testing::WithParamInterface<Replacement> {};

TEST_P(ReplacedLog, LosesNothing) {
  for (const std::string file : {"workers/w/transcript.jsonl", "events.jsonl"}) {
    SCOPED_TRACE(file);
    write_and_replace(file, GetParam());
    EXPECT_TRUE(is_told());
    expect_all_is_there(6);
    EXPECT_EQ(quarantined().empty(), !GetParam().leaves_something);
    send("w", 1, 7);
    drop();
    open();
    expect_all_is_there(7);
    close();
    std::filesystem::remove(path(file + ".old"));
    std::filesystem::remove_all(path("workers/gone"));
    expect_clean();
    std::filesystem::remove_all(options_.root);
  }
}

std::string content(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void save_edited(const std::filesystem::path& file) {
  std::string text = content(file);
  text.insert(text.find("\"at\""), "  ");
  const std::filesystem::path made = file.string() + ".new";
  std::ofstream(made, std::ios::binary) << text;
  std::filesystem::rename(made, file);
}

const std::vector<Replacement>& replacements() {
  static const std::vector<Replacement> all = {
      {"SavedByRenaming", save_edited},
      {"SavedBehindABackup",
       [](const std::filesystem::path& file) {
         const std::string text = content(file);
         std::filesystem::rename(file, file.string() + ".old");
         std::ofstream(file, std::ios::binary) << text;
       }},
      {"Removed", [](const std::filesystem::path& file) { std::filesystem::remove(file); }, false},
      {"ReplacedByADirectory",
       [](const std::filesystem::path& file) {
         std::filesystem::remove(file);
         std::filesystem::create_directory(file);
       }},
  };
  return all;
}

INSTANTIATE_TEST_SUITE_P(Ways, ReplacedLog, ::testing::ValuesIn(replacements()),
                         [](const auto& way) { return way.param.name; });

/// The directory of the Worker was moved away, with all that is in it.
TEST_F(WhileItIsWritten, OfAWorkerWhoseDirectoryWasTakenAwayIsMadeAgain) {
  open();
  create("w");
  send("w", 4);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  std::filesystem::rename(path("workers/w"), options_.root / "taken");
  send("w", 1, 5);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_TRUE(is_told());
  expect_all_is_there(5);
  close();
  open();
  expect_all_is_there(5);
  close();
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
