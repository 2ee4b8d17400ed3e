// UTF-8, white space, control characters and the ids built on them.
#include "worker_runtime/text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "worker_runtime/ids.h"

namespace worker_runtime {
namespace {

TEST(Utf8Test, WellFormedTextIsValid) {
  for (const std::string_view text :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xc3\xa4",
        "1234567\xc3\xa4"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << text;
  }
  EXPECT_TRUE(is_valid_utf8(std::string_view("\0", 1)));
}

TEST(Utf8Test, OverlongFormsSurrogatesAndStraysAreInvalid) {
  for (const std::string_view text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe0\xa0",
        "\xf0\x90\x80", "12345678\xff",
        "\xc2"
        "a",
        "\xe1\x80"
        "a"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << ::testing::PrintToString(std::string(text));
  }
}

TEST(BlankTest, AllOfWhiteSpaceIsBlankAndNothingElse) {
  const std::array<std::string_view, 25> white_space{"\t",           "\n",           "\v",
                                                     "\f",           "\r",           " ",
                                                     "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                                     "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
                                                     "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
                                                     "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
                                                     "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
                                                     "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
                                                     "\xe3\x80\x80"};
  std::string all;
  for (const std::string_view space : white_space) {
    EXPECT_TRUE(is_blank(space));
    EXPECT_TRUE(has_outer_white_space(std::string(space) + "a"));
    EXPECT_TRUE(has_outer_white_space("a" + std::string(space)));
    all += space;
  }
  EXPECT_TRUE(is_blank(all));
  EXPECT_TRUE(is_blank(""));
  EXPECT_FALSE(is_blank(all + "a" + all));
  for (const std::string_view other :
       {"\xe2\x80\x8b", "\xef\xbb\xbf", "\xe1\xa0\x8e", "\x1c", "\x7f"})
    EXPECT_FALSE(is_blank(other));
  EXPECT_FALSE(has_outer_white_space("a b"));
  EXPECT_FALSE(has_outer_white_space(""));
}

TEST(ControlTest, C0AndC1AreControlCharacters) {
  for (const std::string_view text : {"\x01", "a\x1f", "\x7f", "\xc2\x80", "\xc2\x9f"})
    EXPECT_TRUE(has_control(text));
  EXPECT_TRUE(has_control(std::string_view("\0", 1)));
  for (const std::string_view text : {"", " ", "~", "\xc2\xa0", "\xe2\x80\xa8"})
    EXPECT_FALSE(has_control(text));
}

TEST(IdTest, RuleHoldsForEveryId) {
  for (const std::string_view text :
       {"a", "worker-00000001", "../..", "a b", "\xc3\xa4", "%2F", "."})
    EXPECT_TRUE(WorkerId::parse(text)) << text;
  for (const std::string_view text : {"", " a", "a ",
                                      "\xe3\x80\x80"
                                      "a",
                                      "a\n", "a\tb", "\xff", "\xc2\x85"}) {
    const auto id = RuntimeId::parse(text);
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().code(), ErrorCode::invalid_request);
  }
  EXPECT_TRUE(WorkerId::parse(std::string(80, 'a')));
  EXPECT_FALSE(WorkerId::parse(std::string(81, 'a')));
  EXPECT_FALSE(WorkerId::parse(std::string_view("a\0b", 3)));
}

TEST(IdTest, OrderIsThatOfBytes) {
  EXPECT_LT(*WorkerId::parse("Z"), *WorkerId::parse("a"));
  EXPECT_LT(*WorkerId::parse("z"), *WorkerId::parse("\xc3\xa4"));
  EXPECT_LT(*WorkerId::parse("a"), *WorkerId::parse("aa"));
  EXPECT_TRUE(WorkerId().empty());
}

}  // namespace
}  // namespace worker_runtime
