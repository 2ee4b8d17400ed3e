// What each operation does and refuses, in the order of its checks.
#include <gtest/gtest.h>

#include "core_fixture.h"

namespace worker_runtime::testing {
namespace {

using RuntimeOperationsTest = RuntimeTest;

TEST_F(RuntimeOperationsTest, AFreshRuntimeHasStarted) {
  const auto page = runtime_.read_events();
  ASSERT_TRUE(page);
  EXPECT_EQ(page->events.front().id.value, 1U);
  EXPECT_EQ(page->events.front().kind, EventKind::runtime_started);
  EXPECT_EQ(page->events.front().message, "runtime started");
  EXPECT_EQ(page->events.front().worker_ref, std::nullopt);
}

TEST_F(RuntimeOperationsTest, CreateAnswersTheDetailAndTellsWhatIsMissing) {
  CreateRequest request = create("x");
  request.display_name = "X";
  const auto detail = runtime_.create_worker(request);
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->summary.worker_ref, ref("x"));
  EXPECT_EQ(detail->summary.status, WorkerStatus::running);
  EXPECT_EQ(detail->summary.last_event_id.value, 3U);
  EXPECT_EQ(*detail->request, request);
  EXPECT_EQ(*runtime_.worker_detail(ref("x")), *detail);
  EXPECT_EQ(runtime_.read_events({EventId{3}, {}, {}})->events.front().message, "worker x created");
  const auto diagnostics = runtime_.diagnostics()->diagnostics;
  ASSERT_EQ(diagnostics.size(), 4U);
  EXPECT_EQ(diagnostics[2].code, "runtime.local_default_resources");
  EXPECT_EQ(diagnostics[3].code, "worker.tools_less");
  EXPECT_EQ(diagnostics[3].worker_ref, ref("x"));

  CreateRequest complete = create("y");
  complete.config_bundle = "bundle";
  complete.requested_capabilities = {{"shell", std::nullopt}};
  ASSERT_TRUE(runtime_.create_worker(complete));
  EXPECT_EQ(runtime_.diagnostics()->total, 4U);
}

TEST_F(RuntimeOperationsTest, GeneratedIdsSkipTakenOnesAndAreNeverUsedAgain) {
  ASSERT_TRUE(runtime_.create_worker(create("worker-00000002")));
  EXPECT_EQ(runtime_.create_worker(create())->summary.worker_ref, ref("worker-00000001"));
  EXPECT_EQ(runtime_.create_worker(create())->summary.worker_ref, ref("worker-00000003"));
  for (const std::string_view worker : {"worker-00000001", "worker-00000002"}) {
    ASSERT_TRUE(runtime_.stop_worker({ref(worker), {}}));
    ASSERT_TRUE(runtime_.delete_worker({ref(worker)}));
    EXPECT_EQ(code_of(runtime_.create_worker(create(worker))), ErrorCode::worker_exists);
  }
  EXPECT_EQ(runtime_.create_worker(create())->summary.worker_ref, ref("worker-00000004"));
}

TEST_F(RuntimeOperationsTest, ATakenIdIsRefusedAlsoAfterDeletion) {
  EXPECT_EQ(code_of(runtime_.create_worker(create("w"))), ErrorCode::worker_exists);
  ASSERT_TRUE(runtime_.cancel_worker({ref("w"), {}}));
  ASSERT_TRUE(runtime_.delete_worker({ref("w")}));
  EXPECT_EQ(code_of(runtime_.create_worker(create("w"))), ErrorCode::worker_exists);
  EXPECT_EQ(code_of(runtime_.worker_detail(ref("w"))), ErrorCode::worker_not_found);
  EXPECT_EQ(code_of(runtime_.read_transcript(ref("w"))), ErrorCode::worker_not_found);
}

TEST_F(RuntimeOperationsTest, EntriesAreEventAndTranscriptAsOneUnit) {
  const auto sent = runtime_.send_input(input("w", "question"));
  ASSERT_TRUE(sent);
  EXPECT_EQ(*sent, (EntryAccepted{ref("w"), WorkerStatus::running, {1}, {3}}));
  AppendOutput answer = output("w", "answer");
  answer.role = OutputRole::tool;
  answer.name = "calculator";
  answer.data = "{ }";
  answer.usage = {{"tokens", 3}};
  ASSERT_TRUE(runtime_.append_output(answer));
  const auto page = runtime_.read_transcript(ref("w"));
  ASSERT_EQ(page->items.size(), 2U);
  EXPECT_EQ(page->items[0].role, Role::user);
  EXPECT_EQ(page->items[0].event_id.value, 3U);
  EXPECT_EQ(page->items[1].role, Role::tool);
  EXPECT_EQ(page->items[1].data, "{}");
  EXPECT_EQ(page->items[1].sequence.value, 2U);
  const auto events = runtime_.read_events({EventId{3}, {}, {}})->events;
  EXPECT_EQ(events[0].message, "input accepted");
  EXPECT_EQ(events[0].sequence, Sequence{1});
  EXPECT_EQ(events[1].message, "output appended");
  EXPECT_EQ(events[1].at, page->items[1].at);
  const auto usage = runtime_.worker_detail(ref("w"))->summary.usage;
  EXPECT_EQ(usage, (Usage{1, 1, 14, {{"tokens", 3}}}));
  EXPECT_EQ(runtime_.summary()->usage, usage);
}

TEST_F(RuntimeOperationsTest, StopAndCancelEndAWorkerOnce) {
  ASSERT_TRUE(runtime_.create_worker(create("x")));
  const auto stopped = runtime_.stop_worker({ref("w"), {}});
  EXPECT_EQ(*stopped, (WorkerEnded{ref("w"), WorkerStatus::stopped, {4}}));
  const auto cancelled = runtime_.cancel_worker({ref("x"), "enough"});
  EXPECT_EQ(*cancelled, (WorkerEnded{ref("x"), WorkerStatus::cancelled, {5}}));
  EXPECT_EQ(*runtime_.cancel_worker({ref("w"), {}}), *stopped);
  EXPECT_EQ(*runtime_.stop_worker({ref("x"), {}}), *cancelled);
  const auto events = runtime_.read_events({EventId{4}, {}, {}})->events;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].message, "worker stopped");
  EXPECT_EQ(events[1].message, "enough");
}

