// Idempotency keys, and batches.
#include <gtest/gtest.h>

#include "core_fixture.h"

namespace worker_runtime::testing {
namespace {

using RuntimeIdempotencyTest = RuntimeTest;
using RuntimeBatchTest = RuntimeTest;

CreateRequest keyed_create(std::string key, std::string_view id = {}) {
  CreateRequest request = create(id);
  request.idempotency_key = std::move(key);
  return request;
}

TEST_F(RuntimeIdempotencyTest, ARepeatedEntryAnswersWhatTheFirstAnswered) {
  const auto first = runtime_.send_input(keyed_input("w", "key"));
  ASSERT_TRUE(runtime_.send_input(input("w")));
  EXPECT_EQ(*runtime_.send_input(keyed_input("w", "key")), *first);
  EXPECT_EQ(events(), 4U);
  EXPECT_EQ(code_of(runtime_.send_input(keyed_input("w", "key", "other"))),
            ErrorCode::idempotency_conflict);
  SendInput system = keyed_input("w", "key");
  system.role = InputRole::system;
  EXPECT_EQ(code_of(runtime_.send_input(system)), ErrorCode::idempotency_conflict);
}

TEST_F(RuntimeIdempotencyTest, InputsAndOutputsShareTheKeysOfAWorkerAndNoOther) {
  ASSERT_TRUE(runtime_.create_worker(create("x")));
  ASSERT_TRUE(runtime_.send_input(keyed_input("w", "key")));
  AppendOutput request = output("w", "hello");
  request.idempotency_key = "key";
  EXPECT_EQ(code_of(runtime_.append_output(request)), ErrorCode::idempotency_conflict);
  EXPECT_EQ(runtime_.send_input(keyed_input("x", "key"))->sequence.value, 1U);
}

TEST_F(RuntimeIdempotencyTest, WhiteSpaceOfDataAndOrderOfUsageAreTheSameBody) {
  AppendOutput request = output("w");
  request.idempotency_key = "key";
  request.data = "{\"a\":1}";
  request.usage = {{"a", 1}, {"b", 2}};
  const auto first = runtime_.append_output(request);
  request.data = " { \"a\" : 1 } ";
  request.usage = {{"b", 2}, {"a", 1}};
  EXPECT_EQ(*runtime_.append_output(request), *first);
  request.usage = {{"b", 2}};
  EXPECT_EQ(code_of(runtime_.append_output(request)), ErrorCode::idempotency_conflict);
}

TEST_F(RuntimeIdempotencyTest, KeysCoverTheNewestThousandEntries) {
  ASSERT_TRUE(runtime_.send_input(keyed_input("w", "key")));
  for (int count = 0; count < 999; ++count) ASSERT_TRUE(runtime_.send_input(input("w")));
  EXPECT_EQ(runtime_.send_input(keyed_input("w", "key"))->sequence.value, 1U);
  ASSERT_TRUE(runtime_.send_input(input("w")));
  EXPECT_EQ(runtime_.send_input(keyed_input("w", "key"))->sequence.value, 1002U);
  EXPECT_EQ(runtime_.send_input(keyed_input("w", "key"))->sequence.value, 1002U);
}

TEST_F(RuntimeIdempotencyTest, KeysCoverAsMuchWithinOneBatch) {
  std::vector<Mutation> operations{keyed_input("w", "key")};
  for (int count = 0; count < 997; ++count) operations.emplace_back(input("w"));
  operations.emplace_back(keyed_input("w", "key"));
  const auto answers = runtime_.batch(operations);
  ASSERT_TRUE(answers);
  EXPECT_EQ(answers->front(), answers->back());
  EXPECT_EQ(runtime_.worker_detail(ref("w"))->summary.transcript_len, 998U);
}

TEST_F(RuntimeIdempotencyTest, ARepeatedCreateAnswersTheWorkerAsItIsNow) {
  const auto first = runtime_.create_worker(keyed_create("key"));
  ASSERT_TRUE(runtime_.stop_worker({first->summary.worker_ref, {}}));
  const auto again = runtime_.create_worker(keyed_create("key"));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *runtime_.worker_detail(first->summary.worker_ref));
  EXPECT_EQ(again->summary.status, WorkerStatus::stopped);
  EXPECT_EQ(runtime_.diagnostics()->total, 4U);
  EXPECT_EQ(code_of(runtime_.create_worker(keyed_create("key", "x"))),
            ErrorCode::idempotency_conflict);
  ASSERT_TRUE(runtime_.stop_runtime());
  EXPECT_TRUE(runtime_.create_worker(keyed_create("key")));
}

TEST_F(RuntimeIdempotencyTest, TheKeyOfADeletedWorkerIsNotUsedAgain) {
  const auto first = runtime_.create_worker(keyed_create("key"));
  ASSERT_TRUE(runtime_.stop_worker({first->summary.worker_ref, {}}));
  ASSERT_TRUE(runtime_.delete_worker({first->summary.worker_ref}));
  EXPECT_EQ(code_of(runtime_.create_worker(keyed_create("key"))), ErrorCode::worker_not_found);
  EXPECT_EQ(code_of(runtime_.create_worker(keyed_create("key", "x"))),
            ErrorCode::idempotency_conflict);
}

// ---- batches

TEST_F(RuntimeBatchTest, LaterOperationsSeeEarlierOnes) {
  const auto answers = runtime_.batch({create("a"), input("a"), keyed_create("key"),
                                       keyed_create("key"), StopWorker{ref("a"), {}},
                                       DeleteWorker{ref("a")}, StopRuntime{}, StartRuntime{}});
  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 8U);
  EXPECT_EQ(std::get<EntryAccepted>((*answers)[1]).sequence.value, 1U);
  EXPECT_EQ((*answers)[2], (*answers)[3]);
  EXPECT_EQ(std::get<RuntimeChanged>((*answers)[7]).event_id.value, 11U);
  EXPECT_EQ(events(), 11U);
  EXPECT_EQ(runtime_.list_workers({StatusFilter::stopped, {}, {}})->workers.size(), 2U);
  EXPECT_EQ(runtime_.diagnostics()->total, 6U);
}

