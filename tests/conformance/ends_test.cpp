// stop, cancel, delete, stop_runtime, start_runtime, batch, the clock, and close.
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "store_conformance.h"

namespace worker_runtime::testing {
namespace {

TEST_P(StoreConformance, StopAndCancelSetTheStatusOnce) {
  const WorkerRef stopped = create("s");
  const WorkerRef cancelled = create("c");
  auto stop = runtime().stop_worker({stopped, std::nullopt});
  ASSERT_TRUE(is_ok(stop));
  EXPECT_EQ(*stop, (WorkerEnded{stopped, WorkerStatus::stopped, EventId{4}}));
  EXPECT_EQ(last_event().message, "worker stopped");
  EXPECT_EQ(last_event().kind, EventKind::worker_stopped);
  auto cancel = runtime().cancel_worker({cancelled, "no longer needed"});
  ASSERT_TRUE(is_ok(cancel));
  EXPECT_EQ(*cancel, (WorkerEnded{cancelled, WorkerStatus::cancelled, EventId{5}}));
  reopen();
  EXPECT_EQ(last_event().message, "no longer needed");
  EXPECT_EQ(last_event().kind, EventKind::worker_cancelled);
  EXPECT_EQ(last_event().worker_ref, cancelled);
  // Terminal already: the answer is what stands.
  auto again = runtime().cancel_worker({stopped, "again"});
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(*again, *stop);
  again = runtime().stop_worker({cancelled, std::nullopt});
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(*again, *cancel);
  EXPECT_EQ(all_events().size(), 5U);
  EXPECT_TRUE(fails_with(runtime().send_input(input(stopped, "x")), ErrorCode::worker_not_running));
  auto summary = runtime().summary();
  ASSERT_TRUE(is_ok(summary));
  EXPECT_EQ(summary->active_worker_count, 0U);
  EXPECT_EQ(summary->stopped_worker_count, 1U);
  EXPECT_EQ(summary->cancelled_worker_count, 1U);
}

TEST_P(StoreConformance, EndsRefuseBadReasonsAndChecksComeInOrder) {
  const WorkerRef worker = create("w");
  const std::uint64_t events = all_events().size();
  const auto both = [&](const WorkerRef& worker_ref, std::optional<std::string> reason,
                        ErrorCode code) {
    EXPECT_TRUE(fails_with(runtime().stop_worker({worker_ref, reason}), code));
    EXPECT_TRUE(fails_with(runtime().cancel_worker({worker_ref, reason}), code));
  };
  both(worker, "", ErrorCode::invalid_request);
  both(worker, "\u2003 ", ErrorCode::invalid_request);
  both(worker, "\xfe", ErrorCode::invalid_request);
  EXPECT_TRUE(fails_with_limit(runtime().stop_worker({worker, std::string(1025, 'r')}),
                               "reason_bytes", 1025, 1024));
  const WorkerRef foreign{runtime_id("another"), worker.worker_id};
  both(foreign, " ", ErrorCode::invalid_request);
  both(foreign, std::nullopt, ErrorCode::wrong_runtime);
  both(ref("none"), std::nullopt, ErrorCode::worker_not_found);
  EXPECT_TRUE(fails_with(runtime().delete_worker({foreign}), ErrorCode::wrong_runtime));
  EXPECT_TRUE(fails_with(runtime().delete_worker({ref("none")}), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(runtime().delete_worker({worker}), ErrorCode::worker_active));
  EXPECT_EQ(all_events().size(), events);
  ASSERT_TRUE(is_ok(runtime().cancel_worker({worker, std::string(1024, 'r')})));
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  reopen();
  // A stopped Runtime comes before a terminal Worker.
  both(worker, std::nullopt, ErrorCode::runtime_stopped);
  both(ref("none"), std::nullopt, ErrorCode::worker_not_found);
  EXPECT_TRUE(fails_with(runtime().delete_worker({worker}), ErrorCode::runtime_stopped));
}

TEST_P(StoreConformance, DeletedWorkerIsOutOfReachAndItsEventsStay) {
  const WorkerRef worker = create("w");
  const WorkerRef other = create("other");
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "secret"))));
  ASSERT_TRUE(is_ok(runtime().stop_worker({worker, std::nullopt})));
  const auto before = all_events();
  auto deleted = runtime().delete_worker({worker});
  ASSERT_TRUE(is_ok(deleted));
  EXPECT_EQ(*deleted, (WorkerDeleted{worker, EventId{6}}));
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(fails_with(runtime().worker_detail(worker), ErrorCode::worker_not_found));
    EXPECT_TRUE(fails_with(runtime().read_transcript(worker), ErrorCode::worker_not_found));
    EXPECT_TRUE(fails_with(runtime().send_input(input(worker, "x")), ErrorCode::worker_not_found));
    EXPECT_TRUE(fails_with(runtime().stop_worker({worker, {}}), ErrorCode::worker_not_found));
    EXPECT_TRUE(fails_with(runtime().delete_worker({worker}), ErrorCode::worker_not_found));
    ASSERT_EQ(all_workers().size(), 1U);
    EXPECT_EQ(all_workers()[0].worker_ref, other);
    auto events = all_events();
    EXPECT_EQ(events.back().kind, EventKind::worker_deleted);
    EXPECT_EQ(events.back().worker_ref, worker);
    events.pop_back();
    EXPECT_EQ(events, before);
    reopen();
  }
}

