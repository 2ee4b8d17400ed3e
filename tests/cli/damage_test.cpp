// What the tool says of a store that was damaged by hand.
#include <fstream>
#include <iterator>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

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

TEST_F(DamageTest, AKeyBehindADamagedEntryIsNeverDoneTwice) {
  make_store();
  for (const char* const key : {"k1", "k2", "k3", "k4"})
    EXPECT_EQ(cli({"send", "a", std::string("text of ") + key, "--key", key}).exit_code, 0);
  // The first byte of the second entry's content.
  const std::string before = read_file(transcript());
  std::string after = before;
  after[after.find("text of k2")] ^= 1;
  write_file(transcript(), after);

  const Finished replayed = cli({"--json", "send", "a", "text of k3", "--key", "k3"});
  EXPECT_EQ(replayed.exit_code, 1) << replayed.output;
  EXPECT_TRUE(has(replayed.errors, R"("code":"worker_damaged")"));
  write_file(transcript(), before);
  EXPECT_TRUE(has(done({"send", "a", "text of k3", "--key", "k3"}), "entry 3"));
}

TEST_F(DamageTest, AWorkerWhoseDirectoryIsALinkHoldsUpNoOther) {
  make_store();
  EXPECT_EQ(cli({"create", "--id", "b", "--task", "count"}).exit_code, 0);
  EXPECT_EQ(cli({"send", "a", "first"}).exit_code, 0);
  std::filesystem::remove_all(transcript().parent_path());
  std::filesystem::create_directory_symlink("/nonexistent", transcript().parent_path());

  EXPECT_EQ(cli({"verify"}).exit_code, 3);
  EXPECT_TRUE(has(done({"list"}), "running, damaged"));
  EXPECT_EQ(cli({"send", "a", "second"}).exit_code, 1);
  EXPECT_EQ(cli({"stop", "a"}).exit_code, 0);
  EXPECT_EQ(cli({"send", "b", "first"}).exit_code, 0);
  EXPECT_EQ(cli({"delete", "a"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::is_symlink(transcript().parent_path()));
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
}

TEST_F(DamageTest, ADoubledSegmentHeaderIsDamageAndNoNewerSchema) {
  make_store();
  const auto journal = root() / "runtimes/main/journal";
  for (const auto& entry : std::filesystem::directory_iterator(journal)) {
    if (entry.path().extension() != ".jsonl") continue;
    const std::string header = read_file(entry.path());
    write_file(entry.path(), header + header);
  }
  const Finished verified = cli({"--json", "verify"});
  EXPECT_EQ(verified.exit_code, 3);
  EXPECT_TRUE(has(verified.output, R"("line":2)"));
  EXPECT_TRUE(has(cli({"--json", "list"}).errors, R"("code":"store_corrupt")"));
}

}  // namespace
}  // namespace worker_runtime::cli
