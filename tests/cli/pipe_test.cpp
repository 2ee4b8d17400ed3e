// pipe: order, reads among mutations, waits, batches, lines that are no requests, ends.
#include <csignal>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class PipeTest : public CliTest {
 protected:
  static std::string create(const std::string& id) {
    return R"({"id":"c","op":"create_worker","worker_id":")" + id +
           R"(","intent":{"kind":"assistant"}})"
           "\n";
  }
  static std::string send(const std::string& id, const std::string& content) {
    return R"({"id":)" + id + R"(,"op":"send_input","worker_id":"a","kind":"user","content":")" +
           content + "\"}\n";
  }
};

TEST_F(PipeTest, AnswersComeInTheOrderOfTheRequests) {
  std::string requests = create("a");
  for (int at = 1; at <= 3000; ++at) {
    requests += send(std::to_string(at), "x");
    if (at % 100 == 0)
      requests += R"({"id":"r","op":"read_transcript","worker_id":"a","limit":1})"
                  "\n";
  }
  int expected = 1;
  for (const std::string& line : pipe(requests)) {
    if (line.starts_with("{\"id\":\"c\"")) continue;
    if (line.starts_with("{\"id\":\"r\"")) {
      // A read sees all before it and none behind it.
      EXPECT_TRUE(has(line, "\"total\":" + std::to_string(expected - 1)));
      continue;
    }
    ASSERT_TRUE(line.starts_with("{\"id\":" + std::to_string(expected) + ",\"ok\":")) << line;
    ASSERT_TRUE(has(line, "\"sequence\":" + std::to_string(expected))) << line;
    ++expected;
  }
  EXPECT_EQ(expected, 3001);
}

TEST_F(PipeTest, EveryOperationAnswers) {
  const std::vector<std::string> answers = pipe(
      create("a") + send("1", "hi") +
      R"({"id":2,"op":"append_output","worker_id":"a","role":"tool","content":"x","data":{"k":1},"usage":{"t":3}})"
      "\n"
      R"({"id":3,"op":"list_workers"})"
      "\n"
      R"({"id":4,"op":"worker_detail","worker_ref":{"runtime_id":"main","worker_id":"a"}})"
      "\n"
      R"({"id":5,"op":"summary"})"
      "\n"
      R"({"id":6,"op":"version"})"
      "\n"
      R"({"id":7,"op":"diagnostics","limit":1})"
      "\n"
      R"({"id":8,"op":"read_events","from":3,"limit":1})"
      "\n"
      R"({"id":9,"op":"stop_worker","worker_id":"a","reason":"done"})"
      "\n"
      R"({"id":10,"op":"cancel_worker","worker_id":"a"})"
      "\n"
      R"({"id":11,"op":"delete_worker","worker_id":"a"})"
      "\n"
      R"({"id":12,"op":"stop_runtime"})"
      "\n"
      R"({"id":13,"op":"start_runtime"})"
      "\n"
      R"({"id":14,"op":"checkpoint"})"
      "\n");
  const std::vector<std::string> parts{
      R"("ok":{"worker":{"worker_ref":{"runtime_id":"main","worker_id":"a"})",
      R"("sequence":1,"event_id":3})",
      R"("sequence":2,"event_id":4})",
      R"("ok":{"workers":[{)",
      R"("usage":{"inputs":1,"outputs":1,"content_bytes":3,"counters":{"t":3}})",
      R"("ok":{"summary":{"runtime_id":"main","backend":"fs_store")",
      R"("format":1})",
      R"("total":2})",
      R"("next":4,"has_more":true,"epoch":1})",
      R"("status":"stopped","event_id":5})",
      R"("status":"stopped","event_id":5})",
      R"("event_id":6})",
      R"("ok":{"event_id":7})",
      R"("ok":{"event_id":8})",
      R"("ok":{"lsn":)"};
  ASSERT_EQ(answers.size(), parts.size());
  for (std::size_t at = 0; at < parts.size(); ++at) EXPECT_TRUE(has(answers[at], parts[at]));
}

TEST_F(PipeTest, LinesThatAreNoRequestsGetAnErrorAndTheNextIsRead) {
  const std::vector<std::string> answers = pipe(
      "not json\n"
      "\n"
      " \t \r\n"
      "{\"id\":7,\"op\":\"no_such_op\"}\n"
      "{\"id\":{\"a\":[1]},\"op\":\"version\",\"extra\":1}\n"
      "{\"id\":8,\"id\":9,\"op\":\"version\"}\n"
      "{\"id\":\"\xff\",\"op\":\"version\"}\n"
      "[1]\n"
      "{\"id\":10,\"op\":\"send_input\",\"worker_id\":\"a\",\"kind\":\"user\",\"content\":"
      "\"\\ud800\"}\n"
      "{\"id\":11,\"op\":\"version\"} trailing\n"
      "{\"id\":12,\"op\":\"version\"}");
  ASSERT_EQ(answers.size(), 9U);
  for (std::size_t at = 0; at + 1 < answers.size(); ++at)
    EXPECT_TRUE(has(answers[at], R"("error":{"code":"invalid_request")"));
  EXPECT_TRUE(answers[0].starts_with("{\"id\":null,"));
  EXPECT_TRUE(answers[1].starts_with("{\"id\":7,"));
  EXPECT_TRUE(answers[2].starts_with("{\"id\":{\"a\":[1]},"));
  EXPECT_TRUE(answers[8].starts_with("{\"id\":12,\"ok\":"));
}