TEST_P(StoreConformance, StopRuntimeStopsEveryRunningWorkerInIdOrderAsOneUnit) {
  std::vector<Mutation> creates;
  for (int number = 299; number >= 0; --number) {
    creates.emplace_back(task("x", "w" + std::to_string(1000 + number)));
  }
  ASSERT_TRUE(is_ok(runtime().batch(creates)));
  ASSERT_TRUE(is_ok(runtime().cancel_worker({ref("w1100"), std::nullopt})));
  const std::uint64_t before = last_event().id.value;
  clock().advance(7);
  auto stopped = runtime().stop_runtime();
  ASSERT_TRUE(is_ok(stopped));
  EXPECT_EQ(stopped->event_id.value, before + 300);
  reopen();
  auto again = runtime().stop_runtime();
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(*again, *stopped);
  const auto events = all_events();
  ASSERT_EQ(events.size(), before + 300);
  std::string last_id;
  for (std::size_t at = before; at + 1 < events.size(); ++at) {
    const Event& event = events[at];
    EXPECT_EQ(event.kind, EventKind::worker_stopped);
    EXPECT_EQ(event.message, "worker stopped");
    EXPECT_EQ(event.at, clock().now());
    ASSERT_TRUE(event.worker_ref);
    EXPECT_LT(last_id, event.worker_ref->worker_id.text());
    last_id = event.worker_ref->worker_id.text();
    EXPECT_EQ(runtime().worker_detail(*event.worker_ref)->summary.last_event_id, event.id);
  }
  EXPECT_EQ(events.back().kind, EventKind::runtime_stopped);
  EXPECT_EQ(events.back().message, "runtime stopped");
  auto summary = runtime().summary();
  ASSERT_TRUE(is_ok(summary));
  EXPECT_EQ(summary->status, RuntimeStatus::stopped);
  EXPECT_EQ(summary->stopped_worker_count, 299U);
  EXPECT_EQ(summary->cancelled_worker_count, 1U);
  EXPECT_EQ(runtime().worker_detail(ref("w1100"))->summary.status, WorkerStatus::cancelled);
}

