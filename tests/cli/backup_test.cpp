// `backup` and `restore` from the command line.
#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class BackupTest : public CliTest {
 protected:
  void make_history() const {
    make_store();
    EXPECT_EQ(cli({"send", "a", "one"}).exit_code, 0);
  }
  /// The same tool on another root.
  [[nodiscard]] static Finished at(const std::string& root, const Arguments& arguments) {
    Arguments all{WORKER_RUNTIME_CLI_PATH, "--root", root};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return testing::run(all, {});
  }
  [[nodiscard]] std::string copies() const { return (directory_.path() / "copies").string(); }
};

TEST_F(BackupTest, BackupSaysWhatItHolds) {
  make_history();
  const std::string said = done({"backup", copies()});
  EXPECT_TRUE(has(said, "backed up runtime main as of LSN 3: 1 worker, 3 events, 1 entry"));
  EXPECT_TRUE(has(said, "copies/runtimes/main"));
  const std::string again = done({"--json", "backup", copies()});
  EXPECT_TRUE(has(again, R"({"runtime_id":"main","lsn":3,"workers":1,"events":3,"entries":1,)"
                         R"("copied_bytes":0,"path":"runtimes/main"})"));
  EXPECT_EQ(at(copies(), {"verify"}).exit_code, 0);
  EXPECT_EQ(at(copies(), {"--json", "transcript", "a"}).output,
            done({"--json", "transcript", "a"}));
}

TEST_F(BackupTest, RestoreMakesARuntimeAndNeverReplacesOne) {
  make_history();
  done({"backup", copies()});
  const Finished taken = cli({"restore", copies()});
  EXPECT_EQ(taken.exit_code, 1);
  EXPECT_TRUE(has(taken.errors, "there is a runtime main under the root"));
  const std::string there = (directory_.path() / "there").string();
  const Finished restored = at(there, {"restore", copies()});
  EXPECT_EQ(restored.exit_code, 0);
  EXPECT_TRUE(has(restored.output, "restored runtime main as of LSN 3"));
  EXPECT_TRUE(has(restored.output, "--as gives a copy an id of its own"));
  EXPECT_EQ(at(there, {"send", "a", "two"}).exit_code, 0);
  EXPECT_TRUE(has(done({"restore", copies(), "--as", "twin"}), "restored runtime twin"));
  EXPECT_TRUE(has(done({"--runtime", "twin", "transcript", "a"}), "one"));
}

TEST_F(BackupTest, RefusesWhatCannotBeMeant) {
  EXPECT_EQ(cli({"backup"}).exit_code, 2);
  EXPECT_EQ(cli({"backup", ""}).exit_code, 2);
  EXPECT_EQ(cli({"backup", copies()}).exit_code, 3);  // there is no store
  EXPECT_EQ(cli({"restore", copies()}).exit_code, 3);
  make_history();
  done({"backup", copies()});
  EXPECT_EQ(cli({"restore", copies(), "--as", " "}).exit_code, 1);
}

}  // namespace
}  // namespace worker_runtime::cli