TEST_F(PipeTest, ALineOver64MiBIsReadPast) {
  std::string requests = R"({"id":1,"op":"version","x":")";
  requests.append((std::size_t{64} << 20U) + 100, 'x')
      .append("\"}\n{\"id\":2,\"op\":\"version\"}\n");
  const std::vector<std::string> answers = pipe(requests);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_TRUE(answers[0].starts_with(R"({"id":null,"error":{"code":"invalid_request")"));
  EXPECT_TRUE(answers[1].starts_with("{\"id\":2,\"ok\":"));
}

TEST_F(PipeTest, RefusalsAreAnswers) {
  const std::vector<std::string> answers =
      pipe(create("a") + create("a") +
           R"({"id":1,"op":"worker_detail","worker_ref":{"runtime_id":"other","worker_id":"a"}})"
           "\n"
           R"({"id":2,"op":"stop_worker","worker_id":"nobody"})"
           "\n"
           R"({"id":3,"op":"read_events","limit":0})"
           "\n"
           R"({"id":4,"op":"read_events","limit":257})"
           "\n"
           R"({"id":5,"op":"send_input","worker_id":"a/\u0001","kind":"user","content":"x"})"
           "\n" +
           send("6", std::string(2U << 20U, 'x')));
  const std::vector<std::string> codes{"worker_exists",   "wrong_runtime",  "worker_not_found",
                                       "invalid_request", "limit_exceeded", "invalid_request",
                                       "limit_exceeded"};
  ASSERT_EQ(answers.size(), codes.size() + 1);
  for (std::size_t at = 0; at < codes.size(); ++at)
    EXPECT_TRUE(has(answers[at + 1], R"("error":{"code":")" + codes[at] + "\""));
}

TEST_F(PipeTest, ABatchIsAllOrNone) {
  const std::vector<std::string> answers = pipe(
      R"({"id":1,"op":"batch","ops":[{"op":"create_worker","worker_id":"a","intent":{"kind":"assistant"}},)"
      R"({"op":"send_input","worker_id":"a","kind":"user","content":"in"}]})"
      "\n"
      R"({"id":2,"op":"batch","ops":[{"op":"send_input","worker_id":"a","kind":"user","content":"x"},)"
      R"({"op":"stop_worker","worker_id":"nobody"}]})"
      "\n"
      R"({"id":3,"op":"batch","ops":[]})"
      "\n"
      R"({"id":4,"op":"worker_detail","worker_id":"a"})"
      "\n");
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_TRUE(has(answers[0], R"({"id":1,"ok":{"results":[{"worker":{)"));
  EXPECT_TRUE(has(answers[0], R"("sequence":1,"event_id":3}]}})"));
  EXPECT_TRUE(has(answers[1], R"("code":"worker_not_found")"));
  EXPECT_TRUE(has(answers[1], R"("index":1)"));
  EXPECT_EQ(answers[2], R"({"id":3,"ok":{"results":[]}})");
  EXPECT_TRUE(has(answers[3], R"("transcript_len":1)"));
}

TEST_F(PipeTest, AWaitHoldsUpTheAnswersBehindItAndNotTheirExecution) {
  Subprocess pipe(line({"pipe"}));
  pipe.write(create("a"));
  EXPECT_TRUE(has(pipe.read_line(), "\"ok\""));
  pipe.write(R"({"id":"w","op":"wait_events","from":3,"timeout_ms":60000})"
             "\n" +
             send("1", "wakes it"));
  EXPECT_TRUE(has(pipe.read_line(), R"({"id":"w","ok":{"events":[{"id":3,)"));
  EXPECT_TRUE(has(pipe.read_line(), R"({"id":1,"ok":)"));
  EXPECT_EQ(pipe.finish().exit_code, 0);
}

TEST_F(PipeTest, AWaitEndsAtItsTimeoutAndAtTheEndOfInput) {
  const std::vector<std::string> answers =
      pipe(R"({"id":1,"op":"wait_events","from":2,"timeout_ms":20})"
           "\n"
           R"({"id":2,"op":"wait_events","from":2,"timeout_ms":100000000})"
           "\n"
           R"({"id":3,"op":"wait_events","from":3,"timeout_ms":100000000})"
           "\n"
           R"({"id":4,"op":"wait_events","from":1,"timeout_ms":0})"
           "\n");
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0], R"({"id":1,"ok":{"events":[],"next":2,"has_more":false,"epoch":1}})");
  EXPECT_EQ(answers[1], R"({"id":2,"ok":{"events":[],"next":2,"has_more":false,"epoch":1}})");
  EXPECT_TRUE(has(answers[2], R"("code":"cursor_ahead")"));
  EXPECT_TRUE(has(answers[3], R"("kind":"runtime_started")"));
}