TEST_P(StoreConformance, StartRuntimeLeavesWorkersAsTheyAre) {
  create("w");
  auto started = runtime().start_runtime();
  ASSERT_TRUE(is_ok(started));
  EXPECT_EQ(started->event_id, EventId{2});  // running already
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  EXPECT_TRUE(fails_with(runtime().create_worker(task("x")), ErrorCode::runtime_stopped));
  reopen();
  EXPECT_EQ(runtime().summary()->status, RuntimeStatus::stopped);
  started = runtime().start_runtime();
  ASSERT_TRUE(is_ok(started));
  EXPECT_EQ(started->event_id, EventId{5});
  EXPECT_EQ(last_event().kind, EventKind::runtime_started);
  EXPECT_EQ(last_event().message, "runtime started");
  reopen();
  EXPECT_EQ(runtime().summary()->status, RuntimeStatus::running);
  EXPECT_EQ(runtime().worker_detail(ref("w"))->summary.status, WorkerStatus::stopped);
  create("another");
}

// ---- batches

TEST_P(StoreConformance, LaterOperationsOfABatchSeeEarlierOnes) {
  CreateRequest keyed = task("x", "w");
  keyed.idempotency_key = "create";
  auto done = runtime().batch({keyed, input(ref("w"), "hello", "k"), input(ref("w"), "hello", "k"),
                               output(ref("w"), "hi"), keyed, StopWorker{ref("w"), std::nullopt},
                               DeleteWorker{ref("w")}, StopRuntime{}, StartRuntime{},
                               StartRuntime{}, task("y")});
  ASSERT_TRUE(is_ok(done) && done->size() == 11);
  const auto& results = *done;
  EXPECT_EQ(std::get<WorkerDetail>(results[0]).summary.worker_ref, ref("w"));
  const EntryAccepted first{ref("w"), WorkerStatus::running, Sequence{1}, EventId{3}};
  EXPECT_EQ(std::get<EntryAccepted>(results[1]), first);
  EXPECT_EQ(std::get<EntryAccepted>(results[2]), first);
  EXPECT_EQ(std::get<EntryAccepted>(results[3]).event_id, EventId{4});
  EXPECT_EQ(std::get<WorkerDetail>(results[4]).summary.worker_ref, ref("w"));
  EXPECT_EQ(std::get<WorkerEnded>(results[5]).event_id, EventId{5});
  EXPECT_EQ(std::get<WorkerDeleted>(results[6]).event_id, EventId{6});
  EXPECT_EQ(std::get<RuntimeChanged>(results[7]).event_id, EventId{7});
  EXPECT_EQ(std::get<RuntimeChanged>(results[8]).event_id, EventId{8});
  EXPECT_EQ(std::get<RuntimeChanged>(results[9]).event_id, EventId{8});
  reopen();
  EXPECT_EQ(all_events().size(), 9U);
  EXPECT_EQ(all_workers().size(), 1U);
}

TEST_P(StoreConformance, BatchIsDoneAsAWholeOrNotAtAll) {
  const WorkerRef worker = create("w");
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "before"))));
  const auto events = all_events();
  const auto fails_at = [&](std::vector<Mutation> operations, std::uint64_t index, ErrorCode code) {
    auto failed = runtime().batch(std::move(operations));
    ASSERT_TRUE(fails_with(failed, code));
    EXPECT_EQ(failed.error().index(), index);
  };
  CreateRequest keyed = task("x", "new");
  keyed.idempotency_key = "key";
  fails_at({keyed, input(worker, "one", "k"), output(worker, "two"), task("generated"),
            StopWorker{worker, std::nullopt}, input(worker, "three")},
           5, ErrorCode::worker_not_running);
  fails_at({input(worker, "one", "k"), input(worker, " ")}, 1, ErrorCode::invalid_request);
  fails_at({input(ref("none"), "x"), input(worker, " ")}, 0, ErrorCode::worker_not_found);
  fails_at({StopRuntime{}, task("x")}, 1, ErrorCode::runtime_stopped);
  fails_at({StopWorker{worker, {}}, DeleteWorker{worker}, input(worker, "x")}, 2,
           ErrorCode::worker_not_found);
  EXPECT_EQ(all_events(), events);
  reopen();
  EXPECT_EQ(all_events(), events);
  EXPECT_EQ(all_entries(worker).size(), 1U);
  EXPECT_EQ(runtime().summary()->active_worker_count, 1U);
  // Keys and numbers of what was taken back are free.
  keyed.intent = TaskIntent{"another body"};
  EXPECT_TRUE(is_ok(runtime().create_worker(keyed)));
  EXPECT_EQ(runtime().send_input(input(worker, "another body", "k"))->sequence, Sequence{2});
  EXPECT_EQ(runtime().create_worker(task("x"))->summary.worker_ref, ref("worker-00000001"));
}

