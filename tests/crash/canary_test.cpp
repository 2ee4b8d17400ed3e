// The checks of kill_test.cpp can fail: each is shown a store that lost, doubled or changed what
// was acknowledged, and must say so.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "checked_line.h"
#include "ledger.h"
#include "support/subprocess.h"
#include "support/temporary_directory.h"
#include "verified.h"

namespace worker_runtime::testing {
namespace {

namespace fs = std::filesystem;

class CanaryTest : public ::testing::Test {
 protected:
  enum class End : std::uint8_t { killed, closed };

  void SetUp() override {
    work({R"({"id":1,"op":"create_worker","worker_id":"a","intent":{"kind":"assistant"}})"},
         End::killed);
    work({input("first"), input("second"), input("third")}, End::killed);
  }

  [[nodiscard]] fs::path root() const { return directory_.path() / "store"; }
  [[nodiscard]] fs::path runtime() const { return root() / "runtimes/main"; }

  static std::string input(const std::string& content) {
    return R"({"id":1,"op":"send_input","worker_id":"a","kind":"user","content":")" + content +
           "\"}";
  }
  static constexpr const char* trim =
      R"({"id":1,"op":"trim_transcript","worker_id":"a","before":2})";
  /// Behind the ledger's back.
  void execute_unseen(const std::string& request) const {
    Subprocess pipe = open();
    pipe.write(request + "\n");
    EXPECT_NE(pipe.read_line(), "");
    EXPECT_EQ(pipe.finish().exit_code, 0);
  }
  [[nodiscard]] Subprocess open() const {
    return Subprocess({WORKER_RUNTIME_CLI_PATH, "--root", root(), "pipe"});
  }
  /// Requests that are all answered, and known to the ledger.
  void work(const std::vector<std::string>& requests, End end) {
    Subprocess pipe = open();
    ASSERT_EQ(ledger_.settle(pipe), "");
    for (const std::string& request : requests) {
      ledger_.sent(request);
      pipe.write(request + "\n");
      ASSERT_EQ(ledger_.answered(pipe.read_line()), "");
    }
    if (end == End::killed) pipe.send_signal(SIGKILL);
    pipe.finish();
  }
  std::string settle() {
    Subprocess pipe = open();
    return ledger_.settle(pipe);
  }

  static std::string content_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void set_content(const fs::path& file, std::string_view bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }

  Ledger ledger_;
  TemporaryDirectory directory_;
};

TEST_F(CanaryTest, AnUnharmedStorePasses) {
  EXPECT_EQ(settle(), "");
  EXPECT_EQ(problems_found_by_verify(root()), "");
}

TEST_F(CanaryTest, AnOlderCopyOfTheFilesIsSeen) {
  const fs::path copy = directory_.path() / "copy";
  fs::copy(root(), copy, fs::copy_options::recursive);
  work({input("fourth")}, End::killed);
  fs::remove_all(root());
  fs::rename(copy, root());
  // The store itself is whole: only who remembers what was acknowledged can tell.
  EXPECT_EQ(problems_found_by_verify(root()), "");
  EXPECT_NE(settle(), "");
}

TEST_F(CanaryTest, AnAcknowledgedTrimThatIsUndoneIsSeen) {
  const fs::path copy = directory_.path() / "copy";
  fs::copy(root(), copy, fs::copy_options::recursive);
  work({trim}, End::killed);
  fs::remove_all(root());
  fs::rename(copy, root());
  EXPECT_NE(settle(), "");
}

TEST_F(CanaryTest, ATrimWithoutAnAnswerMayBeDoneOrNot) {
  ledger_.sent(trim);
  EXPECT_EQ(settle(), "");
  ledger_.sent(trim);
  execute_unseen(trim);
  EXPECT_EQ(settle(), "");
}

TEST_F(CanaryTest, ATrimThatCameBeforeWhatWasSentEarlierIsSeen) {
  ledger_.sent(input("fourth"));
  ledger_.sent(trim);
  execute_unseen(trim);
  EXPECT_NE(settle(), "");
}

TEST_F(CanaryTest, ATrimThatNobodyAskedForIsSeen) {
  execute_unseen(trim);
  EXPECT_NE(settle(), "");
}

TEST_F(CanaryTest, AnAcknowledgedCommitTakenOutOfTheJournalIsSeen) {
  fs::path newest;
  for (const fs::directory_entry& entry : fs::directory_iterator(runtime() / "journal"))
    if (entry.path().extension() == ".jsonl") newest = std::max(newest, entry.path());
  std::string journal = content_of(newest);
  const std::size_t end = journal.find_last_not_of('\n');
  const std::size_t start = journal.rfind('\n', end) + 1;
  ASSERT_NE(journal.find("third", start), std::string::npos);
  journal.replace(start, end - start + 1, end - start + 1, '\n');
  set_content(newest, journal);
  EXPECT_NE(problems_found_by_verify(root()), "");
  EXPECT_NE(settle(), "");
}

TEST_F(CanaryTest, AnEntryThatIsThereTwiceIsSeen) {
  execute_unseen(input("third"));
  EXPECT_NE(settle(), "");
}

TEST_F(CanaryTest, ContentThatIsNotWhatWasSentIsSeen) {
  work({}, End::closed);
  const fs::path file = runtime() / "workers/a/transcript.jsonl";
  std::istringstream lines(content_of(file));
  std::string changed;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find("second");
    if (at != std::string::npos) line.replace(at, 6, "SECOND");
    // With the right checksum: nothing about the line is wrong but what it says.
    fs_store::append_checked_line(changed, "{" + line.substr(fs_store::line_head_bytes));
  }
  set_content(file, changed);
  EXPECT_NE(settle(), "");
}

TEST_F(CanaryTest, ARequestThatWasNeverSentIsNotTakenForOneThatSurvived) {
  ledger_.sent(input("sent, but never executed"));
  EXPECT_EQ(settle(), "");
  EXPECT_EQ(ledger_.survived(), 0U);
  // From here on it counts as never sent.
  execute_unseen(input("sent, but never executed"));
  EXPECT_NE(settle(), "");
}

}  // namespace
}  // namespace worker_runtime::testing
