// fork_worker and import_worker: what the new Worker begins with, and what is refused.
#include <string>
#include <utility>
#include <vector>

#include "store_conformance.h"

namespace worker_runtime::testing {
namespace {

/// Two inputs and an output, with keys, data and usage; then it ends.
WorkerRef with_history(Runtime& runtime, const WorkerRef& worker) {
  AppendOutput rich = output(worker, "the answer", "key 2");
  rich.role = OutputRole::tool;
  rich.name = "search";
  rich.data = R"({"hits":[1,2]})";
  rich.usage = {{"tokens", 12}};
  EXPECT_TRUE(is_ok(runtime.send_input(input(worker, "a question", "key 1"))));
  EXPECT_TRUE(is_ok(runtime.append_output(rich)));
  EXPECT_TRUE(is_ok(runtime.send_input(input(worker, "another question"))));
  EXPECT_TRUE(is_ok(runtime.stop_worker({worker, std::nullopt})));
  return worker;
}

ForkWorker fork_of(const WorkerRef& origin, std::uint64_t at, std::string_view id) {
  ForkWorker request;
  request.worker_ref = origin;
  request.at = Sequence{at};
  request.worker_id = worker_id(id);
  return request;
}

TranscriptEntry imported(std::string content) {
  TranscriptEntry entry;
  entry.at = Timestamp{1'000'000};
  entry.content = std::move(content);
  return entry;
}

ImportWorker import_of(std::string_view id, std::vector<TranscriptEntry> entries) {
  ImportWorker request{task("go on", std::string(id)), std::move(entries)};
  request.request.origin =
      Origin{{runtime_id("elsewhere"), worker_id("other")}, Sequence{request.entries.size()}};
  return request;
}

TEST_P(StoreConformance, ForkHasTheHistoryUpToTheEntryAndItsOrigin) {
  const WorkerRef origin = with_history(runtime(), create("origin"));
  const std::vector<TranscriptEntry> before = all_entries(origin);
  const auto detail_before = runtime().worker_detail(origin);
  clock().advance(5'000'000);
  const auto forked = runtime().fork_worker(fork_of(origin, 2, "fork"));
  ASSERT_TRUE(is_ok(forked));
  EXPECT_EQ(forked->summary.status, WorkerStatus::running);
  EXPECT_EQ(forked->summary.transcript_len, 2U);
  EXPECT_EQ(forked->summary.usage.inputs, 1U);
  EXPECT_EQ(forked->summary.usage.outputs, 1U);
  EXPECT_EQ(forked->summary.usage.counters, (Counters{{"tokens", 12}}));
  EXPECT_EQ(forked->request->origin, (Origin{origin, Sequence{2}}));
  reopen();
  EXPECT_EQ(*runtime().worker_detail(ref("fork")), *forked);
  EXPECT_EQ(*runtime().worker_detail(origin), *detail_before);
  EXPECT_EQ(all_entries(origin), before);
  const std::vector<TranscriptEntry> entries = all_entries(ref("fork"));
  ASSERT_EQ(entries.size(), 2U);
  for (std::size_t at = 0; at < entries.size(); ++at) {
    TranscriptEntry expected = before[at];
    expected.worker_ref = ref("fork");
    expected.event_id = forked->summary.last_event_id;
    expected.copied = true;
    EXPECT_EQ(entries[at], expected);
  }
  const Event event = last_event();
  EXPECT_EQ(event.kind, EventKind::worker_created);
  EXPECT_EQ(event.id, forked->summary.last_event_id);
  EXPECT_EQ(event.at, clock().now());
}

TEST_P(StoreConformance, ForkGoesOnWithNumbersAndKeys) {
  const WorkerRef origin = with_history(runtime(), create("origin"));
  ASSERT_TRUE(is_ok(runtime().fork_worker(fork_of(origin, 3, "fork"))));
  reopen();
  const auto repeated = runtime().send_input(input(ref("fork"), "a question", "key 1"));
  ASSERT_TRUE(is_ok(repeated));
  EXPECT_EQ(repeated->sequence, Sequence{1});
  EXPECT_TRUE(fails_with(runtime().send_input(input(ref("fork"), "something else", "key 1")),
                         ErrorCode::idempotency_conflict));
  const auto next = runtime().send_input(input(ref("fork"), "go on"));
  ASSERT_TRUE(is_ok(next));
  EXPECT_EQ(next->sequence, Sequence{4});
  reopen();
  EXPECT_EQ(all_entries(ref("fork")).size(), 4U);
  EXPECT_EQ(all_entries(origin).size(), 3U);
}

TEST_P(StoreConformance, ForkOfNothingAndForkOfAForkWork) {
  const WorkerRef origin = with_history(runtime(), create("origin"));
  const auto empty = runtime().fork_worker(fork_of(origin, 0, "empty"));
  ASSERT_TRUE(is_ok(empty));
  EXPECT_EQ(empty->summary.transcript_len, 0U);
  ASSERT_TRUE(is_ok(runtime().fork_worker(fork_of(origin, 3, "first"))));
  ASSERT_TRUE(is_ok(runtime().fork_worker(fork_of(ref("first"), 1, "second"))));
  reopen();
  EXPECT_TRUE(all_entries(ref("empty")).empty());
  EXPECT_EQ(all_entries(ref("second")).size(), 1U);
  const auto second = runtime().worker_detail(ref("second"));
  ASSERT_TRUE(is_ok(second));
  EXPECT_EQ(second->request->origin, (Origin{ref("first"), Sequence{1}}));
}

TEST_P(StoreConformance, ForkOfATrimmedHistoryBeginsWithWhatIsKept) {
  const WorkerRef origin = with_history(runtime(), create("origin"));
  ASSERT_TRUE(is_ok(runtime().trim_transcript({origin, Sequence{3}})));
  EXPECT_TRUE(
      fails_with(runtime().fork_worker(fork_of(origin, 2, "none")), ErrorCode::cursor_expired));
  ASSERT_TRUE(is_ok(runtime().fork_worker(fork_of(origin, 3, "fork"))));
  reopen();
  const std::vector<TranscriptEntry> entries = all_entries(ref("fork"));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].sequence, Sequence{1});
  EXPECT_EQ(entries[0].content, "another question");
}

