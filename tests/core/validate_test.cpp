// Checks of requests by themselves.
#include "validate.h"

#include <gtest/gtest.h>

#include "core_fixture.h"

namespace worker_runtime {
namespace {

using testing::code_of;
using testing::create;
using testing::input;
using testing::limit_of;
using testing::output;
using testing::ref;

Result<void> check(Mutation operation, Limits limits = {}) { return validate(operation, limits); }

template <typename Request>
ErrorCode refusal(Request request, auto change) {
  change(request);
  return code_of(check(std::move(request)));
}

constexpr ErrorCode invalid = ErrorCode::invalid_request;

TEST(ValidateTest, TextOfACreateRequestMustSaySomething) {
  EXPECT_TRUE(check(create()));
  const auto refused = [](auto change) { EXPECT_EQ(refusal(create("w"), change), invalid); };
  refused([](CreateRequest& r) { r.intent = TaskIntent{" "}; });
  refused([](CreateRequest& r) { r.intent = TaskIntent{"\xff"}; });
  refused([](CreateRequest& r) { r.intent = AssistantIntent{""}; });
  refused([](CreateRequest& r) { r.intent = RoleIntent{"", std::nullopt}; });
  refused([](CreateRequest& r) { r.intent = RoleIntent{"r", "\xe3\x80\x80"}; });
  refused([](CreateRequest& r) { r.profile = {ProfileKind::builtin, ""}; });
  refused([](CreateRequest& r) { r.profile = {ProfileKind::runtime_default, "x"}; });
  refused([](CreateRequest& r) { r.config_bundle = ""; });
  refused([](CreateRequest& r) { r.requested_capabilities = {{"", std::nullopt}}; });
  refused([](CreateRequest& r) { r.requested_capabilities = {{"a", " "}}; });
  refused([](CreateRequest& r) { r.workspace_refs = {{" ", "b"}}; });
  refused([](CreateRequest& r) { r.mount_refs = {{"a", "\xff"}}; });
  refused([](CreateRequest& r) { r.display_name = ""; });
  refused([](CreateRequest& r) { r.idempotency_key = "\t"; });
  refused([](CreateRequest& r) { r.worker_id = WorkerId(); });
}

TEST(ValidateTest, LimitsNameWhatWasExceeded) {
  const auto exceeded = [](auto request, auto change) {
    change(request);
    return limit_of(check(std::move(request)));
  };
  EXPECT_EQ(exceeded(create(), [](auto& r) { r.display_name = std::string(1025, 'a'); }),
            "display_name_bytes");
  EXPECT_EQ(exceeded(create(), [](auto& r) { r.idempotency_key = std::string(257, 'a'); }),
            "idempotency_key_bytes");
  EXPECT_EQ(exceeded(create(), [](auto& r) { r.intent = TaskIntent{std::string(65537, 'a')}; }),
            "create_request_bytes");
  EXPECT_EQ(exceeded(input("w"), [](auto& r) { r.content = std::string((1U << 20U) + 1, 'a'); }),
            "input_bytes");
  EXPECT_EQ(exceeded(output("w"), [](auto& r) { r.content = std::string((16U << 20U) + 1, 'a'); }),
            "transcript_entry_bytes");
  EXPECT_EQ(exceeded(output("w"), [](auto& r) { r.name = std::string(1025, 'a'); }), "name_bytes");
  EXPECT_EQ(exceeded(output("w"),
                     [](auto& r) {
                       r.usage = {{"a", counter_max + 1}};
                     }),
            "counter_value");
  EXPECT_EQ(exceeded(StopWorker{ref("w"), std::string(1025, 'a')}, [](auto&) {}), "reason_bytes");
  EXPECT_EQ(exceeded(CancelWorker{ref("w"), std::string(1025, 'a')}, [](auto&) {}), "reason_bytes");
  EXPECT_EQ(exceeded(output("w"),
                     [](auto& r) {
                       for (int count = 0; count < 65; ++count)
                         r.usage.push_back({"n" + std::to_string(count), 1});
                     }),
            "named_counters");
  EXPECT_TRUE(check(input("w", std::string(1U << 20U, 'a'))));
  const auto refused = check(input("w", "abcd"), [] {
    Limits limits;
    limits.input_bytes = 3;
    return limits;
  }());
  EXPECT_EQ(*refused.error().get<LimitFields>(), (LimitFields{"input_bytes", 4, 3}));
}

TEST(ValidateTest, AllTextOfACreateRequestCountsTogether) {
  CreateRequest request = create("1234");
  request.intent = RoleIntent{"12", "34"};
  request.profile = {ProfileKind::named, "12"};
  request.config_bundle = "1";
  request.requested_capabilities = {{"1", "2"}};
  request.workspace_refs = {{"1", "2"}};
  request.mount_refs = {{"1", "2"}};
  request.display_name = "1";
  request.idempotency_key = "1";
  EXPECT_EQ(text_bytes(request), 19U);
}

TEST(ValidateTest, WhatIsInvalidComesBeforeWhatIsTooLong) {
  SendInput long_input = input("w", std::string((1U << 20U) + 1, 'a'));
  long_input.idempotency_key = " ";
  EXPECT_EQ(code_of(check(long_input)), invalid);
  AppendOutput long_name = output("w");
  long_name.name = std::string(1025, 'a');
  long_name.data = "[]";
  EXPECT_EQ(code_of(check(long_name)), invalid);
}

TEST(ValidateTest, EntriesMustSaySomething) {
  EXPECT_EQ(refusal(input("w"), [](auto& r) { r.content = ""; }), invalid);
  EXPECT_EQ(refusal(input("w"), [](auto& r) { r.content = " \n\xc2\x85"; }), invalid);
  EXPECT_EQ(refusal(input("w"), [](auto& r) { r.content = "a\xc0"; }), invalid);
  EXPECT_EQ(refusal(input("w"), [](auto& r) { r.idempotency_key = ""; }), invalid);
  EXPECT_EQ(refusal(output("w"), [](auto& r) { r.name = ""; }), invalid);
  EXPECT_EQ(refusal(output("w"), [](auto& r) { r.data = "1"; }), invalid);
  EXPECT_EQ(refusal(output("w"), [](auto& r) { r.usage = {{"", 1}}; }), invalid);
  EXPECT_EQ(refusal(output("w"),
                    [](auto& r) {
                      r.usage = {{"a", 1}, {"b", 1}, {"a", 2}};
                    }),
            invalid);
  EXPECT_EQ(refusal(StopWorker{ref("w"), " "}, [](auto&) {}), invalid);
  EXPECT_TRUE(check(input("w", std::string("a\0b", 3))));
  EXPECT_TRUE(check(input("w", "\xef\xbf\xbf")));
}

TEST(ValidateTest, RequestIsBroughtIntoItsNormalForm) {
  AppendOutput request = output("w");
  request.data = " { \"a\" : 1 } ";
  request.usage = {{"b", 2}, {"a", 1}};
  Mutation operation = request;
  ASSERT_TRUE(validate(operation, {}));
  EXPECT_EQ(std::get<AppendOutput>(operation).data, "{\"a\":1}");
  EXPECT_EQ(std::get<AppendOutput>(operation).usage, (Counters{{"a", 1}, {"b", 2}}));
}

TEST(ValidateTest, WhiteSpaceAroundDataCostsNothing) {
  AppendOutput request = output("w", "abc");
  request.data = "{" + std::string(100, ' ') + "}";
  Limits limits;
  limits.transcript_entry_bytes = 5;
  EXPECT_TRUE(check(request, limits));
  limits.transcript_entry_bytes = 4;
  EXPECT_EQ(limit_of(check(request, limits)), "transcript_entry_bytes");
}

}  // namespace
}  // namespace worker_runtime
