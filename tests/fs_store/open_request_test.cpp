// How a binding opens a runtime.
#include <gtest/gtest.h>

#include <chrono>

#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {
namespace {

using std::chrono::milliseconds;

TEST(OpenRequestTest, NothingIsARuntimeInMemory) {
  const auto request = parse_open_request("{}");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->store.root.empty());
  EXPECT_FALSE(request->store.runtime_id);
  EXPECT_FALSE(request->runtime.display_name);
  EXPECT_FALSE(request->read_only);
  EXPECT_FALSE(request->serve_requests);
}

TEST(OpenRequestTest, EveryMemberIsTaken) {
  const auto request = parse_open_request(R"({"root":"/var/lib/a","runtime_id":"r","create":true,
      "serve_requests":true,"display_name":"n","limits":{"page_items":7,"input_bytes":9},
      "durability":"interval","sync_interval_ms":1,"checkpoint_bytes":2,"checkpoint_interval_ms":3,
      "log_part_bytes":4,"extend_interval_ms":5,"group_readable":true,"lock_wait_ms":6})");
  ASSERT_TRUE(request) << request.error().message();
  const StoreOptions& store = request->store;
  EXPECT_EQ(store.root, "/var/lib/a");
  EXPECT_EQ(store.runtime_id->text(), "r");
  EXPECT_TRUE(store.create);
  EXPECT_TRUE(request->serve_requests);
  EXPECT_EQ(request->runtime.display_name, "n");
  ASSERT_EQ(request->runtime.limits.size(), 2U);
  EXPECT_EQ(request->runtime.limits[1].name, "input_bytes");
  EXPECT_EQ(request->runtime.limits[1].value, 9U);
  EXPECT_EQ(store.durability, Durability::interval);
  EXPECT_EQ(store.sync_interval, milliseconds(1));
  EXPECT_EQ(store.checkpoint_bytes, 2U);
  EXPECT_EQ(store.checkpoint_interval, milliseconds(3));
  EXPECT_EQ(store.log_part_bytes, 4U);
  EXPECT_EQ(store.extend_interval, milliseconds(5));
  EXPECT_TRUE(store.group_readable);
  EXPECT_EQ(store.lock_wait, milliseconds(6));
}

TEST(OpenRequestTest, AReaderTakesItsPlaceAlone) {
  EXPECT_TRUE(parse_open_request(R"({"root":"a","runtime_id":"r","read_only":true})")->read_only);
  EXPECT_TRUE(parse_open_request(R"({"root":"a","read_only":false,"create":true})"));
  for (const char* other : {R"("create":true)", R"("limits":{})", R"("serve_requests":true)"}) {
    const auto request =
        parse_open_request(std::string(R"({"root":"a","read_only":true,)") + other + "}");
    ASSERT_FALSE(request) << other;
    EXPECT_EQ(request.error().code(), ErrorCode::invalid_request);
  }
}

TEST(OpenRequestTest, MistakesAreNamed) {
  for (const auto* const text :
       {"", "[]", "{", "{} {}", R"({"rot":"a"})", R"({"root":"a","root":"b"})", R"({"root":""})",
        R"({"root":"a\u0000b"})", R"({"create":true})", R"({"read_only":true})",
        R"({"root":"a","runtime_id":""})", R"({"root":"a","durability":"Sync"})",
        R"({"root":"a","sync_interval_ms":31536000001})", R"({"root":"a","create":1})",
        R"({"limits":{"page_items":-1}})", R"({"limits":[]})"}) {
    const auto request = parse_open_request(text);
    ASSERT_FALSE(request) << text;
    EXPECT_EQ(request.error().code(), ErrorCode::invalid_request) << text;
    EXPECT_FALSE(request.error().message().empty()) << text;
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
