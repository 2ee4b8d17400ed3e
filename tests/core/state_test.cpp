// Applying commits to the state, and the head that can take them back.
#include "state.h"

#include <gtest/gtest.h>

#include "core_fixture.h"

namespace worker_runtime {
namespace {

using testing::create;
using testing::ref;
using testing::runtime_id;
using testing::worker_id;

/// Builds commits that fit a state, as planning would.
class StateTest : public ::testing::Test {
 protected:
  StateTest() : state_(record()) { apply(change(EventKind::runtime_started)); }

  static RuntimeRecord record() {
    RuntimeRecord record;
    record.runtime_id = runtime_id();
    return record;
  }

  Change change(EventKind kind, std::string_view worker = {}) {
    Change change;
    change.event.id = state_.runtime().last_event_id.next();
    change.event.at = {++time_};
    change.event.kind = kind;
    if (!worker.empty()) change.event.worker_ref = ref(worker);
    return change;
  }
  Change created(std::string_view worker, std::optional<std::string> key = {}) {
    Change made = change(EventKind::worker_created, worker);
    made.create = create(generated_worker_number(worker_id(worker)) ? "" : worker);
    made.create->idempotency_key = std::move(key);
    return made;
  }
  Change entry(std::string_view worker, std::uint64_t sequence) {
    Change made = change(EventKind::worker_input_accepted, worker);
    made.event.sequence = Sequence{sequence};
    TranscriptEntry entry;
    entry.sequence = {sequence};
    entry.worker_ref = ref(worker);
    entry.event_id = made.event.id;
    entry.content = "text";
    made.entry = entry;
    return made;
  }

  Commit commit(std::vector<Change> changes) const {
    return {state_.runtime().lsn.next(), std::move(changes)};
  }
  void apply(Change change) { ASSERT_TRUE(state_.apply(commit({std::move(change)}))); }
  void expect_misfit(Change change) {
    const RuntimeRecord before = state_.runtime();
    const auto applied = state_.apply(commit({std::move(change)}));
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), ErrorCode::store_corrupt);
    EXPECT_EQ(state_.runtime(), before);
  }

  State state_;
  std::int64_t time_ = 0;
};

TEST_F(StateTest, EachKindOfEventDoesItsPart) {
  apply(created("w"));
  apply(entry("w", 1));
  EXPECT_EQ(state_.runtime().running_workers, 1U);
  EXPECT_EQ(state_.runtime().transcript_entries, 1U);
  EXPECT_EQ(state_.runtime().usage.content_bytes, 4U);
  const WorkerRecord record = state_.find(worker_id("w"))->record;
  EXPECT_EQ(record.last_sequence.value, 1U);
  EXPECT_EQ(record.usage.inputs, 1U);
  EXPECT_EQ(record.last_event_id.value, 3U);
  EXPECT_EQ(record.lsn.value, 3U);
  EXPECT_EQ(record.created_at.microseconds, 2);
  EXPECT_EQ(record.updated_at.microseconds, 3);
  apply(change(EventKind::worker_cancelled, "w"));
  EXPECT_EQ(state_.find(worker_id("w"))->record.status, WorkerStatus::cancelled);
  EXPECT_EQ(state_.runtime().cancelled_workers, 1U);
  apply(change(EventKind::worker_deleted, "w"));
  EXPECT_EQ(state_.find(worker_id("w")), nullptr);
  EXPECT_EQ(state_.runtime().live_workers(), 0U);
  EXPECT_EQ(state_.runtime().transcript_entries, 1U);
}

