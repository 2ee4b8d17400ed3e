// Processes that may open only a few files.
#include <gtest/gtest.h>

#include <string>

#include "support/cli_fixture.h"

namespace worker_runtime::testing {
namespace {

using cli::Arguments;
using cli::has;

class FewHandlesTest : public cli::CliTest {
 protected:
  [[nodiscard]] Arguments limited(int handles, const Arguments& arguments) const {
    Arguments all{"/usr/bin/env", "prlimit", "--nofile=" + std::to_string(handles)};
    const Arguments tool = line(arguments);
    all.insert(all.end(), tool.begin(), tool.end());
    return all;
  }
};

TEST_F(FewHandlesTest, TwentyDoForAsManyWorkersAsOneLikes) {
  constexpr int workers = 100;
  std::string requests;
  for (int at = 0; at < workers; ++at) {
    const std::string worker = R"("worker_id":"w)" + std::to_string(at) + "\"";
    requests += R"({"op":"create_worker","intent":{"kind":"assistant"},)" + worker + "}\n";
    requests += R"({"op":"send_input","kind":"user","content":"x",)" + worker + "}\n";
    if (at % 10 == 0) requests += "{\"op\":\"checkpoint\"}\n";
    requests += R"({"op":"read_transcript",)" + worker + "}\n";
  }
  const Finished finished = run(limited(20, {"pipe"}), requests);
  EXPECT_EQ(finished.exit_code, 0) << finished.errors;
  EXPECT_EQ(lines(finished.output).size(), std::size_t{3} * workers + 10);
  for (const std::string& answer : lines(finished.output)) EXPECT_TRUE(has(answer, R"("ok":)"));
  // A closed store: the next open finds nothing to replay.
  EXPECT_FALSE(has(done({"status", "--json"}), "replayed"));
  EXPECT_EQ(lines(done({"list", "--json"})).size(), std::size_t{workers});
  done({"verify"});
}

TEST_F(FewHandlesTest, TooFewAreATypedErrorAndChangeNothing) {
  make_store();
  int inputs = 0;
  int refused = 0;
  constexpr int not_loaded = 127;  // the loader found too few
  for (int handles = 4; handles < 24; ++handles) {
    const Finished finished = run(limited(handles, {"send", "a", "x", "--json"}));
    if (finished.exit_code == not_loaded) continue;
    if (finished.exit_code == 0) {
      ++inputs;
      continue;
    }
    ++refused;
    EXPECT_EQ(finished.exit_code, 3) << handles << ": " << finished.errors;
    EXPECT_TRUE(has(finished.errors, R"({"error":{"code":"store_io")"));
    EXPECT_TRUE(has(finished.errors, "Too many open files"));
    // A close that found too few says so after an input that went through.
    if (!finished.output.empty()) ++inputs;
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(inputs, 0);
  EXPECT_EQ(lines(done({"transcript", "a", "--json"})).size(), static_cast<std::size_t>(inputs));
  done({"verify"});
}

}  // namespace
}  // namespace worker_runtime::testing