TEST_F(RuntimeOperationsTest, DeletionNeedsAnEndAndKeepsTheEventLog) {
  EXPECT_EQ(code_of(runtime_.delete_worker({ref("w")})), ErrorCode::worker_active);
  ASSERT_TRUE(runtime_.send_input(input("w")));
  ASSERT_TRUE(runtime_.stop_worker({ref("w"), {}}));
  EXPECT_EQ(*runtime_.delete_worker({ref("w")}), (WorkerDeleted{ref("w"), {5}}));
  EXPECT_EQ(runtime_.list_workers()->workers.size(), 0U);
  EXPECT_EQ(events(), 5U);
  const auto summary = runtime_.summary();
  EXPECT_EQ(summary->worker_count, 0U);
  EXPECT_EQ(summary->transcript_entry_count, 1U);
  EXPECT_EQ(summary->content_bytes, 5U);
}

TEST_F(RuntimeOperationsTest, StoppingTheRuntimeStopsItsWorkersAsOneUnit) {
  ASSERT_TRUE(runtime_.create_worker(create("a")));
  ASSERT_TRUE(runtime_.create_worker(create("b")));
  ASSERT_TRUE(runtime_.cancel_worker({ref("b"), {}}));
  EXPECT_EQ(runtime_.stop_runtime()->event_id.value, 8U);
  EXPECT_EQ(runtime_.stop_runtime()->event_id.value, 8U);
  const auto events = runtime_.read_events({EventId{6}, {}, {}})->events;
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].worker_ref, ref("a"));
  EXPECT_EQ(events[1].worker_ref, ref("w"));
  EXPECT_EQ(events[2].kind, EventKind::runtime_stopped);
  EXPECT_EQ(runtime_.start_runtime()->event_id.value, 9U);
  EXPECT_EQ(runtime_.start_runtime()->event_id.value, 9U);
  EXPECT_EQ(runtime_.worker_detail(ref("a"))->summary.status, WorkerStatus::stopped);
  EXPECT_EQ(runtime_.summary()->status, RuntimeStatus::running);
}

TEST_F(RuntimeOperationsTest, ChecksComeInTheirOrder) {
  SendInput bad = input("w", " ");
  bad.worker_ref = ref("x", "other");
  EXPECT_EQ(code_of(runtime_.send_input(bad)), ErrorCode::invalid_request);
  bad.content = "x";
  EXPECT_EQ(code_of(runtime_.send_input(bad)), ErrorCode::wrong_runtime);
  EXPECT_EQ(code_of(runtime_.send_input(input("x"))), ErrorCode::worker_not_found);
  ASSERT_TRUE(runtime_.send_input(keyed_input("w", "key")));
  ASSERT_TRUE(runtime_.stop_worker({ref("w"), {}}));
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::worker_not_running);
  ASSERT_TRUE(runtime_.stop_runtime());
  EXPECT_EQ(code_of(runtime_.send_input(input("w"))), ErrorCode::runtime_stopped);
  EXPECT_EQ(code_of(runtime_.append_output(output("x"))), ErrorCode::worker_not_found);
  EXPECT_EQ(code_of(runtime_.stop_worker({ref("w"), {}})), ErrorCode::runtime_stopped);
  EXPECT_EQ(code_of(runtime_.delete_worker({ref("w")})), ErrorCode::runtime_stopped);
  EXPECT_EQ(code_of(runtime_.create_worker(create("w"))), ErrorCode::runtime_stopped);
  // The key comes before the state of things.
  EXPECT_EQ(runtime_.send_input(keyed_input("w", "key"))->status, WorkerStatus::stopped);
  EXPECT_EQ(code_of(runtime_.send_input(keyed_input("w", "key", "other"))),
            ErrorCode::idempotency_conflict);
}

