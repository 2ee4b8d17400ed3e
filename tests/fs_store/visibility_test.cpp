// Nothing is visible before the sync that makes it durable is done.
//
// The file system holds up the sync of the journal until the test lets it go; meanwhile every way
// to look at the store is tried.
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <string>

#include "store_fixture.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::input;
using testing::is_ok;

class Visibility : public testing::StoreFixture {
 protected:
  Visibility() {
    faults_.set_hook([this](CallKind kind, const std::string& path) {
      if (kind != CallKind::sync || path.find("/journal/") == std::string::npos) return;
      std::unique_lock lock(mutex_);
      if (!holding_) return;
      held_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !holding_; });
      held_ = false;
    });
  }
  ~Visibility() override { let_go(); }

  void hold_syncs() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    changed_.notify_all();
  }

  template <typename Source>
  void expect_to_see(const Source& source, std::uint64_t events, std::uint64_t entries) {
    EXPECT_EQ(all_events(source).size(), events);
    EXPECT_EQ(all_entries(source, "w").size(), entries);
    EXPECT_EQ(source.summary()->event_count, events);
    EXPECT_EQ(source.summary()->transcript_entry_count, entries);
    EXPECT_EQ(source.worker_detail(ref("w"))->summary.transcript_len, entries);
    EXPECT_EQ(source.list_workers()->workers.at(0).last_event_id, EventId{events});
    EventQuery ahead;
    ahead.from = EventId{events + 2};
    EXPECT_TRUE(fails_with(source.read_events(ahead), ErrorCode::cursor_ahead));
    const auto waited = source.wait_events(EventId{events + 1}, std::chrono::milliseconds(0));
    ASSERT_TRUE(is_ok(waited));
    EXPECT_TRUE(waited->events.empty());
  }
  template <typename T>
  static bool is_ready(const std::future<T>& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool holding_ = false;
  bool held_ = false;
};

TEST_F(Visibility, OfAnInputComesWithItsSync) {
  open_faulty();
  create("w");
  send("w", 1);
  auto before = Reader::open(options_.root);
  ASSERT_TRUE(is_ok(before));
  hold_syncs();
  auto sent =
      std::async(std::launch::async, [&] { return runtime().send_input(input(ref("w"), "held")); });
  wait_until_held();
  // Its record is in the file already, whole: the page cache shows it to everybody.
  EXPECT_NE(read(last_segment()).find("held"), std::string::npos);
  auto waiter = std::async(
      std::launch::async, [&] { return runtime().wait_events(EventId{4}, std::chrono::hours(1)); });
  expect_to_see(runtime(), 3, 1);
  expect_to_see(*before, 3, 1);
  auto during = Reader::open(options_.root);
  ASSERT_TRUE(is_ok(during));
  expect_to_see(*during, 3, 1);
  EXPECT_FALSE(exists("events.jsonl") &&
               read("events.jsonl").find(R"("id":4)") != std::string::npos);
  EXPECT_FALSE(is_ready(sent));
  EXPECT_FALSE(is_ready(waiter));

  let_go();
  ASSERT_TRUE(is_ok(sent.get()));
  const auto waited = waiter.get();
  ASSERT_TRUE(is_ok(waited));
  ASSERT_EQ(waited->events.size(), 1U);
  EXPECT_EQ(waited->events[0].id, EventId{4});
  expect_to_see(runtime(), 4, 2);
  ASSERT_FALSE(before->wait_events(EventId{4}, std::chrono::seconds(30))->events.empty());
  expect_to_see(*before, 4, 2);
}

TEST_F(Visibility, OfARefusalComesWithTheSyncOfWhatItRestsOn) {
  open_faulty();
  create("w");
  hold_syncs();
  auto stopped = std::async(std::launch::async, [&] {
    return runtime().stop_worker({ref("w"), std::nullopt});
  });
  wait_until_held();
  auto refused =
      std::async(std::launch::async, [&] { return runtime().send_input(input(ref("w"), "late")); });
  auto repeated = std::async(std::launch::async, [&] {
    return runtime().stop_worker({ref("w"), std::nullopt});
  });
  EXPECT_EQ(runtime().worker_detail(ref("w"))->summary.status, WorkerStatus::running);
  EXPECT_FALSE(is_ready(refused));
  EXPECT_FALSE(is_ready(repeated));
  let_go();
  ASSERT_TRUE(is_ok(stopped.get()));
  EXPECT_TRUE(fails_with(refused.get(), ErrorCode::worker_not_running));
  EXPECT_TRUE(is_ok(repeated.get()));
}

TEST_F(Visibility, ReadsDoNotWaitForASync) {
  // Every read below would hang if it did.
  open_faulty();
  create("w");
  send("w", 1);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  hold_syncs();
  auto sent =
      std::async(std::launch::async, [&] { return runtime().send_input(input(ref("w"), "held")); });
  wait_until_held();
  expect_to_see(runtime(), 3, 1);
  EXPECT_TRUE(is_ok(runtime().diagnostics()));
  let_go();
  ASSERT_TRUE(is_ok(sent.get()));
}

TEST_F(Visibility, OfACommitWhoseSyncFailsNeverComes) {
  open_faulty();
  create("w");
  hold_syncs();
  auto sent = std::async(std::launch::async,
                         [&] { return runtime().send_input(input(ref("w"), "in doubt")); });
  wait_until_held();
  auto reader = Reader::open(options_.root);
  ASSERT_TRUE(is_ok(reader));
  expect_to_see(*reader, 2, 0);
  Fault fault;
  fault.kind = CallKind::sync;
  faults_.plan(fault);
  let_go();
  ASSERT_TRUE(fails_with(sent.get(), ErrorCode::store_failed));
  expect_to_see(runtime(), 2, 0);
  expect_to_see(*reader, 2, 0);
}

}  // namespace
}  // namespace worker_runtime::fs_store
