// The check of attached data.
#include <gtest/gtest.h>

#include <string>

#include "worker_runtime/text.h"

namespace worker_runtime {
namespace {

std::string compact(std::string_view text) {
  auto result = compact_json_object(text);
  return result ? *std::move(result) : "error: " + result.error().message();
}

bool is_refused(std::string_view text) {
  const auto result = compact_json_object(text);
  return !result && result.error().code() == ErrorCode::invalid_request;
}

TEST(CompactJsonObjectTest, InsignificantWhiteSpaceGoesAndAllElseStays) {
  EXPECT_EQ(compact("{}"), "{}");
  EXPECT_EQ(compact(" \t\r\n{ } \n"), "{}");
  EXPECT_EQ(compact(R"( { "a" : 1 , "b" : [ true , false , null , { } , [ ] ] } )"),
            R"({"a":1,"b":[true,false,null,{},[]]})");
  EXPECT_EQ(compact(R"({"z":" a  b ","a":"\u0041\/\n","":1.50E+09})"),
            R"({"z":" a  b ","a":"\u0041\/\n","":1.50E+09})");
  EXPECT_EQ(compact(R"({"a":-0,"b":0.0,"c":1e5,"d":-12.5e-3})"),
            R"({"a":-0,"b":0.0,"c":1e5,"d":-12.5e-3})");
  EXPECT_EQ(compact("{\"\xc3\xa4\":\"\xf0\x9f\x98\x80\"}"), "{\"\xc3\xa4\":\"\xf0\x9f\x98\x80\"}");
}

TEST(CompactJsonObjectTest, WhatIsNoObjectIsRefused) {
  for (const std::string_view text : {"", " ", "[]", "1", "\"a\"", "null", "{} {}", "{}x", "{", "}",
                                      "{]", "[}", "\xef\xbb\xbf{}"})
    EXPECT_TRUE(is_refused(text)) << text;
}

TEST(CompactJsonObjectTest, WhatRfc8259DoesNotAllowIsRefused) {
  for (const std::string_view text :
       {R"({"a"})",         R"({"a":})",        R"({"a":1,})",     R"({,"a":1})",
        R"({"a":1 "b":2})", R"({a:1})",         R"({'a':1})",      R"({"a":01})",
        R"({"a":1.})",      R"({"a":.5})",      R"({"a":+1})",     R"({"a":-})",
        R"({"a":1e})",      R"({"a":1e+})",     R"({"a":0x1})",    R"({"a":NaN})",
        R"({"a":tru})",     R"({"a":truex})",   R"({"a":[1,]})",   R"({"a":[,1]})",
        R"({"a":[1 2]})",   R"({"a":"\x"})",    R"({"a":"\u12"})", R"({"a":"\u12g4"})",
        R"({"a":"b)",       R"({"a":"b\)",      R"({"a":1}/**/)",  "{\"a\":\"\n\"}",
        "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", R"({1:2})",        R"({"a":1,"b"})"})
    EXPECT_TRUE(is_refused(text)) << text;
  EXPECT_TRUE(is_refused(std::string_view("{\"a\":1}\0", 8)));
  EXPECT_TRUE(is_refused(std::string_view("{\0}", 3)));
}

TEST(CompactJsonObjectTest, LoneSurrogatesAreRefusedAndPairsKept) {
  EXPECT_EQ(compact(R"({"a":"\ud83d\ude00"})"), R"({"a":"\ud83d\ude00"})");
  for (const std::string_view text :
       {R"({"a":"\ud83d"})", R"({"a":"\ude00"})", R"({"a":"\ud83dx"})", R"({"a":"\ud83d\n"})",
        R"({"a":"\ud83d\u0041"})", R"({"a":"\ud83d\ud83d"})", R"({"\udfff":1})"})
    EXPECT_TRUE(is_refused(text)) << text;
}

TEST(CompactJsonObjectTest, DoubledMembersAreRefusedHoweverTheyAreSpelled) {
  EXPECT_TRUE(is_refused(R"({"a":1,"a":2})"));
  EXPECT_TRUE(is_refused(R"({"a":1,"\u0061":2})"));
  EXPECT_TRUE(is_refused(R"({"/":1,"\/":2})"));
  EXPECT_TRUE(is_refused("{\"\xf0\x9f\x98\x80\":1,\"\\uD83D\\uDE00\":2}"));
  EXPECT_TRUE(is_refused(R"({"x":{"a":1,"b":{},"a":2}})"));
  EXPECT_FALSE(is_refused(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})"));
}

TEST(CompactJsonObjectTest, NestingIsBoundedAndCostsNoStack) {
  const auto nested = [](std::size_t depth) {
    std::string text = "{\"a\":";
    for (std::size_t level = 1; level < depth; ++level) text += '[';
    if (depth == 1) text += '1';
    for (std::size_t level = 1; level < depth; ++level) text += ']';
    return text + "}";
  };
  EXPECT_FALSE(is_refused(nested(data_depth_max)));
  EXPECT_TRUE(is_refused(nested(data_depth_max + 1)));
  EXPECT_TRUE(is_refused("{\"a\":" + std::string(8'000'000, '[')));
}

TEST(CompactJsonObjectTest, FaultIsNamedWithItsByteOffset) {
  EXPECT_EQ(compact(R"({"a":1,"a":2})"), "error: data has a doubled member (byte 10)");
  EXPECT_EQ(compact("[]"), "error: data must be a JSON object (byte 0)");
}

}  // namespace
}  // namespace worker_runtime
