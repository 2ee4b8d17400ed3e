// `report`: the page has everything inside, and nothing half.
#include <fstream>
#include <iterator>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class ReportTest : public CliTest {
 protected:
  [[nodiscard]] std::filesystem::path page() const { return directory_.path() / "page.html"; }
  [[nodiscard]] std::string text() const {
    std::ifstream file(page(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// What `expression` prints of the page's `data`, its `policy`, `script` and `style`.
  [[nodiscard]] std::string ask(const std::string& expression) const {
    const std::string program = R"py(
import base64, gzip, hashlib, json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
data = json.loads(gzip.decompress(base64.b64decode(
    re.search(r'id="report-data">([^<]*)</script>', page)[1], validate=True)))
policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
script = re.findall(r"<script>(.*?)</script>", page, re.S)
style = re.findall(r"<style>(.*?)</style>", page, re.S)
def allowed(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" in policy
print()py" + expression + ")\n";
    const Finished finished =
        testing::run({"/usr/bin/env", "python3", "-c", program, page().string()}, {});
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    return finished.output;
  }
};

TEST_F(ReportTest, HoldsWhatTheStoreHolds) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "one"}).exit_code, 0);
  EXPECT_EQ(cli({"append", "a", "two", "--tool", "--data", R"({"n":1})"}).exit_code, 0);
  const std::string said = done({"report", "-o", page().string()});
  EXPECT_TRUE(has(said, "1 worker, 2 entries, 4 events"));
  EXPECT_EQ(ask(R"([e["content"] for e in data["workers"][0]["transcript"]])"), "['one', 'two']\n");
  EXPECT_EQ(ask(R"((data["workers"][0]["display_name"], len(data["events"]),
                    data["summary"]["event_count"], data["diagnostics"][0]["id"]))"),
            "('Ada', 4, 4, 1)\n");
  EXPECT_EQ(ask(R"("transcript_note" in data["workers"][0] or "events_note" in data)"), "False\n");
}

TEST_F(ReportTest, SaysWhatIsLeftOut) {
  make_store();
  for (const char* const text : {"one", "two", "three"})
    EXPECT_EQ(cli({"send", "a", text}).exit_code, 0);
  done({"trim", "a", "--before", "2"});
  EXPECT_TRUE(
      has(done({"--json", "report", "-o", page().string(), "--entries", "1", "--events", "2"}),
          R"("workers":1,"entries":1,"events":2})"));
  EXPECT_EQ(ask(R"(data["workers"][0]["transcript_note"])"),
            "Entries up to 1 were trimmed. Only the newest 1 entry is in this report. \n");
  EXPECT_EQ(ask(R"(data["events_note"])"), "Only the newest 2 events are in this report. \n");
  EXPECT_EQ(ask(R"([e["id"] for e in data["events"]])"), "[4, 5]\n");
}

TEST_F(ReportTest, GoesOnBehindDamage) {
  make_store();
  for (const char* const text : {"one", "two", "three"})
    EXPECT_EQ(cli({"send", "a", text}).exit_code, 0);
  const auto file = root() / "runtimes/main/workers/a/transcript.jsonl";
  std::ifstream in(file, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  bytes.replace(bytes.find("two"), 3, "owt");
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  done({"report", "-o", page().string()});
  EXPECT_EQ(ask(R"([e["content"] for e in data["workers"][0]["transcript"]])"),
            "['one', 'three']\n");
  EXPECT_TRUE(has(ask(R"(data["workers"][0]["transcript_note"])"), "line 2"));
}

TEST_F(ReportTest, NothingOfItCanBecomeMarkup) {
  EXPECT_EQ(cli({"init", "--display-name", "</title><script>x</script>&amp;"}).exit_code, 0);
  make_store();
  EXPECT_EQ(cli({"send", "a", "</script><script>alert(1)</script>"}).exit_code, 0);
  done({"report", "-o", page().string()});
  EXPECT_TRUE(has(text(), "<title>&lt;/title&gt;&lt;script&gt;x&lt;/script&gt;&amp;amp;"));
  EXPECT_FALSE(contains(text(), "alert(1)"));
  EXPECT_EQ(ask("len(script), len(style), allowed(script[0]), allowed(style[0])"),
            "1 1 True True\n");
  EXPECT_TRUE(has(ask("policy"), "default-src 'none'; script-src 'sha256-"));
  EXPECT_FALSE(contains(ask("policy"), "unsafe"));
}

TEST_F(ReportTest, WhatFailsLeavesNothing) {
  EXPECT_EQ(cli({"report", "-o", page().string()}).exit_code, 3);
  EXPECT_FALSE(std::filesystem::exists(page()));
  make_store();
  EXPECT_EQ(cli({"report"}).exit_code, 2);
  const Finished nowhere = cli({"report", "-o", (directory_.path() / "no/page.html").string()});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_TRUE(has(nowhere.errors, "cannot make"));
  EXPECT_TRUE(has(nowhere.errors, "no/page.html: No such file or directory"));
  // The page has 60,000 bytes: a limit stands for a full disk.
  const Finished full =
      testing::run({"/bin/sh", "-c", "ulimit -f 8; exec \"$@\"", "sh", WORKER_RUNTIME_CLI_PATH,
                    "--root", root().string(), "report", "-o", page().string()},
                   {});
  EXPECT_EQ(full.exit_code, 5);
  EXPECT_TRUE(has(full.errors, "File too large"));
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
    EXPECT_FALSE(contains(entry.path().string(), "page.html")) << entry.path();
  // A page that is there stays until the new one is whole.
  std::ofstream(page()) << "before";
  EXPECT_EQ(cli({"--runtime", "other", "report", "-o", page().string()}).exit_code, 3);
  EXPECT_EQ(text(), "before");
}

}  // namespace
}  // namespace worker_runtime::cli
