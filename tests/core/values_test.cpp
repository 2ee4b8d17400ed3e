// Times, digests, names, errors: small values and their texts.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core_fixture.h"
#include "validate.h"
#include "worker_runtime/commit.h"

namespace worker_runtime {
namespace {

using testing::create;

TEST(TimestampTest, TextIsRfc3339WithMicroseconds) {
  EXPECT_EQ(to_string(Timestamp{0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_string(Timestamp{-1}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_string(Timestamp{1'795'514'400'000'001}), "2026-11-24T10:00:00.000001Z");
  EXPECT_EQ(to_string(Timestamp{951'782'400'000'000}), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(to_string(timestamp_min), "0000-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_string(timestamp_max), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_string(Timestamp{INT64_MAX}), to_string(timestamp_max));
  EXPECT_EQ(to_string(Timestamp{INT64_MIN}), to_string(timestamp_min));
}

TEST(TimestampTest, WhatIsWrittenIsReadBack) {
  for (const std::int64_t time :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'795'514'400'123'456},
        timestamp_min.microseconds, timestamp_max.microseconds}) {
    const auto read = parse_timestamp(to_string(Timestamp{time}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->microseconds, time);
  }
}

TEST(TimestampTest, EveryOtherFormIsRefused) {
  for (const std::string_view text :
       {"", "2026-11-24", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000Z",
        "2026-11-24T10:00:00.000001+00:00", "2026-11-24t10:00:00.000001Z",
        "2026-13-24T10:00:00.000001Z", "2026-02-29T10:00:00.000001Z", "2026-00-01T10:00:00.000001Z",
        "2026-11-24T24:00:00.000001Z", "2026-11-24T10:60:00.000001Z", "2026-11-24T10:00:60.000001Z",
        "-026-11-24T10:00:00.000001Z", "2026-11-24T10:00:00.00000aZ", "2026-11-24 10:00:00.000001Z",
        "2026-11-24T10:00:00.000001Z "}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

TEST(DigestTest, EveryMemberOfACreateRequestButTheKeyCounts) {
  CreateRequest request = create("a");
  const BodyDigest digest = digest_of(request);
  request.idempotency_key = "key";
  EXPECT_EQ(digest_of(request), digest);
  std::set<std::string> digests{to_string(digest)};
  const auto differs = [&](auto change) {
    CreateRequest other = create("a");
    change(other);
    EXPECT_TRUE(digests.insert(to_string(digest_of(other))).second);
  };
  differs([](CreateRequest& other) { other.intent = TaskIntent{"other"}; });
  differs([](CreateRequest& other) { other.intent = AssistantIntent{}; });
  differs([](CreateRequest& other) { other.intent = AssistantIntent{"count the sheep"}; });
  differs([](CreateRequest& other) { other.intent = RoleIntent{"count the sheep", std::nullopt}; });
  differs([](CreateRequest& other) { other.profile = {ProfileKind::builtin, "x"}; });
  differs([](CreateRequest& other) { other.profile = {ProfileKind::named, "x"}; });
  differs([](CreateRequest& other) { other.config_bundle = "x"; });
  differs([](CreateRequest& other) { other.display_name = "x"; });
  differs([](CreateRequest& other) { other.worker_id.reset(); });
  differs([](CreateRequest& other) { other.requested_capabilities = {{"x", std::nullopt}}; });
  differs([](CreateRequest& other) { other.requested_capabilities = {{"x", "y"}}; });
  differs([](CreateRequest& other) { other.workspace_refs = {{"x", "y"}}; });
  differs([](CreateRequest& other) { other.workspace_refs = {{"xy", ""}}; });
  differs([](CreateRequest& other) { other.mount_refs = {{"x", "y"}}; });
}

TEST(DigestTest, EntryCountsWhatTheCallerSaidAndNotWhenOrWhere) {
  TranscriptEntry entry;
  entry.content = "text";
  const BodyDigest digest = digest_of(entry);
  TranscriptEntry same = entry;
  same.sequence = {9};
  same.event_id = {9};
  same.at = {9};
  same.idempotency_key = "key";
  EXPECT_EQ(digest_of(same), digest);
  TranscriptEntry other = entry;
  other.role = Role::system;
  EXPECT_NE(digest_of(other), digest);
  other = entry;
  other.name = "text";
  EXPECT_NE(digest_of(other), digest);
  other = entry;
  other.data = "{}";
  EXPECT_NE(digest_of(other), digest);
  other = entry;
  other.usage = {{"tokens", 1}};
  EXPECT_NE(digest_of(other), digest);
  other.usage = {{"tokens", 2}};
  EXPECT_NE(digest_of(other), digest);
}

TEST(DigestTest, TextStaysTheSameForEver) {
  // Digests stand in files: another value would turn every repetition into a conflict.
  TranscriptEntry entry;
  entry.content = "a text of more than eight bytes";
  const std::string text = to_string(digest_of(entry));
  EXPECT_EQ(text.size(), 32U);
  EXPECT_EQ(text, "a3fc1b7287ca954a4b592b97acee32a5");
  EXPECT_EQ(*parse_body_digest(text), digest_of(entry));
  EXPECT_FALSE(parse_body_digest(text.substr(1)));
  EXPECT_FALSE(parse_body_digest("A" + text.substr(1)));
  EXPECT_FALSE(parse_body_digest("-" + text.substr(1)));
}

TEST(NamesTest, EveryNameIsReadBack) {
  for (int number = 0; number < 3; ++number) {
    const auto status = static_cast<WorkerStatus>(number);
    EXPECT_EQ(parse_worker_status(to_string(status)), status);
    const auto severity = static_cast<Severity>(number);
    EXPECT_EQ(parse_severity(to_string(severity)), severity);
    const auto durability = static_cast<Durability>(number);
    EXPECT_EQ(parse_durability(to_string(durability)), durability);
  }
  for (int number = 0; number < 8; ++number) {
    const auto kind = static_cast<EventKind>(number);
    EXPECT_EQ(parse_event_kind(to_string(kind)), kind);
  }
  for (int number = 0; number < 4; ++number) {
    const auto role = static_cast<Role>(number);
    EXPECT_EQ(parse_role(to_string(role)), role);
  }
  EXPECT_EQ(parse_runtime_status("stopped"), RuntimeStatus::stopped);
  EXPECT_EQ(parse_event_kind("worker_promoted"), EventKind::unknown);
  EXPECT_EQ(parse_worker_status("Running"), std::nullopt);
  EXPECT_EQ(to_string(ErrorCode::runtime_stopped), "runtime_stopped");
  EXPECT_EQ(to_string(ErrorCode::store_version), "store_version");
  EXPECT_EQ(to_string(ErrorCode::invalid_request), "invalid_request");
}

TEST(LimitsTest, EachHasItsNameOnceInOrder) {
  EXPECT_EQ(limit_names().size() * sizeof(std::uint64_t), sizeof(Limits));
  Limits limits;
  std::uint64_t value = 100;
  for (const LimitName& limit : limit_names())
    EXPECT_TRUE(apply_limit(limits, {std::string(limit.name), ++value}));
  EXPECT_EQ(limits.page_items, 101U);
  EXPECT_EQ(limits.diagnostics_kept, value);
  EXPECT_FALSE(apply_limit(limits, {"page_items", 0}));
  EXPECT_FALSE(apply_limit(limits, {"pages", 1}));
}

TEST(ErrorTest, DetailAloneNamesTheRoot) {
  FileFields fields;
  fields.root = "/srv/store";
  fields.system_error = 5;
  const Error error(ErrorCode::store_io, "events.jsonl can't be read", fields);
  EXPECT_EQ(error.message().find("/srv"), std::string::npos);
  EXPECT_NE(error.detail().find("/srv/store"), std::string::npos);
  EXPECT_TRUE(error.detail().starts_with("store_io: "));
  EXPECT_EQ(error.get<LimitFields>(), nullptr);
}

TEST(GeneratedIdTest, FormIsRecognisedExactly) {
  EXPECT_EQ(generated_worker_id(1).text(), "worker-00000001");
  EXPECT_EQ(generated_worker_id(0xABCDEF).text(), "worker-00abcdef");
  EXPECT_EQ(generated_worker_id(0x1'0000'0000).text(), "worker-100000000");
  for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{0xffffffff}, UINT64_MAX})
    EXPECT_EQ(generated_worker_number(generated_worker_id(number)), number);
  for (const std::string_view text : {"worker-1", "worker-0000000A", "worker-000000001", "worker-",
                                      "Worker-00000001", "worker-0000000g", "worker--0000001"})
    EXPECT_EQ(generated_worker_number(*WorkerId::parse(text)), std::nullopt) << text;
}

}  // namespace
}  // namespace worker_runtime
