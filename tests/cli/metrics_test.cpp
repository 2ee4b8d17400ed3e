// metrics: of a store at rest, and of one that a process has open.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <string>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class MetricsOfCommands : public CliTest {
 protected:
  /// Each sample with its labels; the text is as the format says, or the test fails.
  [[nodiscard]] std::map<std::string, std::string> samples(const std::string& text) const {
    static const std::regex sample(
        R"re(([a-z_]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\})? (\d+(?:\.\d+)?))re");
    static const std::regex head(R"(# (HELP|TYPE) ([a-z_]+) .+)");
    std::map<std::string, std::string> found;
    std::string name;
    for (const std::string& line : lines(text)) {
      std::smatch parts;
      if (std::regex_match(line, parts, head)) {
        name = parts[2];
        continue;
      }
      EXPECT_TRUE(std::regex_match(line, parts, sample)) << line;
      EXPECT_TRUE(parts[1].str().starts_with(name)) << line << " stands below " << name;
      EXPECT_TRUE(found.emplace(parts[1].str() + parts[2].str(), parts[3]).second) << line;
    }
    return found;
  }
};

TEST_F(MetricsOfCommands, AStoreAtRestHasItsOverview) {
  make_history();
  done({"append", "a", "x", "--usage", "a \"b\\=7"});
  auto found = samples(done({"metrics"}));
  EXPECT_EQ(found["worker_runtime_workers{status=\"running\"}"], "1");
  EXPECT_EQ(found["worker_runtime_events_total"], "6");
  EXPECT_EQ(found["worker_runtime_inputs_total"], "3");
  EXPECT_EQ(found["worker_runtime_outputs_total"], "1");
  EXPECT_EQ(found[R"re(worker_runtime_usage_total{counter="a \"b\\"})re"], "7");
  EXPECT_EQ(found["worker_runtime_store_state{state=\"ok\"}"], "1");
  EXPECT_EQ(found["worker_runtime_store_state{state=\"full\"}"], "0");
  EXPECT_EQ(found["worker_runtime_durable_lsn"], found["worker_runtime_checkpoint_lsn"]);
  EXPECT_EQ(found.count("worker_runtime_operations_total"), 0U) << "nobody has it open";
}

TEST_F(MetricsOfCommands, AHostTellsWhatItHasDone) {
  make_store();
  Subprocess host(line({"pipe"}));
  for (const std::string content : {"one", "two", " "}) {
    host.write(R"({"op":"send_input","worker_id":"a","kind":"user","content":")" + content +
               "\"}\n");
    EXPECT_NE(host.read_line(), "");
  }
  auto found = samples(done({"metrics"}));
  EXPECT_EQ(found["worker_runtime_operations_total"], "3");
  EXPECT_EQ(found["worker_runtime_commits_total"], "2");
  EXPECT_EQ(found["worker_runtime_refusals_total{code=\"invalid_request\"}"], "1");
  EXPECT_EQ(found["worker_runtime_refusals_total{code=\"store_full\"}"], "0");
  EXPECT_EQ(found["worker_runtime_latency_seconds_count"], "3");
  EXPECT_EQ(found["worker_runtime_latency_seconds_bucket{le=\"+Inf\"}"], "3");
  EXPECT_EQ(found["worker_runtime_group_operations_sum"], "3");
  EXPECT_EQ(found["worker_runtime_sync_seconds_count"], found["worker_runtime_syncs_total"]);
  EXPECT_EQ(found["worker_runtime_inputs_total"], "2");
  host.write("{\"id\":1,\"op\":\"metrics\"}\n");
  EXPECT_TRUE(host.read_line().starts_with(R"({"id":1,"ok":{"text":"# HELP worker_runtime_info )"));
}

TEST_F(MetricsOfCommands, WithoutAStoreThereIsNothingToTell) {
  EXPECT_EQ(cli({"metrics"}).exit_code, 3);
}

}  // namespace
}  // namespace worker_runtime::cli
