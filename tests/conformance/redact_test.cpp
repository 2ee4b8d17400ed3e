// redact: the text goes, for every reader and for good, and everything else stays.
#include <string>
#include <vector>

#include "store_conformance.h"

namespace worker_runtime::testing {
namespace {

/// "first", an output with a name, data, usage and the key "tool key", "third".
WorkerRef with_entries(Runtime& runtime, WorkerRef worker) {
  EXPECT_TRUE(is_ok(runtime.send_input(input(worker, "first", "input key"))));
  AppendOutput said = output(worker, "the secret");
  said.role = OutputRole::tool;
  said.name = "finder";
  said.data = R"({"secret":true})";
  said.usage = {{"tokens", 7}};
  said.idempotency_key = "tool key";
  EXPECT_TRUE(is_ok(runtime.append_output(said)));
  EXPECT_TRUE(is_ok(runtime.send_input(input(worker, "third"))));
  return worker;
}

TEST_P(StoreConformance, ARedactedEntryHasLostItsTextAndNothingElse) {
  const WorkerRef worker = with_entries(runtime(), create("w"));
  std::vector<TranscriptEntry> expected = all_entries(worker);
  const std::vector<Event> events = all_events();
  const auto detail = runtime().worker_detail(worker);
  ASSERT_TRUE(is_ok(detail));
  const auto redacted = runtime().redact({worker, Sequence{2}});
  ASSERT_TRUE(is_ok(redacted));
  EXPECT_EQ(*redacted, (Redacted{worker, Sequence{2}}));
  expected[1].content.clear();
  expected[1].data.reset();
  expected[1].redacted = 10;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(all_entries(worker), expected);
    TranscriptQuery newest;
    newest.direction = Direction::newest_first;
    const auto down = runtime().read_transcript(worker, newest);
    ASSERT_TRUE(is_ok(down));
    EXPECT_EQ(down->items, (std::vector<TranscriptEntry>(expected.rbegin(), expected.rend())));
    TranscriptQuery from_it;
    from_it.start = 1;
    from_it.limit = 1;
    const auto one = runtime().read_transcript(worker, from_it);
    ASSERT_TRUE(is_ok(one));
    EXPECT_EQ(one->items, std::vector<TranscriptEntry>{expected[1]});
    EXPECT_EQ(all_events(), events);
    const auto now = runtime().worker_detail(worker);
    ASSERT_TRUE(is_ok(now));
    EXPECT_EQ(now->summary, detail->summary);
    // Again: it is done already.
    EXPECT_EQ(runtime().redact({worker, Sequence{2}}).value(), *redacted);
    if (round == 0) {
      ASSERT_TRUE(is_ok(runtime().checkpoint()));
    }
    if (round == 1) reopen();
  }
}

TEST_P(StoreConformance, AKeyOfARedactedEntryIsARepetitionWhateverComesWithIt) {
  const WorkerRef worker = with_entries(runtime(), create("w"));
  EXPECT_TRUE(fails_with(runtime().send_input(input(worker, "another", "tool key")),
                         ErrorCode::idempotency_conflict));
  ASSERT_TRUE(is_ok(runtime().redact({worker, Sequence{2}})));
  for (int round = 0; round < 2; ++round) {
    const auto again = runtime().send_input(input(worker, "another", "tool key"));
    ASSERT_TRUE(is_ok(again));
    EXPECT_EQ(again->sequence, Sequence{2});
    EXPECT_TRUE(fails_with(runtime().send_input(input(worker, "another", "input key")),
                           ErrorCode::idempotency_conflict));
    reopen();
  }
}

TEST_P(StoreConformance, ARedactionTellsWhyItCannotBe) {
  const WorkerRef worker = with_entries(runtime(), create("w"));
  EXPECT_TRUE(fails_with(runtime().redact({worker, Sequence{0}}), ErrorCode::invalid_request));
  EXPECT_TRUE(fails_with(runtime().redact({worker, Sequence{4}}), ErrorCode::cursor_ahead));
  EXPECT_TRUE(
      fails_with(runtime().redact({ref("none"), Sequence{1}}), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(
      runtime().redact({{RuntimeId::parse("other").value(), worker.worker_id}, Sequence{1}}),
      ErrorCode::wrong_runtime));
  ASSERT_TRUE(is_ok(runtime().trim_transcript({worker, Sequence{2}})));
  const auto trimmed = runtime().redact({worker, Sequence{1}});
  ASSERT_TRUE(fails_with(trimmed, ErrorCode::cursor_expired));
  EXPECT_EQ(trimmed.error().get<CursorFields>()->first_available, 2U);
}

TEST_P(StoreConformance, ARedactionNeedsNobodyThatRuns) {
  const WorkerRef worker = with_entries(runtime(), create("w"));
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  ASSERT_TRUE(is_ok(runtime().redact({worker, Sequence{1}})));
  EXPECT_EQ(all_entries(worker).at(0).redacted, 5U);
}

TEST_P(StoreConformance, ABatchRedactsWhatItHasMadeItself) {
  const WorkerRef worker = create("w");
  const auto answers = runtime().batch(
      {input(worker, "mistake", "key"), Redact{worker, Sequence{1}}, Redact{worker, Sequence{1}},
       input(worker, "whatever", "key"), task("made in it", "made"), input(ref("made"), "one more"),
       Redact{ref("made"), Sequence{1}}});
  ASSERT_TRUE(is_ok(answers));
  EXPECT_EQ(std::get<EntryAccepted>(answers->at(3)).sequence, Sequence{1});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(all_entries(worker).at(0).redacted, 7U);
    EXPECT_EQ(all_entries(worker).size(), 1U);
    EXPECT_EQ(all_entries(ref("made")).at(0).redacted, 8U);
    reopen();
  }
}

TEST_P(StoreConformance, ABatchThatFailsRedactsNothing) {
  const WorkerRef worker = with_entries(runtime(), create("w"));
  const auto refused = runtime().batch({Redact{worker, Sequence{2}}, input(ref("none"), "x")});
  EXPECT_TRUE(fails_with(refused, ErrorCode::worker_not_found));
  EXPECT_EQ(all_entries(worker).at(1).content, "the secret");
  EXPECT_TRUE(fails_with(runtime().send_input(input(worker, "another", "tool key")),
                         ErrorCode::idempotency_conflict));
}

TEST_P(StoreConformance, ARedactedEntryOfAWorkerThatGoesInTheSameBatchIsNoTrouble) {
  const WorkerRef worker = with_entries(runtime(), create("w"));
  ASSERT_TRUE(is_ok(runtime().batch(
      {Redact{worker, Sequence{1}}, TrimTranscript{worker, Sequence{3}}, StopWorker{worker, {}}})));
  ASSERT_TRUE(is_ok(runtime().batch({Redact{worker, Sequence{3}}, DeleteWorker{worker}})));
  reopen();
  EXPECT_TRUE(fails_with(runtime().read_transcript(worker), ErrorCode::worker_not_found));
}

TEST_P(StoreConformance, AForkTakesARedactedEntryAsItIs) {
  const WorkerRef worker = with_entries(runtime(), create("w"));
  ASSERT_TRUE(is_ok(runtime().redact({worker, Sequence{2}})));
  ForkWorker request;
  request.worker_ref = worker;
  request.at = Sequence{3};
  request.worker_id = WorkerId::parse("fork").value();
  const auto fork = runtime().fork_worker(request);
  ASSERT_TRUE(is_ok(fork));
  const auto origin = runtime().worker_detail(worker);
  ASSERT_TRUE(is_ok(origin));
  EXPECT_EQ(fork->summary.usage, origin->summary.usage);
  EXPECT_EQ(all_entries(ref("fork")).at(1).redacted, 10U);
}

}  // namespace
}  // namespace worker_runtime::testing
