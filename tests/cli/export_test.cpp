// `export` and `import` from the command line.
#include <filesystem>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class ExportTest : public CliTest {
 protected:
  void SetUp() override {
    make_store();
    EXPECT_EQ(cli({"send", "a", "a question"}).exit_code, 0);
    EXPECT_EQ(cli({"append", "a", "a fence: ```", "--tool", "--name", "shell"}).exit_code, 0);
  }
  [[nodiscard]] std::string file_at(const char* name) const {
    return (root().parent_path() / name).string();
  }
  [[nodiscard]] std::string file() const { return file_at("a.jsonl"); }
};

TEST_F(ExportTest, AnExportIsImportedUnderItsIdOrAnother) {
  EXPECT_TRUE(has(done({"export", "a", "-o", file()}), "exported worker a to "));
  EXPECT_TRUE(has(cli({"import", file()}).errors, "worker_exists"));
  EXPECT_TRUE(has(done({"import", file(), "--as", "b"}),
                  "imported worker b with 2 entries, running (event "));
  EXPECT_EQ(done({"transcript", "b"}), done({"transcript", "a"}));
  EXPECT_TRUE(has(done({"show", "b"}), "entry 2 of worker a of runtime "));
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
}

TEST_F(ExportTest, AWorkerThatHadEndedIsImportedAsEnded) {
  EXPECT_EQ(cli({"cancel", "a"}).exit_code, 0);
  const std::string exported = done({"export", "a"});
  const Finished imported = cli({"--json", "import", "-", "--as", "b"}, exported);
  EXPECT_EQ(imported.exit_code, 0);
  EXPECT_TRUE(has(imported.output, R"("status":"cancelled")"));
}

TEST_F(ExportTest, AnExportLargerThanAnyTextIsReadFromStandardInputToo) {
  // Each of these bytes takes six in a file: 72 MiB.
  const std::string text(std::size_t{12} << 20U, '\x01');
  ASSERT_EQ(cli({"append", "a", "-", "--set", "commit_bytes=134217728"}, text).exit_code, 0);
  EXPECT_TRUE(has(done({"import", "-", "--as", "b"}, done({"export", "a"})),
                  "imported worker b with 3 entries"));
}

TEST_F(ExportTest, MarkdownIsForReading) {
  const std::string text = done({"export", "a", "--markdown"});
  EXPECT_TRUE(has(text, "## 1 user, "));
  EXPECT_TRUE(has(text, "## 2 tool (shell), "));
  EXPECT_TRUE(has(text, "````\na fence: ```\n````\n"));
  EXPECT_EQ(cli({"import", "-", "--as", "b"}, text).exit_code, 1);
}

TEST_F(ExportTest, ADamagedFileIsRefusedAndChangesNothing) {
  std::string text = done({"export", "a"});
  text.resize(text.size() - 10);
  const Finished cut = cli({"import", "-", "--as", "b"}, text);
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_TRUE(has(cut.errors, "line 4 of the export: the checksum does not match"));
  EXPECT_TRUE(has(cli({"show", "b"}).errors, "worker_not_found"));
  EXPECT_EQ(cli({"import", file_at("nothing")}).exit_code, 1);
  EXPECT_EQ(cli({"export", "nobody", "-o", file()}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace
}  // namespace worker_runtime::cli