TEST_F(StateTest, WhatDoesNotFitIsRefusedAndChangesNothing) {
  apply(created("w"));
  auto gap = change(EventKind::worker_stopped, "w");
  ++gap.event.id.value;
  expect_misfit(gap);
  auto earlier = change(EventKind::worker_stopped, "w");
  earlier.event.at = {0};
  expect_misfit(earlier);
  auto foreign = change(EventKind::worker_stopped, "w");
  foreign.event.worker_ref = ref("w", "other");
  expect_misfit(foreign);
  expect_misfit(change(EventKind::worker_stopped, "x"));
  expect_misfit(change(EventKind::worker_stopped));
  expect_misfit(change(EventKind::worker_created, "x"));
  expect_misfit(change(EventKind::worker_input_accepted, "w"));
  expect_misfit(change(EventKind::unknown));
  expect_misfit(change(EventKind::worker_deleted, "w"));
  expect_misfit(created("w"));
  expect_misfit(entry("w", 2));
  expect_misfit(entry("x", 1));
  auto renamed = created("x");
  renamed.create->worker_id = worker_id("y");
  expect_misfit(renamed);
  auto compact = change(EventKind::worker_stopped, "w");
  compact.stopped_workers = 2;
  compact.event.id.value += 2;
  expect_misfit(compact);
  auto miscounted = change(EventKind::runtime_stopped);
  miscounted.stopped_workers = 2;
  miscounted.event.id.value += 2;
  expect_misfit(miscounted);
  apply(change(EventKind::worker_stopped, "w"));
  expect_misfit(change(EventKind::worker_stopped, "w"));
  expect_misfit(entry("w", 1));
}

TEST_F(StateTest, CommitsMustBeDenseAndNotEmpty) {
  Commit ahead = commit({created("w")});
  ++ahead.lsn.value;
  EXPECT_FALSE(state_.apply(ahead));
  EXPECT_FALSE(state_.apply(commit({})));
}

TEST_F(StateTest, ACommitAppliesAsAWholeOrNotAtAll) {
  Change good = created("w");
  Change bad = entry("w", 7);
  bad.event.id.value += 1;
  EXPECT_FALSE(state_.apply(commit({good, bad})));
  EXPECT_EQ(state_.find(worker_id("w")), nullptr);
}

TEST_F(StateTest, ACompactStopIsExpandedInIdOrder) {
  for (const std::string_view worker : {"c", "a", "b"}) apply(created(worker));
  apply(change(EventKind::worker_stopped, "b"));
  auto stop = change(EventKind::runtime_stopped);
  stop.event.message = "runtime stopped";
  stop.stopped_workers = 2;
  stop.event.id.value += 2;
  const Commit stopping = commit({stop});
  const Expansion expansion = state_.expand(stopping);
  const auto& events = expansion.events;
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].event->worker_ref, ref("a"));
  EXPECT_EQ(events[0].event->message, "worker stopped");
  EXPECT_EQ(events[0].event->id.value, 6U);
  EXPECT_EQ(events[1].event->worker_ref, ref("c"));
  EXPECT_EQ(events[1].event->kind, EventKind::worker_stopped);
  EXPECT_EQ(events[2].event->id.value, 8U);
  EXPECT_EQ(events[2].event->worker_ref, std::nullopt);
  const auto applied = state_.apply(stopping);
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->changed.size(), 2U);
  EXPECT_EQ(state_.find(worker_id("c"))->record.last_event_id.value, 7U);
  EXPECT_EQ(state_.runtime().stopped_workers, 3U);
  EXPECT_EQ(state_.runtime().status, RuntimeStatus::stopped);
}

TEST_F(StateTest, ListIsInOrderOfIds) {
  for (const std::string_view worker : {"b", "d", "a", "c"}) apply(created(worker));
  const auto ids = [&](const std::optional<WorkerId>& after, std::size_t count) {
    std::string text;
    for (const auto& worker : state_.list(after, count)) text += worker->record.worker_id.text();
    return text;
  };
  EXPECT_EQ(ids({}, 10), "abcd");
  EXPECT_EQ(ids({}, 2), "ab");
  EXPECT_EQ(ids(worker_id("b"), 10), "cd");
  EXPECT_EQ(ids(worker_id("bb"), 1), "c");
  EXPECT_EQ(ids(worker_id("d"), 1), "");
}

TEST_F(StateTest, OnlyWhatTheCounterDoesNotRememberLeavesATombstone) {
  apply(created("worker-00000001"));
  apply(created("worker-00000002", "key"));
  apply(created("mine"));
  for (const std::string_view worker : {"worker-00000001", "worker-00000002", "mine"}) {
    apply(change(EventKind::worker_stopped, worker));
    apply(change(EventKind::worker_deleted, worker));
  }
  EXPECT_EQ(state_.tombstones().size(), 2U);
  EXPECT_EQ(state_.runtime().next_worker, 3U);
  for (const std::string_view worker : {"worker-00000001", "worker-00000002", "mine"})
    expect_misfit(created(worker));
}

