// Odd input: ids, texts, sizes, bytes that are no text.
#include <string>
#include <string_view>

#include "support/cli_fixture.h"

namespace worker_runtime::cli {
namespace {

using InputTest = CliTest;

TEST_F(InputTest, IdsWithSlashesAndDotsStayInTheirDirectory) {
  for (const char* const id : {"../../escape", "a/b", "..", ".", ".hidden", "sp ace", "ünïcode"}) {
    EXPECT_EQ(cli({"create", "--id", id, "--assistant"}).exit_code, 0) << id;
    EXPECT_EQ(cli({"send", id, "hello"}).exit_code, 0) << id;
    EXPECT_TRUE(has(done({"transcript", id, "--json"}), "\"hello\"")) << id;
  }
  EXPECT_EQ(lines(done({"list", "--json"})).size(), 7U);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "escape"));
  EXPECT_EQ(cli({"verify"}).exit_code, 0);
}

TEST_F(InputTest, IdsThatBreakTheRuleAreRefused) {
  make_store();
  for (const std::string& id : {std::string(81, 'x'), std::string("a\nb"), std::string("\x1b[31m"),
                                std::string(" a"), std::string("a\xff"), std::string("")}) {
    for (const Arguments& command : {Arguments{"create", "--task", "x", "--id", id},
                                     {"send", id, "text"},
                                     {"show", id},
                                     {"transcript", id},
                                     {"status", "--runtime", id},
                                     {"list", "--after", id}}) {
      const Finished finished = cli(command);
      EXPECT_EQ(finished.exit_code, 1) << command.front() << finished.errors;
      EXPECT_TRUE(has(finished.errors, "invalid_request"));
      EXPECT_FALSE(contains(finished.errors, "\x1b"));
    }
  }
  EXPECT_EQ(cli({"create", "--task", "x", "--id", std::string(80, 'x')}).exit_code, 0);
}

TEST_F(InputTest, InputOverTheLimitIsRefusedAndChangesNothing) {
  make_store();
  const Finished refused = cli({"send", "a", "-", "--json"}, std::string(2U << 20U, 'x'));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(has(refused.errors, R"("code":"limit_exceeded")"));
  EXPECT_TRUE(has(refused.errors, R"("what":"input_bytes","requested":2097152,"max":1048576)"));
  EXPECT_EQ(done({"transcript", "a", "--json"}), "");
  EXPECT_EQ(cli({"append", "a", "-"}, std::string(2U << 20U, 'x')).exit_code, 0);
}

TEST_F(InputTest, ALimitThatIsSetIsKept) {
  make_store();
  EXPECT_EQ(cli({"send", "a", "12345", "--set", "input_bytes=5"}).exit_code, 0);
  EXPECT_TRUE(has(cli({"send", "a", "123456"}).errors, "limit_exceeded"));
  EXPECT_EQ(cli({"start", "--set", "no_such_limit=5"}).exit_code, 1);
  EXPECT_EQ(cli({"start", "--set", "input_bytes=0"}).exit_code, 1);
}

TEST_F(InputTest, InvalidUtf8IsRefused) {
  make_store();
  for (const char* const text : {"\xff", "\xc0\x80", "\xed\xa0\x80", "cut \xe2\x82"}) {
    const Finished finished = cli({"send", "a", "-"}, text);
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_TRUE(has(finished.errors, "invalid_request"));
  }
  EXPECT_EQ(done({"transcript", "a", "--json"}), "");
}

TEST_F(InputTest, AnyCodePointComesBackAsItWas) {
  make_store();
  constexpr std::string_view before_nul = "nul ";
  constexpr std::string_view behind_nul =
      " quote \" back \\ line\r\n \xe2\x80\xa8 \xf0\x9f\xa6\x80";
  std::string text(before_nul);
  text.push_back('\0');
  text += behind_nul;
  EXPECT_EQ(cli({"send", "a", "-"}, text).exit_code, 0);
  EXPECT_TRUE(has(done({"transcript", "a", "--json"}), R"(nul \u0000 quote \" back \\ line\r\n)"));
}

}  // namespace
}  // namespace worker_runtime::cli
