// events and transcript with --follow: what is there, then what comes, to a clean end.
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class Follow : public CliTest {
 protected:
  Follow() { make_store(); }
  void send(std::string_view text) const { done({"send", "a", std::string(text)}); }
};

TEST_F(Follow, EventsShowsWhatIsThereAndThenWhatComesFromOneWriterAfterTheOther) {
  Subprocess follower(line({"events", "--follow", "--json"}));
  EXPECT_TRUE(has(follower.read_line(), R"("kind":"runtime_started")"));
  EXPECT_TRUE(has(follower.read_line(), R"("kind":"worker_created")"));
  send("one");
  EXPECT_TRUE(has(follower.read_line(), R"("id":3)"));
  send("two");
  EXPECT_TRUE(has(follower.read_line(), R"("id":4)"));
  follower.send_signal(SIGINT);
  const Finished finished = follower.finish();
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.errors, "");
}

TEST_F(Follow, StatusShowsTheOverviewAsOftenAsSomethingHappens) {
  Subprocess watcher(line({"status", "--watch", "--json"}));
  EXPECT_TRUE(has(watcher.read_line(), R"("event_count":2)"));
  send("one");
  EXPECT_TRUE(has(watcher.read_line(), R"("event_count":3)"));
  watcher.send_signal(SIGINT);
  const Finished finished = watcher.finish();
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.output, "");
  EXPECT_EQ(finished.errors, "");
}

TEST_F(Follow, StatusForPeopleHasTheLastEvents) {
  Subprocess watcher(line({"status", "--watch"}));
  std::string seen;
  for (int lines = 0; lines < 40 && !has(seen, "worker_created"); ++lines)
    seen += watcher.read_line(std::chrono::seconds(5));
  EXPECT_TRUE(has(seen, "worker_created"));
  watcher.send_signal(SIGTERM);
  EXPECT_EQ(watcher.finish().exit_code, 0);
}

TEST_F(Follow, EventsIsATableForPeople) {
  Subprocess follower(line({"events", "--follow", "--from", "2"}));
  EXPECT_TRUE(has(follower.read_line(), "KIND"));
  EXPECT_TRUE(has(follower.read_line(), "worker_created"));
  send("one");
  EXPECT_TRUE(has(follower.read_line(), "worker_input_accepted"));
  follower.send_signal(SIGTERM);
  EXPECT_EQ(follower.finish().exit_code, 0);
}

TEST_F(Follow, TranscriptShowsEachEntryBesideARunningWriter) {
  Subprocess follower(line({"transcript", "a", "--follow"}));
  Subprocess writer(line({"pipe"}));
  for (const std::string text : {"first", "second"}) {
    writer.write(R"({"op":"send_input","worker_id":"a","kind":"user","content":")" + text +
                 "\"}\n");
    EXPECT_TRUE(has(writer.read_line(), R"("ok")"));
    EXPECT_TRUE(has(follower.read_line(), "user"));
    EXPECT_EQ(follower.read_line(), "    " + text);
  }
  EXPECT_EQ(writer.finish().exit_code, 0);
  send("third");
  EXPECT_TRUE(has(follower.read_line(), "user"));
  EXPECT_EQ(follower.read_line(), "    third");
  follower.send_signal(SIGINT);
  EXPECT_EQ(follower.finish().exit_code, 0);
}

TEST_F(Follow, TranscriptEndsWhenTheWorkerIsDeleted) {
  send("one");
  Subprocess follower(line({"--json", "transcript", "a", "--follow"}));
  EXPECT_TRUE(has(follower.read_line(), R"("content":"one")"));
  done({"stop", "a"});
  done({"delete", "a"});
  const Finished finished = follower.finish();
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_TRUE(has(finished.errors, R"({"error":{"code":"worker_not_found")"));
}

TEST_F(Follow, EndsWhenNobodyReadsAnyMore) {
  Subprocess follower(line({"events", "--follow"}));
  EXPECT_NE(follower.read_line(), "");
  follower.close_output();
  const Finished finished = follower.finish();
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.errors, "");
}

TEST_F(Follow, LimitCountsWhatIsThereAndWhatComes) {
  Subprocess follower(line({"events", "--follow", "--limit", "3", "--json"}));
  EXPECT_NE(follower.read_line(), "");
  EXPECT_NE(follower.read_line(), "");
  send("one");
  const Finished finished = follower.finish();
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(lines(finished.output).size(), 1U) << "the third";
}

TEST_F(Follow, GoesForwardOnly) {
  for (const Arguments& command : {Arguments{"events"}, Arguments{"transcript", "a"}}) {
    Arguments arguments = command;
    arguments.insert(arguments.end(), {"--follow", "--newest-first"});
    EXPECT_EQ(cli(arguments).exit_code, 2);
  }
}

TEST_F(Follow, AStartPastTheEndIsRefused) {
  EXPECT_TRUE(has(cli({"events", "--follow", "--from", "4"}).errors, "cursor_ahead"));
  EXPECT_TRUE(has(cli({"transcript", "a", "--follow", "--start", "1"}).errors, "cursor_ahead"));
  EXPECT_TRUE(has(cli({"transcript", "b", "--follow"}).errors, "worker_not_found"));
}

}  // namespace
}  // namespace worker_runtime::cli
