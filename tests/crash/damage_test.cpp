// Files and lines of a closed store that are gone, cut, doubled, exchanged or put elsewhere: verify
// finds each, and opening such a store answers.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "damaged_store.h"

namespace worker_runtime::testing {
namespace {

using DamageTest = DamagedStoreTest;

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

bool is_log(const std::string& path) {
  return path.ends_with("events.jsonl") || path.ends_with("transcript.jsonl");
}

TEST_F(DamageTest, AFileThatIsGoneIsFound) {
  for (const std::string& path : files()) {
    SCOPED_TRACE(path);
    const std::string whole = content(path);
    std::filesystem::remove(root() / path);
    const auto report = verify();
    EXPECT_FALSE(report.clean());
    // A segment's name is not known without it.
    EXPECT_TRUE(path.find("journal/") != std::string::npos || names(report, path));
    open_a_copy();
    set_content(path, whole);
  }
  EXPECT_TRUE(verify().findings.empty());
}

TEST_F(DamageTest, AFileThatIsCutAnywhereIsFound) {
  for (const std::string& path : files()) {
    SCOPED_TRACE(path);
    const std::string whole = content(path);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      set_content(path, std::string_view(whole).substr(0, length));
      const auto report = verify();
      ASSERT_FALSE(report.clean()) << length;
      ASSERT_TRUE(names(report, path)) << length;
      // Opening takes longer: at the ends of lines, and here and there in them.
      if (length % 97 == 0 || whole[length] == '\n' || (length > 0 && whole[length - 1] == '\n'))
        open_a_copy();
    }
    set_content(path, whole);
  }
  EXPECT_TRUE(verify().findings.empty());
}

TEST_F(DamageTest, ALineThatIsLostOrDoubledIsFound) {
  for (const std::string& path : files()) {
    const std::string whole = content(path);
    const std::vector<std::string> all = lines(whole);
    for (std::size_t at = 0; at < all.size(); ++at) {
      SCOPED_TRACE(path + ", line " + std::to_string(at + 1));
      const auto place = static_cast<std::ptrdiff_t>(at);
      std::vector<std::string> doubled = all;
      doubled.insert(doubled.begin() + place, all[at]);
      set_content(path, text_of(doubled));
      // What lies behind the catalog's watermark is of a checkpoint that was not finished.
      if (at + 1 < all.size() || path.find("catalog.") == std::string::npos) {
        EXPECT_TRUE(names(verify(), path)) << "doubled";
      }
      open_a_copy();
      std::vector<std::string> lost = all;
      lost.erase(lost.begin() + place);
      set_content(path, text_of(lost));
      EXPECT_TRUE(names(verify(), path)) << "lost";
      open_a_copy();
    }
    set_content(path, whole);
  }
}

TEST_F(DamageTest, LinesThatAreExchangedAreFound) {
  for (const std::string& path : files()) {
    const std::string whole = content(path);
    std::vector<std::string> all = lines(whole);
    for (std::size_t at = 0; at + 1 < all.size(); ++at) {
      SCOPED_TRACE(path + ", line " + std::to_string(at + 1));
      std::swap(all[at], all[at + 1]);
      set_content(path, text_of(all));
      // The catalog is no log: of each Worker's lines the last wins, whatever stands between.
      if (is_log(path) || at == 0) {
        EXPECT_TRUE(names(verify(), path));
      }
      open_a_copy();
      std::swap(all[at], all[at + 1]);
    }
    set_content(path, whole);
  }
}

TEST_F(DamageTest, ALineOfAnotherFileIsFound) {
  const std::vector<std::string> paths = files();
  for (const std::string& path : paths) {
    const std::string whole = content(path);
    const std::vector<std::string> all = lines(whole);
    for (const std::string& other : paths) {
      if (other == path) continue;
      const std::vector<std::string> foreign = lines(content(other));
      for (std::size_t at = 0; at < all.size(); ++at) {
        SCOPED_TRACE(path + ", line " + std::to_string(at + 1) + " from " + other);
        std::vector<std::string> changed = all;
        changed[at] = foreign[std::min(at, foreign.size() - 1)];
        // The catalog and worker.json have the same lines.
        if (text_of(changed) == whole) continue;
        set_content(path, text_of(changed));
        EXPECT_TRUE(names(verify(), path));
      }
    }
    open_a_copy();
    set_content(path, whole);
  }
}

TEST_F(DamageTest, AFileOfAnotherWorkerIsFound) {
  for (const char* const name : {"transcript.jsonl", "worker.json"}) {
    const std::string path = std::string("runtimes/main/workers/a/") + name;
    const std::string whole = content(path);
    set_content(path, content(std::string("runtimes/main/workers/b/") + name));
    EXPECT_TRUE(names(verify(), path));
    open_a_copy();
    set_content(path, whole);
  }
}

}  // namespace
}  // namespace worker_runtime::testing
