// Somebody saves a file in an editor, or takes it away, while a writer writes to it: nothing that
// was acknowledged goes with the file that has lost its name.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

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
  [[nodiscard]] std::string catalog_in_force() const {
    for (const std::string& name : names("")) {
      if (layout::parse_catalog(name)) return name;
    }
    return {};
  }
  void expect_all_is_there(std::uint64_t entries) {
    EXPECT_EQ(all_entries(runtime(), "w").size(), entries);
    const auto events = runtime().read_events();
    ASSERT_TRUE(is_ok(events));
    EXPECT_EQ(events->events.size(), entries + 2);
  }
  void remove_backups() const {
    for (const std::string directory : {"", "journal"}) {
      for (const std::string& name : names(directory)) {
        if (name.ends_with(".old")) std::filesystem::remove(path(directory) / name);
      }
    }
  }
  [[nodiscard]] bool is_told() {
    const auto diagnostics = runtime().diagnostics();
    return std::any_of(diagnostics->diagnostics.begin(), diagnostics->diagnostics.end(),
                       [](const Diagnostic& known) { return known.code == "store.put_back"; });
  }
};

class ReplacedFile : public WhileItIsWritten, public ::testing::WithParamInterface<Replacement> {};

TEST_P(ReplacedFile, ALogLosesNothing) {
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

/// It is back before the next commit is acknowledged, and what follows goes into a segment behind
/// it. No close and no checkpoint come to help.
TEST_P(ReplacedFile, TheJournalLosesNothing) {
  open();
  create("w");
  send("w", 3);
  GetParam().act(path(last_segment()));
  send("w", 1, 4);
  EXPECT_TRUE(is_told());
  EXPECT_EQ(quarantined().empty(), !GetParam().leaves_something);
  send("w", 1, 5);
  drop();
  open();
  expect_all_is_there(5);
  close();
  remove_backups();
  expect_clean();
}

TEST_P(ReplacedFile, TheJournalLosesNothingWhereACheckpointFindsIt) {
  open();
  create("w");
  send("w", 3);
  GetParam().act(path(last_segment()));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  send("w", 1, 4);
  drop();
  open();
  expect_all_is_there(4);
  close();
}

TEST_P(ReplacedFile, TheCatalogLosesNothing) {
  open();
  create("w");
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  send("w", 3);
  const std::string catalog = catalog_in_force();
  GetParam().act(path(catalog));
  create("x");
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_TRUE(is_told());
  EXPECT_EQ(quarantined().empty(), !GetParam().leaves_something);
  drop();
  open();
  EXPECT_EQ(all_entries(runtime(), "w").size(), 3U);
  EXPECT_TRUE(is_ok(runtime().worker_detail(ref("x"))));
  close();
  remove_backups();
  expect_clean();
}

void save_edited(const std::filesystem::path& file) {
  std::string text = testing::content_of(file);
  text.insert(text.find(",\"") + 1, "  ");
  const std::filesystem::path made = file.string() + ".new";
  std::ofstream(made, std::ios::binary) << text;
  std::filesystem::rename(made, file);
}

const std::vector<Replacement>& replacements() {
  static const std::vector<Replacement> all = {
      {"SavedByRenaming", save_edited},
      {"SavedBehindABackup",
       [](const std::filesystem::path& file) {
         const std::string text = testing::content_of(file);
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

INSTANTIATE_TEST_SUITE_P(Ways, ReplacedFile, ::testing::ValuesIn(replacements()),
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
