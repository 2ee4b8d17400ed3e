// `trim`, `redact` and `retention` from the command line.
#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class RetentionTest : public CliTest {};

TEST_F(RetentionTest, TrimSaysWhatIsKept) {
  make_history();
  EXPECT_EQ(done({"trim", "a", "--before", "3"}),
            "the transcript of worker a is kept from entry 3 on\n");
  EXPECT_EQ(done({"--json", "trim", "--before", "4"}), "{\"first_kept\":4}\n");
  EXPECT_FALSE(contains(done({"transcript", "a"}), "two"));
  EXPECT_TRUE(has(done({"--json", "show", "a"}), R"("first_sequence":3)"));
  EXPECT_TRUE(has(done({"--json", "status"}), R"("first_event_id":4)"));
  EXPECT_TRUE(done({"--json", "events"}).starts_with("{\"id\":4,"));
  const Finished expired = cli({"--json", "transcript", "a", "--start", "1"});
  EXPECT_EQ(expired.exit_code, 1);
  EXPECT_TRUE(has(expired.errors, R"("code":"cursor_expired")"));
  EXPECT_TRUE(has(expired.errors, R"("first_available":2)"));
}

TEST_F(RetentionTest, TrimRefusesWhatCannotBeMeant) {
  make_history();
  EXPECT_EQ(cli({"trim", "a"}).exit_code, 2);
  EXPECT_EQ(cli({"trim", "a", "--before", "x"}).exit_code, 2);
  EXPECT_EQ(cli({"trim", "", "--before", "1"}).exit_code, 2);
  EXPECT_EQ(cli({"trim", "a", "--before", "0"}).exit_code, 1);
  EXPECT_TRUE(has(cli({"trim", "a", "--before", "9"}).errors, "cursor_ahead"));
  EXPECT_TRUE(has(cli({"trim", "b", "--before", "1"}).errors, "worker_not_found"));
}

TEST_F(RetentionTest, RedactTakesATextOutOfEverythingThatIsShown) {
  make_history();
  EXPECT_EQ(done({"redact", "a", "1"}),
            "redacted entry 1 of worker a; copies may remain in: backups, exports, forks, "
            "quarantine\n");
  EXPECT_EQ(done({"--json", "redact", "a", "1"}),
            R"({"worker_ref":{"runtime_id":"main","worker_id":"a"},"sequence":1,)"
            R"("copies_may_remain":["backups","exports","forks","quarantine"]})"
            "\n");
  const std::string shown = done({"transcript", "a"});
  EXPECT_TRUE(has(shown, "[redacted: 3 bytes]"));
  EXPECT_FALSE(contains(shown, "one"));
  EXPECT_TRUE(has(done({"--json", "transcript", "a"}), R"("role":"user","redacted":3,)"));
  EXPECT_FALSE(contains(done({"export", "a"}), "one"));
  EXPECT_TRUE(has(done({"export", "a", "--markdown"}), "[redacted: 3 bytes]"));
  EXPECT_FALSE(contains(done({"search", "one"}), "user"));
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
}

TEST_F(RetentionTest, RedactRefusesWhatCannotBeMeant) {
  make_history();
  EXPECT_EQ(cli({"redact", "a"}).exit_code, 2);
  EXPECT_EQ(cli({"redact", "a", "x"}).exit_code, 2);
  EXPECT_EQ(cli({"redact", "a", "0"}).exit_code, 1);
  EXPECT_TRUE(has(cli({"redact", "a", "9"}).errors, "cursor_ahead"));
  EXPECT_TRUE(has(cli({"redact", "b", "1"}).errors, "worker_not_found"));
}

TEST_F(RetentionTest, RetentionSaysWhatWouldGoAndThenLetsItGo) {
  make_history();
  const std::string planned = done({"retention", "--max-entries", "1"});
  EXPECT_TRUE(has(planned, "trim transcript  a"));
  EXPECT_TRUE(has(planned, "nothing was changed: --apply does it"));
  EXPECT_TRUE(has(done({"transcript", "a"}), "one"));
  EXPECT_EQ(
      done({"--json", "retention", "--apply", "--max-entries", "1"}),
      R"({"items":[{"op":"trim_transcript","worker_ref":{"runtime_id":"main","worker_id":"a"},)"
      R"("before":3,"items":2,"bytes":0}],"skipped":[],"bytes":0,"applied":true})"
      "\n");
  EXPECT_FALSE(contains(done({"transcript", "a"}), "one"));
  EXPECT_EQ(done({"retention", "--max-entries", "1"}), "nothing is to go\n");
  EXPECT_EQ(cli({"stop", "a"}).exit_code, 0);
  EXPECT_TRUE(has(done({"retention", "--delete-ended-after", "0", "--apply"}), "gone"));
  EXPECT_EQ(done({"--json", "list"}), "");
}

TEST_F(RetentionTest, RetentionIsAppliedByTheProcessThatHoldsTheRuntime) {
  make_history();
  EXPECT_EQ(cli({"create", "--id", "gone", "--task", "x"}).exit_code, 0);
  EXPECT_EQ(cli({"stop", "gone"}).exit_code, 0);
  Subprocess host(line({"pipe"}));
  host.write("{\"id\":0,\"op\":\"version\"}\n");
  EXPECT_TRUE(has(host.read_line(), "\"ok\""));
  EXPECT_TRUE(has(done({"retention", "--max-entries", "1", "--delete-ended-after", "0", "--apply"}),
                  "gone"));
  host.write(R"({"id":1,"op":"read_transcript","worker_id":"a"})"
             "\n");
  EXPECT_TRUE(has(host.read_line(), R"({"items":[{"sequence":3,)"));
  host.write("{\"id\":2,\"op\":\"list_workers\"}\n");
  EXPECT_FALSE(contains(host.read_line(), R"("worker_id":"gone")"));
  EXPECT_EQ(host.finish().exit_code, 0);
  EXPECT_FALSE(contains(done({"transcript", "a"}), "one"));
}

TEST_F(RetentionTest, RetentionRefusesWhatCannotBeMeant) {
  make_history();
  EXPECT_EQ(cli({"retention", "--max-age", "-1"}).exit_code, 2);
  EXPECT_EQ(cli({"retention", "--max-events", "x"}).exit_code, 2);
  EXPECT_EQ(cli({"retention", "--plan", "--apply"}).exit_code, 2);
}

}  // namespace
}  // namespace worker_runtime::cli