TEST_P(StoreConformance, BatchOfNothingIsDoneAndOneTooLongIsRefused) {
  open_with(with_limit("batch_operations", 3));
  auto none = runtime().batch({});
  ASSERT_TRUE(is_ok(none));
  EXPECT_TRUE(none->empty());
  EXPECT_TRUE(is_ok(runtime().batch(std::vector<Mutation>(3, task("x")))));
  EXPECT_TRUE(fails_with_limit(runtime().batch(std::vector<Mutation>(4, task("x"))),
                               "batch_operations", 4, 3));
  EXPECT_EQ(all_workers().size(), 3U);
}

// ---- the clock

TEST_P(StoreConformance, TimeOfEventsNeverGoesBack) {
  const Timestamp created_at = clock().now();
  const WorkerRef worker = create("w");
  const auto warnings = [&] {
    std::uint64_t count = 0;
    auto page = runtime().diagnostics();
    EXPECT_TRUE(is_ok(page));
    for (const Diagnostic& diagnostic : page->diagnostics) {
      if (diagnostic.severity != Severity::warning) continue;
      EXPECT_EQ(diagnostic.code, "clock.behind");
      ++count;
    }
    return count;
  };
  clock().advance(-900'000);  // tolerated
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "x"))));
  EXPECT_EQ(warnings(), 0U);
  clock().advance(-200'000);
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "x"))));
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "x"))));
  EXPECT_EQ(warnings(), 1U);  // a lasting condition is one diagnostic
  EXPECT_EQ(last_event().at, created_at);
  EXPECT_EQ(all_entries(worker).back().at, created_at);
  reopen();
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "x"))));
  EXPECT_EQ(last_event().at, created_at);
  clock().advance(2'000'000);
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "x"))));
  EXPECT_EQ(last_event().at, clock().now());
  clock().advance(-2'000'000);
  const std::uint64_t before = warnings();
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "x"))));
  EXPECT_EQ(warnings(), before + 1);
}

// ---- the end

TEST_P(StoreConformance, ClosedRuntimeRefusesEverything) {
  const WorkerRef worker = create("w");
  EXPECT_TRUE(is_ok(runtime().checkpoint()));
  ASSERT_TRUE(is_ok(runtime().close()));
  const auto closed = [](const auto& result) {
    EXPECT_TRUE(fails_with(result, ErrorCode::closed));
  };
  closed(runtime().close());
  closed(runtime().checkpoint());
  closed(runtime().create_worker(task("x")));
  closed(runtime().send_input(input(worker, "x")));
  closed(runtime().append_output(output(worker, "x")));
  closed(runtime().stop_worker({worker, std::nullopt}));
  closed(runtime().cancel_worker({worker, std::nullopt}));
  closed(runtime().delete_worker({worker}));
  closed(runtime().stop_runtime());
  closed(runtime().start_runtime());
  closed(runtime().batch({task("x")}));
  closed(runtime().list_workers());
  closed(runtime().worker_detail(worker));
  closed(runtime().summary());
  closed(runtime().diagnostics());
  closed(runtime().read_events());
  closed(runtime().read_transcript(worker));
  closed(runtime().wait_events(EventId{1}, std::chrono::hours(1)));
}

}  // namespace
}  // namespace worker_runtime::testing