TEST_P(StoreConformance, ForkIsRepeatedByItsKeyAndRefusedOtherwise) {
  const WorkerRef origin = with_history(runtime(), create("origin"));
  ForkWorker request = fork_of(origin, 2, "fork");
  request.idempotency_key = "once";
  const auto forked = runtime().fork_worker(request);
  ASSERT_TRUE(is_ok(forked));
  reopen();
  const auto again = runtime().fork_worker(request);
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(*again, *forked);
  request.at = Sequence{1};
  EXPECT_TRUE(fails_with(runtime().fork_worker(request), ErrorCode::idempotency_conflict));
  EXPECT_TRUE(
      fails_with(runtime().fork_worker(fork_of(origin, 1, "fork")), ErrorCode::worker_exists));
  EXPECT_TRUE(
      fails_with(runtime().fork_worker(fork_of(origin, 4, "more")), ErrorCode::cursor_ahead));
  EXPECT_TRUE(fails_with(runtime().fork_worker(fork_of(ref("nobody"), 1, "more")),
                         ErrorCode::worker_not_found));
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  EXPECT_TRUE(
      fails_with(runtime().fork_worker(fork_of(origin, 1, "more")), ErrorCode::runtime_stopped));
}

TEST_P(StoreConformance, ImportRefusesWhatNoHistoryCanHave) {
  EXPECT_TRUE(fails_with(runtime().import_worker(import_of("blank", {imported(" ")})),
                         ErrorCode::invalid_request));
  ImportWorker request = import_of("no origin", {imported("text")});
  request.request.origin.reset();
  EXPECT_TRUE(fails_with(runtime().import_worker(request), ErrorCode::invalid_request));
  request = import_of("counters", {imported("a"), imported("b")});
  request.entries[0].usage = request.entries[1].usage = {{"tokens", counter_max}};
  EXPECT_TRUE(fails_with(runtime().import_worker(request), ErrorCode::limit_exceeded));
  request = import_of("time", {imported("a")});
  request.entries[0].at = Timestamp{timestamp_max.microseconds + 1};
  EXPECT_TRUE(fails_with(runtime().import_worker(request), ErrorCode::invalid_request));
  CreateRequest create = task("plain", "plain");
  create.origin = Origin{ref("other"), Sequence{1}};
  EXPECT_TRUE(fails_with(runtime().create_worker(create), ErrorCode::invalid_request));
  EXPECT_TRUE(all_workers().empty());
}

TEST_P(StoreConformance, HistoryThatIsTooLargeForACommitIsRefused) {
  open_with(with_limit("commit_bytes", 3000));
  const WorkerRef origin = create("origin");
  for (int number = 0; number < 4; ++number)
    ASSERT_TRUE(is_ok(runtime().send_input(input(origin, std::string(1000, 'x')))));
  const auto refused = runtime().fork_worker(fork_of(origin, 4, "fork"));
  ASSERT_TRUE(fails_with(refused, ErrorCode::limit_exceeded));
  EXPECT_EQ(refused.error().get<LimitFields>()->what, "commit_bytes");
  EXPECT_TRUE(is_ok(runtime().fork_worker(fork_of(origin, 1, "fork"))));
}

TEST_P(StoreConformance, ImportInABatchIsSeenByWhatFollows) {
  ImportWorker request = import_of("copy", {imported("asked"), imported("asked again")});
  request.entries[0].idempotency_key = "known";
  const auto done = runtime().batch({request, input(ref("copy"), "asked", "known"),
                                     input(ref("copy"), "more"), StopWorker{ref("copy"), {}}});
  ASSERT_TRUE(is_ok(done));
  EXPECT_EQ(std::get<EntryAccepted>((*done)[1]).sequence, Sequence{1});
  EXPECT_EQ(std::get<EntryAccepted>((*done)[2]).sequence, Sequence{3});
  // None of a unit that fails stays.
  EXPECT_TRUE(fails_with(
      runtime().batch({import_of("none", {imported("gone")}), input(ref("nobody"), "x")}),
      ErrorCode::worker_not_found));
  reopen();
  EXPECT_EQ(all_entries(ref("copy")).size(), 3U);
  EXPECT_EQ(all_workers().size(), 1U);
}

}  // namespace
}  // namespace worker_runtime::testing
