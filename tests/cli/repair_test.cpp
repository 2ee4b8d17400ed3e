// repair and reseal by hand: what they say next, and how a file is named.
#include <filesystem>
#include <fstream>
#include <string>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class RepairCommandTest : public CliTest {
 protected:
  void SetUp() override {
    make_store();
    ASSERT_EQ(cli({"send", "a", "one"}).exit_code, 0);
    ASSERT_EQ(cli({"send", "a", "two"}).exit_code, 0);
  }
  [[nodiscard]] std::filesystem::path transcript() const {
    return std::filesystem::path(root()) / "runtimes/main/workers/a/transcript.jsonl";
  }
  void end_lines_as_windows_does() const {
    std::string text;
    {
      std::ifstream file(transcript(), std::ios::binary);
      for (std::string line; std::getline(file, line);) text += line + "\r\n";
    }
    std::ofstream(transcript(), std::ios::binary) << text;
  }
};

TEST_F(RepairCommandTest, ALossOfLinesPointsToReseal) {
  end_lines_as_windows_does();
  const Finished plan = cli({"repair"});
  EXPECT_EQ(plan.exit_code, 3);
  EXPECT_TRUE(has(plan.output, "2 lost")) << plan.output;
  EXPECT_TRUE(has(plan.output, "`worker-runtime reseal FILE`"));
}

TEST_F(RepairCommandTest, ResealKeepsWhatAnEditorHasSaved) {
  end_lines_as_windows_does();
  // As the shell completes it.
  const Finished sealed = cli({"reseal", "--apply", transcript().string()});
  EXPECT_EQ(sealed.exit_code, 0) << sealed.output << sealed.errors;
  EXPECT_TRUE(has(sealed.output, "0 lost"));
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
  EXPECT_TRUE(has(cli({"transcript", "a"}).output, "two"));
}

TEST_F(RepairCommandTest, SaysWhatIsKeptOnlyWhereSomethingWasReplaced) {
  std::filesystem::remove_all(transcript().parent_path());
  const Finished repaired = cli({"repair", "--apply"});
  EXPECT_EQ(repaired.exit_code, 0);
  EXPECT_TRUE(has(repaired.output, "2 lost\n")) << repaired.output;
}

}  // namespace
}  // namespace worker_runtime::cli
