// Lines of `pipe` as a whole: the id that is echoed, batches, and any bytes at all.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "json_requests_fixture.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/text.h"

namespace worker_runtime::fs_store {
namespace {

using RequestLines = JsonRequests;

// ---- the id

TEST_F(RequestLines, AnyIdIsEchoedAsItIs) {
  for (const std::string good :
       {"1", "0", "-1", "1.5e3", "123456789012345678901234567890", "\"a\"", R"("a\"\ud83d\ude00")",
        "null", "true", "false", "[]", "{}", R"([1,{"b":[null]}])", R"({"a":{"b":"c"}})"}) {
    EXPECT_EQ(id(R"({"id":)" + good + R"(,"op":"summary"})"), good);
    EXPECT_EQ(refusal(R"({"id":)" + good + R"(,"op":"summary"})"), "") << good;
    EXPECT_EQ(id(R"({"op":"summary","id":)" + good + "}"), good);
    EXPECT_EQ(id(R"({"op":"fly","id":)" + good + "}"), good) << "in a refusal too";
  }
  EXPECT_EQ(id(R"({"id": [ 1 , { "a" : "b c" } ] ,"op":"summary"})"), R"([1,{"a":"b c"}])");
  EXPECT_EQ(id(R"({"op":"summary"})"), "null");
}

TEST_F(RequestLines, AnIdIsNotNestedWithoutEnd) {
  const auto nested = [](std::size_t depth) {
    return R"({"id":)" + std::string(depth, '[') + std::string(depth, ']') + R"(,"op":"summary"})";
  };
  EXPECT_EQ(refusal(nested(data_depth_max - 1)), "");
  EXPECT_NE(refusal(nested(data_depth_max)), "");
  EXPECT_NE(refusal(nested(1'000'000)), "");
  EXPECT_EQ(id(nested(1'000'000)), "null");
}

TEST_F(RequestLines, TheIdOfABadRequestIsFoundWhereverItStands) {
  EXPECT_EQ(id(R"({"id":7,"op":"summary","x":1})"), "7");
  EXPECT_EQ(id(R"({"op":"summary","x":[1,{"id":8}],"id":7})"), "7");
  EXPECT_EQ(id(R"({"op":9,"id":7})"), "7");
  EXPECT_EQ(id(R"({"op":"send_input","content":"\ud800","id":7})"), "7");
  EXPECT_EQ(id("{\"op\":\"send_input\",\"content\":\"\xFF\",\"id\":7}"), "7");
  EXPECT_EQ(id("{\"id\":\"\xC3\xA9\",\"content\":\"\xFF\"}"), "null");
  EXPECT_EQ(id(R"({"op":"batch","ops":[{"op":"fly"}],"id":"b"})"), "\"b\"");
  EXPECT_EQ(id(R"({"id":7} x)"), "null");
  EXPECT_EQ(id(R"([7])"), "null");
  EXPECT_EQ(id("nonsense"), "null");
  EXPECT_EQ(id(""), "null");
}

// ---- batches

TEST_F(RequestLines, ABatchHoldsMutationsInOrder) {
  const auto batch = body<BatchRequest>(
      R"({"id":1,"op":"batch","ops":[{"op":"create_worker","worker_id":"w",)"
      R"("intent":{"kind":"assistant"}},{"op":"send_input","worker_id":"w","kind":"user",)"
      R"("content":"hi"},{"op":"append_output","worker_id":"w","role":"tool","content":"x"},)"
      R"({"op":"stop_worker","worker_id":"w"},{"op":"cancel_worker","worker_id":"w"},)"
      R"({"op":"delete_worker","worker_id":"w"},{"op":"stop_runtime"},{"op":"start_runtime"}]})");
  ASSERT_EQ(batch.operations.size(), 8U);
  EXPECT_TRUE(std::holds_alternative<CreateRequest>(batch.operations[0]));
  EXPECT_EQ(std::get<SendInput>(batch.operations[1]).content, "hi");
  EXPECT_TRUE(std::holds_alternative<StartRuntime>(batch.operations[7]));
  EXPECT_TRUE(body<BatchRequest>(R"({"op":"batch","ops":[]})").operations.empty());
}

TEST_F(RequestLines, ABadOperationOfABatchIsNamedByItsIndex) {
  for (const std::string bad :
       {R"({"op":"summary"})", R"({"op":"batch","ops":[]})", R"({"op":"checkpoint"})",
        R"({"op":"fly"})", R"({"id":3,"op":"stop_runtime"})", R"({})", R"(7)", R"(null)",
        R"({"op":"stop_worker"})", R"({"op":"stop_worker","worker_id":""})",
        R"({"op":"stop_runtime","x":1})",
        R"({"op":"stop_worker","worker_id":"w","reason":"\ud800"})"}) {
    const Request request = parse(R"({"op":"batch","ops":[{"op":"stop_runtime"},)"
                                  R"({"op":"start_runtime"},)" +
                                  bad + R"(,{"op":"fly"}],"id":5})");
    ASSERT_FALSE(request.body) << bad;
    EXPECT_EQ(request.body.error().code(), ErrorCode::invalid_request) << bad;
    EXPECT_EQ(request.body.error().index(), 2U) << bad;
    EXPECT_EQ(request.id, "5") << bad;
  }
}

TEST_F(RequestLines, ABatchOfMoreOperationsThanMemoryShouldHoldIsRefused) {
  std::string line = R"({"op":"batch","ops":[{"op":"stop_runtime"})";
  for (int i = 0; i < 70'000; ++i) line += R"(,{"op":"stop_runtime"})";
  const Request request = parse(line + "]}");
  ASSERT_FALSE(request.body);
  EXPECT_EQ(request.body.error().code(), ErrorCode::limit_exceeded);
  ASSERT_NE(request.body.error().get<LimitFields>(), nullptr);
  EXPECT_EQ(request.body.error().get<LimitFields>()->what, "batch_operations");
  EXPECT_EQ(request.body.error().get<LimitFields>()->requested, 70'001U);
  EXPECT_EQ(body<BatchRequest>(R"({"op":"batch","ops":[]})").operations.size(), 0U);
}

// ---- any bytes

TEST_F(RequestLines, LongContentIsRead) {
  const std::string content((std::size_t{2} << 20U) + 3, 'x');
  EXPECT_EQ(mutation<SendInput>(R"({"op":"send_input","worker_id":"w","kind":"user","content":")" +
                                content + R"("})")
                .content,
            content);
  body<SummaryRequest>(R"({"op":"summary"})");
}

// Goal: any line gets a request or a refusal, and what is accepted is one JSON object through and
// through. Method: random edits of good lines; core's own validator has to accept what the parser
// accepts, and the echoed id.
TEST_F(RequestLines, AnyBytesAreARequestOrARefusal) {
  const std::uint64_t seed = 7;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> lines = {
      R"({"id":{"a":[1,"b"]},"op":"append_output","worker_id":"w","role":"tool","content":"x\n",)"
      R"("name":"n","data":{"a":[1,{"b":2.5}]},"usage":{"t":1},"idempotency_key":"k"})",
      R"({"id":1,"op":"create_worker","worker_id":"w","intent":{"kind":"role","role":"r"},)"
      R"("profile":{"kind":"named","value":"v"},"requested_capabilities":[{"name":"n"}],)"
      R"("mount_refs":[{"name":"a","reference":"b"}]})",
      R"({"id":"x","op":"batch","ops":[{"op":"stop_worker","worker_id":"w","reason":"r"},)"
      R"({"op":"send_input","worker_ref":{"runtime_id":"m","worker_id":"w"},"kind":"user",)"
      R"("content":"\u00e9"}]})",
      R"({"id":null,"op":"read_transcript","worker_id":"w","start":0,"limit":5,"newest_first":true})",
  };
  const std::string_view pieces = "{}[],:\"\\0123456789eE+-.truefalsnu \t\n\xC3\xA9\xED\x80";
  std::size_t accepted = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string line = lines[random() % lines.size()];
    for (std::uint64_t edits = 1 + random() % 3; edits-- > 0 && !line.empty();) {
      const std::size_t place = random() % line.size();
      const char piece = pieces[random() % pieces.size()];
      switch (random() % 4) {
        case 0:
          line[place] = piece;
          break;
        case 1:
          line.insert(place, 1, piece);
          break;
        case 2:
          line.erase(place, 1 + random() % 8);
          break;
        default:
          line.insert(random() % line.size(), line.substr(place, 1 + random() % 8));
      }
    }
    const Request request = parse(line);
    ASSERT_TRUE(compact_json_object(R"({"id":)" + request.id + "}")) << line;
    if (request.body) {
      ++accepted;
      ASSERT_TRUE(compact_json_object(line)) << line;
    } else {
      ASSERT_EQ(request.body.error().code(), ErrorCode::invalid_request) << line;
      ASSERT_TRUE(is_valid_utf8(request.body.error().message())) << line;
    }
  }
  EXPECT_GT(accepted, 300U);
}

}  // namespace
}  // namespace worker_runtime::fs_store
