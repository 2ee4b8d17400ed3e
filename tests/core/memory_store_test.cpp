// The store in memory by itself.
#include <gtest/gtest.h>

#include "core_fixture.h"
#include "worker_runtime/store.h"

namespace worker_runtime::testing {
namespace {

TEST(MemoryStoreTest, WhatIsAppendedIsReadAfterTheSync) {
  auto store = make_memory_store(runtime_id());
  auto restored = store->restore();
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->state.runtime().runtime_id, runtime_id());
  EXPECT_EQ(store->backend(), "memory");
  EXPECT_FALSE(store->health());
  Commit commit{{1}, {}};
  commit.changes.emplace_back();
  commit.changes.front().event.id = {1};
  ASSERT_TRUE(store->append(commit, restored->state.expand(commit).events, {}));
  EXPECT_TRUE(store->read_events({1, 1, {}, 10, 10})->empty());
  ASSERT_TRUE(store->sync(restored->state.runtime(), {}));
  EXPECT_EQ(store->read_events({1, 1, {}, 10, 10})->size(), 1U);
  EXPECT_TRUE(store->read_transcript(worker_id("x"), {})->empty());
  EXPECT_TRUE(store->read_keyed_entries(worker_id("x"), {1}, {5})->empty());
  EXPECT_EQ(code_of(store->read_create_request(worker_id("x"))), ErrorCode::worker_not_found);
  EXPECT_TRUE(store->checkpoint());
  EXPECT_TRUE(store->close());
}

}  // namespace
}  // namespace worker_runtime::testing