TEST_F(RuntimeBatchTest, AllOrNone) {
  const auto before = *runtime_.summary();
  const auto refused =
      runtime_.batch({create("a"), keyed_input("w", "key"), StopWorker{ref("w"), {}},
                      keyed_create("key"), input("w"), create("b")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::worker_not_running);
  EXPECT_EQ(refused.error().index(), 4U);
  EXPECT_EQ(*runtime_.summary(), before);
  // Neither ids nor keys were used.
  EXPECT_TRUE(runtime_.create_worker(create("a")));
  EXPECT_EQ(runtime_.create_worker(keyed_create("key"))->summary.worker_ref,
            ref("worker-00000001"));
  EXPECT_EQ(runtime_.send_input(keyed_input("w", "key", "other"))->sequence.value, 1U);
}

TEST_F(RuntimeBatchTest, TheFirstFailureWinsWhateverItsKind) {
  auto refused = runtime_.batch({input("x"), input("w", "")});
  EXPECT_EQ(code_of(refused), ErrorCode::worker_not_found);
  EXPECT_EQ(refused.error().index(), 0U);
  refused = runtime_.batch({input("w"), input("w", ""), input("x")});
  EXPECT_EQ(code_of(refused), ErrorCode::invalid_request);
  EXPECT_EQ(refused.error().index(), 1U);
}

TEST_F(RuntimeBatchTest, AReplayStaysAnAnswerWhenTheBatchDeletesItsWorker) {
  ASSERT_TRUE(runtime_.create_worker(keyed_create("key", "x")));
  const auto answers =
      runtime_.batch({StopWorker{ref("x"), {}}, keyed_create("key", "x"), DeleteWorker{ref("x")}});
  ASSERT_TRUE(answers);
  EXPECT_EQ(std::get<WorkerDetail>((*answers)[1]).summary.status, WorkerStatus::stopped);
}

TEST_F(RuntimeBatchTest, SizesAtTheEnds) {
  EXPECT_TRUE(runtime_.batch({})->empty());
  EXPECT_EQ(events(), 2U);
  std::vector<Mutation> operations(1000, input("w"));
  EXPECT_TRUE(runtime_.batch(operations));
  operations.emplace_back(input("w"));
  const auto refused = runtime_.batch(operations);
  EXPECT_EQ(*refused.error().get<LimitFields>(), (LimitFields{"batch_operations", 1001, 1000}));
}

TEST_F(RuntimeBatchTest, ABatchThatOnlyAnswersCommitsNothing) {
  ASSERT_TRUE(runtime_.stop_worker({ref("w"), {}}));
  const auto answers = runtime_.batch({StopWorker{ref("w"), {}}, StartRuntime{}});
  ASSERT_TRUE(answers);
  EXPECT_EQ(std::get<WorkerEnded>(answers->front()).event_id.value, 3U);
  EXPECT_EQ(events(), 3U);
}

}  // namespace
}  // namespace worker_runtime::testing
