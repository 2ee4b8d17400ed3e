// `fork` from the command line.
#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

class ForkTest : public CliTest {};

TEST_F(ForkTest, SaysWhatItMadeAndShowsItsOrigin) {
  make_history();
  EXPECT_TRUE(has(done({"fork", "a", "--at", "2", "--as", "b", "--name", "The Fork"}),
                  "created worker b with 2 entries of worker a (event "));
  const std::string transcript = done({"transcript", "b"});
  EXPECT_TRUE(has(transcript, "one"));
  EXPECT_TRUE(has(transcript, "two"));
  EXPECT_FALSE(contains(transcript, "three"));
  const std::string shown = done({"--json", "show", "b"});
  EXPECT_TRUE(has(shown, R"("display_name":"The Fork")"));
  EXPECT_TRUE(has(shown, R"("worker_id":"a"},"sequence":2})"));
  EXPECT_TRUE(has(done({"send", "b", "another way"}), "stored as entry 3 of worker b"));
  EXPECT_TRUE(has(done({"--json", "fork", "b", "--at", "3"}), R"("transcript_len":3)"));
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
}

TEST_F(ForkTest, RefusesWhatCannotBeMeant) {
  make_history();
  EXPECT_EQ(cli({"fork", "a"}).exit_code, 2);
  EXPECT_EQ(cli({"fork", "a", "--at", "x"}).exit_code, 2);
  EXPECT_EQ(cli({"fork", "a", "--at", "1", "--as", ""}).exit_code, 2);
  EXPECT_TRUE(has(cli({"fork", "a", "--at", "9"}).errors, "cursor_ahead"));
  EXPECT_TRUE(has(cli({"fork", "b", "--at", "1"}).errors, "worker_not_found"));
  EXPECT_TRUE(has(cli({"fork", "a", "--at", "1", "--as", "a"}).errors, "worker_exists"));
}

}  // namespace
}  // namespace worker_runtime::cli