TEST_F(StateTest, SnapshotsRestoreTheSameState) {
  apply(created("w", "key"));
  apply(created("gone", "old"));
  apply(change(EventKind::worker_stopped, "gone"));
  apply(change(EventKind::worker_deleted, "gone"));
  State other(state_.runtime());
  other.put(state_.find(worker_id("w")));
  for (Tombstone& tombstone : state_.tombstones()) other.put(std::move(tombstone));
  const Head head(other.implementation());
  EXPECT_EQ(head.find_create_key("key")->worker_id, worker_id("w"));
  EXPECT_FALSE(head.find_create_key("key")->deleted);
  EXPECT_TRUE(head.find_create_key("old")->deleted);
  EXPECT_TRUE(head.is_taken(worker_id("gone")));
  EXPECT_FALSE(head.find_create_key("other"));
}

TEST_F(StateTest, AUnitThatIsRolledBackLeavesTheGroupAsItWas) {
  apply(created("w"));
  Head head(state_.implementation());
  Change first = entry("w", 1);
  first.entry->idempotency_key = "key";
  ASSERT_TRUE(head.apply(first, {3}));
  const RuntimeRecord before = head.runtime();

  head.begin_unit();
  Change second = entry("w", 2);
  second.event.id = second.entry->event_id = {4};
  second.entry->idempotency_key = "key";
  ASSERT_TRUE(head.apply(second, {4}));
  Change third = created("x", "create");
  third.event.id = {5};
  ASSERT_TRUE(head.apply(third, {4}));
  EXPECT_EQ(head.find_entry_key(worker_id("w"), "key")->sequence.value, 2U);
  head.roll_back();

  EXPECT_EQ(head.runtime(), before);
  EXPECT_EQ(head.find(worker_id("x")), nullptr);
  EXPECT_FALSE(head.is_taken(worker_id("x")));
  EXPECT_FALSE(head.find_create_key("create"));
  EXPECT_EQ(head.find(worker_id("w"))->record.last_sequence.value, 1U);
  EXPECT_EQ(head.find_entry_key(worker_id("w"), "key")->sequence.value, 1U);
  EXPECT_EQ(head.keyed_entries().size(), 1U);
  ASSERT_EQ(head.changed().size(), 1U);
  EXPECT_EQ(head.changed().front().worker->record.last_sequence.value, 1U);
}

TEST_F(StateTest, RollingBackWorksHoweverManyWorkersAGroupTouches) {
  Head head(state_.implementation());
  const auto create_next = [&](std::uint64_t number) {
    Change change = created("w" + std::to_string(number));
    change.event.id = head.runtime().last_event_id.next();
    ASSERT_TRUE(head.apply(change, {3}));
  };
  std::uint64_t next = 0;
  for (int round = 0; round < 8; ++round) {
    for (int count = 0; count < 3; ++count) create_next(next++);
    head.begin_unit();
    for (std::uint64_t number = 1000; number < 1005; ++number) create_next(number);
    EXPECT_NE(head.find(worker_id("w1004")), nullptr);
    head.roll_back();
    EXPECT_EQ(head.find(worker_id("w1000")), nullptr);
    EXPECT_EQ(head.changed().size(), next);
    for (std::uint64_t number = 0; number < next; ++number) {
      const WorkerState* const worker = head.find(worker_id("w" + std::to_string(number)));
      ASSERT_NE(worker, nullptr);
      EXPECT_EQ(worker->record.worker_id.text(), "w" + std::to_string(number));
    }
  }
}

TEST_F(StateTest, CountersStayWithinWhatEveryReaderKeeps) {
  apply(created("w"));
  Change full = entry("w", 1);
  full.entry->usage = {{"a", counter_max}, {"b", 1}};
  apply(full);
  Change more = entry("w", 2);
  more.entry->usage = {{"a", 5}, {"c", 1}};
  apply(more);
  const Counters expected{{"a", counter_max}, {"b", 1}, {"c", 1}};
  EXPECT_EQ(state_.find(worker_id("w"))->record.usage.counters, expected);
  EXPECT_EQ(state_.runtime().usage.counters, expected);
}

}  // namespace
}  // namespace worker_runtime
