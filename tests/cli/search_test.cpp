// `search`: what it finds, in which entries, and what it refuses.
#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class SearchTest : public CliTest {
 protected:
  void make_history() const {
    make_store();
    EXPECT_EQ(cli({"create", "--id", "b", "--task", "the same"}).exit_code, 0);
    EXPECT_EQ(cli({"send", "a", "Where is my order?\nIt was number 4711."}).exit_code, 0);
    EXPECT_EQ(cli({"append", "a", "On its \"way\" \\ in a lorry", "--name", "draft"}).exit_code, 0);
    EXPECT_EQ(cli({"append", "b", "done", "--tool", "--data", R"({"order":4711})"}).exit_code, 0);
  }
  /// "worker:sequence" of each entry that is found, in order.
  [[nodiscard]] std::vector<std::string> found(Arguments arguments) const {
    arguments.insert(arguments.begin(), "search");
    std::vector<std::string> places;
    for (const std::string& line : lines(done(arguments)))
      places.push_back(line.substr(0, line.find(' ')));
    std::sort(places.begin(), places.end());
    return places;
  }
  using Places = std::vector<std::string>;
};

TEST_F(SearchTest, FindsTextInContentNameAndData) {
  make_history();
  EXPECT_EQ(found({"order"}), (Places{"a:1", "b:1"}));
  EXPECT_EQ(found({"4711"}), (Places{"a:1", "b:1"}));
  EXPECT_EQ(found({"draft"}), (Places{"a:2"}));
  EXPECT_EQ(found({R"("order":4711)"}), (Places{"b:1"}));
  EXPECT_EQ(found({R"(its "way" \ in)"}), (Places{"a:2"}));
  EXPECT_EQ(found({"order?\nIt"}), (Places{"a:1"}));
}

TEST_F(SearchTest, FindsNothingInWhatIsNoText) {
  make_history();
  for (const char* const text : {"worker_ref", "sequence", "crc", "assistant", "ORDER", "sort the"})
    EXPECT_EQ(found({text}), Places()) << text;
}

TEST_F(SearchTest, TakesExpressionsAndIgnoresCase) {
  make_history();
  EXPECT_EQ(found({"--ignore-case", "ORDER"}), (Places{"a:1", "b:1"}));
  EXPECT_EQ(found({"--ignore-case", "WAY\" \\"}), (Places{"a:2"})) << "it is no expression";
  EXPECT_EQ(found({"--regex", "number [0-9]+"}), (Places{"a:1"}));
  EXPECT_EQ(found({"--regex", "(?i)where.*order"}), (Places{"a:1"}));
  const Finished none = cli({"search", "--regex", "("});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_TRUE(has(none.errors, "the regular expression is none"));
}

TEST_F(SearchTest, KeepsToWhatWasAskedFor) {
  make_history();
  EXPECT_EQ(found({"order", "--worker", "b"}), (Places{"b:1"}));
  EXPECT_EQ(found({"order", "--role", "user"}), (Places{"a:1"}));
  EXPECT_EQ(found({"order", "--limit", "1"}).size(), 1U);
  EXPECT_EQ(found({"order", "--since", "1h"}), (Places{"a:1", "b:1"}));
  EXPECT_EQ(found({"order", "--since", "9000-01-01"}), Places());
  EXPECT_EQ(found({"order", "--since", "2020-01-01T10:00:00Z"}), (Places{"a:1", "b:1"}));
}

TEST_F(SearchTest, WithJsonPrintsTheEntries) {
  make_history();
  EXPECT_EQ(done({"--json", "search", "draft"}),
            done({"--json", "transcript", "a", "--start", "1"}));
}

TEST_F(SearchTest, GoesOnBehindDamageAndTellsIt) {
  make_history();
  EXPECT_EQ(cli({"send", "a", "a third order"}).exit_code, 0);
  const auto file = root() / "runtimes/main/workers/a/transcript.jsonl";
  std::ifstream in(file, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  bytes.replace(bytes.find("lorry"), 5, "LORRY");
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  const Finished searched = cli({"search", "order"});
  EXPECT_EQ(searched.exit_code, 3);
  for (const char* const place : {"a:1", "a:3", "b:1"}) EXPECT_TRUE(has(searched.output, place));
  EXPECT_TRUE(has(searched.errors, "line 2"));
}

TEST_F(SearchTest, RefusesWhatCannotBeMeant) {
  EXPECT_EQ(cli({"search", "x"}).exit_code, 3);  // there is no store
  make_history();
  EXPECT_EQ(cli({"search"}).exit_code, 2);
  EXPECT_EQ(cli({"search", ""}).exit_code, 2);
  EXPECT_EQ(cli({"search", "x", "--role", "nobody"}).exit_code, 2);
  for (const char* const time : {"yesterday", "2026", "12", "-1h", "2026-13-01", "99999999999999d"})
    EXPECT_EQ(cli({"search", "x", "--since", time}).exit_code, 2) << time;
  EXPECT_TRUE(has(cli({"search", "x", "--worker", "nobody"}).errors, "worker_not_found"));
}

}  // namespace
}  // namespace worker_runtime::cli
