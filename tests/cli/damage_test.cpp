// What the tool says of a store that was damaged by hand.
#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class DamageTest : public CliTest {
 protected:
  [[nodiscard]] std::filesystem::path transcript() const {
    return root() / "runtimes/main/workers/a/transcript.jsonl";
  }
};

TEST_F(DamageTest, ShowTellsThatATranscriptIsShorterThanWhatWasAcknowledged) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "first"}).exit_code, 0);
  EXPECT_FALSE(contains(done({"show", "a"}), "damage"));
  std::filesystem::resize_file(transcript(), std::filesystem::file_size(transcript()) - 3);

  EXPECT_TRUE(has(done({"show", "a"}), "damage       the file has"));
  EXPECT_TRUE(has(done({"list"}), "running, damaged"));
  EXPECT_TRUE(has(done({"list", "--status", "damaged"}), "a "));
  EXPECT_TRUE(has(done({"--json", "show", "a"}), R"("damaged":"the file has)"));
}

TEST_F(DamageTest, ADamagedWorkerTakesNoInputAndOthersDo) {
  make_store();
  EXPECT_EQ(cli({"create", "--id", "b", "--task", "count"}).exit_code, 0);
  EXPECT_EQ(cli({"send", "a", "first"}).exit_code, 0);
  std::filesystem::remove(transcript());

  const Finished refused = cli({"--json", "send", "a", "second"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(has(refused.errors, R"("code":"worker_damaged")"));
  EXPECT_TRUE(has(done({"status"}), "1 damaged"));
  EXPECT_EQ(cli({"send", "b", "first"}).exit_code, 0);
  EXPECT_EQ(cli({"stop", "a"}).exit_code, 0);
  EXPECT_EQ(cli({"verify"}).exit_code, 3);
  EXPECT_EQ(cli({"delete", "a"}).exit_code, 0);
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
}

}  // namespace
}  // namespace worker_runtime::cli