TEST_F(PipeTest, ManyWaitsAreInFlightAtOnce) {
  std::string requests;
  for (int at = 0; at < 300; ++at)
    requests += R"({"id":0,"op":"wait_events","from":2,"timeout_ms":100000000})"
                "\n";
  EXPECT_EQ(pipe(requests + create("a")).size(), 301U);
}

TEST_F(PipeTest, AnAnswerIsWrittenWithoutWaitingForMoreInput) {
  Subprocess pipe(line({"pipe"}));
  for (int at = 0; at < 3; ++at) {
    pipe.write("{\"id\":" + std::to_string(at) + ",\"op\":\"version\"}\n");
    EXPECT_TRUE(has(pipe.read_line(), "{\"id\":" + std::to_string(at)));
  }
  EXPECT_EQ(pipe.finish().exit_code, 0);
}

TEST_F(PipeTest, AnOutputThatIsClosedEndsItQuietly) {
  Subprocess pipe(line({"pipe"}));
  pipe.write(create("a"));
  EXPECT_TRUE(has(pipe.read_line(), "\"ok\""));
  pipe.close_output();
  // Input stays open: the loss alone ends it, and the store is closed.
  const auto start = std::chrono::steady_clock::now();
  Finished again{-1, "", ""};
  while (again.exit_code != 0 &&
         std::chrono::steady_clock::now() - start < std::chrono::seconds(60))
    again = cli({"stop", "a", "--wait", "1"});
  EXPECT_EQ(again.exit_code, 0);
  const Finished finished = pipe.finish();
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.errors, "");
}

TEST_F(PipeTest, ASignalEndsItAsTheEndOfInputDoes) {
  Subprocess pipe(line({"pipe"}));
  pipe.write(create("a") + R"({"id":"w","op":"wait_events","from":3,"timeout_ms":100000})"
                           "\n");
  EXPECT_TRUE(has(pipe.read_line(), "\"ok\""));
  pipe.send_signal(SIGTERM);
  EXPECT_TRUE(has(pipe.read_line(), R"({"id":"w","ok":{"events":[])"));
  EXPECT_EQ(pipe.finish().exit_code, 0);
  EXPECT_TRUE(has(done({"status"}), "durable LSN 2, checkpoint LSN 2"));
}

TEST_F(PipeTest, WhatWasAnsweredIsThereAfterAKill) {
  Subprocess pipe(line({"pipe"}));
  pipe.write(create("a") + send("1", "kept"));
  EXPECT_TRUE(has(pipe.read_line(), "\"ok\""));
  EXPECT_TRUE(has(pipe.read_line(), "\"ok\""));
  pipe.send_signal(SIGKILL);
  EXPECT_EQ(pipe.finish().exit_code, -SIGKILL);
  EXPECT_TRUE(has(done({"transcript", "a", "--json"}), "\"kept\""));
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
}

TEST_F(PipeTest, AStoreThatCannotBeOpenedIsAnErrorAndNoAnswer) {
  std::ofstream(root()) << "a file";
  const Finished finished = cli({"--json", "pipe"}, "{\"id\":1,\"op\":\"version\"}\n");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_EQ(finished.output, "");
  EXPECT_TRUE(has(finished.errors, R"({"error":{"code":"store_)"));
}

TEST_F(PipeTest, MemoryNeedsNoStore) {
  const std::string output =
      done({"pipe", "--memory", "--runtime", "m"}, "{\"id\":1,\"op\":\"summary\"}\n" + create("a"));
  EXPECT_TRUE(has(output, R"({"runtime_id":"m","backend":"memory")"));
  EXPECT_FALSE(contains(output, "\"store\""));
  EXPECT_TRUE(has(output, R"("worker_ref":{"runtime_id":"m","worker_id":"a"})"));
  EXPECT_TRUE(has(done({"pipe", "--memory"}, "{\"op\":\"summary\"}\n"), R"("runtime_id":"main")"));
  EXPECT_FALSE(std::filesystem::exists(root()));
}

TEST_F(PipeTest, NoInputIsNoAnswerAndMakesTheRuntime) {
  EXPECT_EQ(done({"pipe"}), "");
  EXPECT_EQ(cli({"status"}).exit_code, 0);
}

TEST_F(PipeTest, TheLogIsOnStandardErrorFromTheLevelOn) {
  const Finished info = cli({"pipe", "--log", "info"}, create("a"));
  EXPECT_EQ(info.exit_code, 0);
  const std::vector<std::string> told = lines(info.errors);
  ASSERT_GT(told.size(), 2U) << info.errors;
  EXPECT_TRUE(has(told.front(), "Z info runtime main is open, in fs_store"));
  EXPECT_TRUE(has(told.back(), "Z info the runtime is closed"));
  EXPECT_TRUE(
      has(cli({"pipe", "--log", "debug"}, create("b")).errors, "Z debug checkpoint at LSN"));
  EXPECT_EQ(cli({"pipe", "--log", "error"}, create("c")).errors, "");
  EXPECT_EQ(cli({"pipe", "--log", "loud"}).exit_code, 2);
}

}  // namespace
}  // namespace worker_runtime::cli