TEST_F(RuntimeOperationsTest, ARefusalChangesNothing) {
  const auto before = *runtime_.summary();
  EXPECT_FALSE(runtime_.send_input(input("w", "")));
  EXPECT_FALSE(runtime_.create_worker(create("w")));
  EXPECT_FALSE(runtime_.delete_worker({ref("w")}));
  EXPECT_EQ(*runtime_.summary(), before);
}

TEST(RuntimeLimitsTest, LiveWorkersAreBoundedAndDeletionMakesRoom) {
  auto runtime = *Runtime::in_memory(runtime_id(), with_limit("live_workers", 1));
  ASSERT_TRUE(runtime.create_worker(create("a")));
  EXPECT_EQ(limit_of(runtime.create_worker(create("b"))), "live_workers");
  EXPECT_EQ(code_of(runtime.create_worker(create("a"))), ErrorCode::worker_exists);
  ASSERT_TRUE(runtime.stop_worker({ref("a"), {}}));
  ASSERT_TRUE(runtime.delete_worker({ref("a")}));
  EXPECT_TRUE(runtime.create_worker(create("b")));
}

TEST(RuntimeLimitsTest, NamedCountersOfAWorkerAreBoundedOverAllItsEntries) {
  auto runtime = *Runtime::in_memory(runtime_id(), with_limit("named_counters", 2));
  ASSERT_TRUE(runtime.create_worker(create("a")));
  AppendOutput request = output("a");
  request.usage = {{"x", counter_max}, {"y", 1}};
  ASSERT_TRUE(runtime.append_output(request));
  request.usage = {{"y", 1}, {"z", 1}};
  EXPECT_EQ(limit_of(runtime.append_output(request)), "named_counters");
  request.usage = {{"x", 1}};
  EXPECT_EQ(code_of(runtime.append_output(request)), ErrorCode::limit_exceeded);
  request.usage = {{"y", 1}};
  EXPECT_TRUE(runtime.append_output(request));
}

TEST(RuntimeLimitsTest, ACommitIsBounded) {
  auto runtime = *Runtime::in_memory(runtime_id(), with_limit("commit_bytes", 100));
  ASSERT_TRUE(runtime.create_worker(create("a")));
  const auto refused = runtime.send_input(input("a", std::string(101, 'x')));
  EXPECT_EQ(limit_of(refused), "commit_bytes");
  EXPECT_EQ(runtime.send_input(input("a"))->sequence.value, 1U);
}

TEST(RuntimeClockTest, TimeNeverGoesBackAndAClockBehindIsToldOnce) {
  SetClock clock;
  RuntimeOptions options;
  options.clock = clock.clock();
  auto runtime = *Runtime::in_memory(runtime_id(), options);
  CreateRequest request = create("w");
  request.config_bundle = "b";
  request.requested_capabilities = {{"c", {}}};
  ASSERT_TRUE(runtime.create_worker(request));
  const auto last = [&] {
    return runtime.read_events({{}, 1, Direction::newest_first})->events.front().at.microseconds;
  };
  const std::int64_t start = last();
  clock.advance(-1'000'000);
  ASSERT_TRUE(runtime.send_input(input("w")));
  EXPECT_EQ(last(), start);
  EXPECT_EQ(runtime.diagnostics()->total, 0U);
  clock.advance(-1);
  ASSERT_TRUE(runtime.send_input(input("w")));
  ASSERT_TRUE(runtime.send_input(input("w")));
  EXPECT_EQ(last(), start);
  ASSERT_EQ(runtime.diagnostics()->total, 1U);
  EXPECT_EQ(runtime.diagnostics()->diagnostics.front().code, "clock.behind");
  clock.set(start + 5);
  ASSERT_TRUE(runtime.send_input(input("w")));
  EXPECT_EQ(last(), start + 5);
  clock.set(0);
  ASSERT_TRUE(runtime.send_input(input("w")));
  EXPECT_EQ(runtime.diagnostics()->total, 2U);
  clock.set(INT64_MAX);
  ASSERT_TRUE(runtime.send_input(input("w")));
  EXPECT_EQ(last(), timestamp_max.microseconds);
}

}  // namespace
}  // namespace worker_runtime::testing
