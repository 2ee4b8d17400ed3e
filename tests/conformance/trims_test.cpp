// trim_events and trim_transcript: what is kept, what is told of what is not, and what stays as it
// was.
#include <chrono>
#include <string>
#include <vector>

#include "store_conformance.h"

namespace worker_runtime::testing {
namespace {

template <typename T>
::testing::AssertionResult expired(const Result<T>& result, std::uint64_t first_available) {
  auto failed = fails_with(result, ErrorCode::cursor_expired);
  if (!failed) return failed;
  const auto* const fields = result.error().template get<CursorFields>();
  if (fields == nullptr) return ::testing::AssertionFailure() << "it has no cursor";
  if (fields->first_available == first_available) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << fields->first_available << " is available";
}

EventQuery from(std::uint64_t id, Direction direction = Direction::oldest_first) {
  EventQuery query;
  query.from = EventId{id};
  query.direction = direction;
  return query;
}

TranscriptQuery at(std::uint64_t start, Direction direction = Direction::oldest_first) {
  TranscriptQuery query;
  query.start = start;
  query.direction = direction;
  return query;
}

/// Sends inputs "1", "2", ... with keys "k1", "k2", ...: entry n is of event n + 2 if the Worker is
/// the first.
WorkerRef with_inputs(Runtime& runtime, WorkerRef worker, int inputs) {
  for (int number = 1; number <= inputs; ++number) {
    EXPECT_TRUE(is_ok(
        runtime.send_input(input(worker, std::to_string(number), "k" + std::to_string(number)))));
  }
  return worker;
}

/// What is kept then.
std::uint64_t trim_events(Runtime& runtime, std::uint64_t before) {
  const auto trimmed = runtime.trim_events({EventId{before}});
  EXPECT_TRUE(is_ok(trimmed));
  return trimmed ? trimmed->first_kept.value : 0;
}
std::uint64_t trim(Runtime& runtime, const WorkerRef& worker, std::uint64_t before) {
  const auto trimmed = runtime.trim_transcript({worker, Sequence{before}});
  EXPECT_TRUE(is_ok(trimmed));
  if (!trimmed) return 0;
  EXPECT_EQ(trimmed->worker_ref, worker);
  return trimmed->first_kept.value;
}

TEST_P(StoreConformance, TrimmedEventsAreKeptExactlyFromTheNumberThatWasGiven) {
  with_inputs(runtime(), create("w"), 6);
  const std::vector<Event> before = all_events();
  EXPECT_EQ(trim_events(runtime(), 5), 5U);
  for (int round = 0; round < 2; ++round) {
    const std::vector<Event> kept = all_events();
    EXPECT_EQ(kept, std::vector<Event>(before.begin() + 4, before.end()));
    EXPECT_TRUE(expired(runtime().read_events(from(4)), 5));
    EXPECT_TRUE(expired(runtime().read_events(from(1, Direction::newest_first)), 5));
    EXPECT_TRUE(expired(runtime().wait_events(EventId{1}, std::chrono::milliseconds(0)), 5));
    EXPECT_TRUE(is_ok(runtime().read_events(from(5))));
    const auto down = runtime().read_events(from(6, Direction::newest_first));
    ASSERT_TRUE(is_ok(down));
    EXPECT_EQ(down->events, (std::vector<Event>{before[5], before[4]}));
    EXPECT_FALSE(down->has_more);
    EXPECT_EQ(down->next, EventId{});
    const auto summary = runtime().summary();
    ASSERT_TRUE(is_ok(summary));
    EXPECT_EQ(summary->first_event_id, EventId{5});
    EXPECT_EQ(summary->event_count, 8U);
    reopen();
  }
  // A trim makes no event.
  EXPECT_EQ(last_event(), before.back());
}

TEST_P(StoreConformance, TrimmedTranscriptsAreKeptExactlyFromTheNumberThatWasGiven) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 6);
  const WorkerRef other = create("other");
  ASSERT_TRUE(is_ok(runtime().send_input(input(other, "untouched"))));
  const auto before = all_entries(worker);
  EXPECT_EQ(trim(runtime(), worker, 4), 4U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(all_entries(worker), std::vector<TranscriptEntry>(before.begin() + 3, before.end()));
    EXPECT_EQ(all_entries(other).size(), 1U);
    EXPECT_TRUE(expired(runtime().read_transcript(worker, at(2)), 3));
    EXPECT_TRUE(expired(runtime().read_transcript(worker, at(0, Direction::newest_first)), 3));
    const auto page = runtime().read_transcript(worker, at(3, Direction::newest_first));
    ASSERT_TRUE(is_ok(page));
    EXPECT_EQ(page->items, std::vector<TranscriptEntry>{before[3]});
    EXPECT_EQ(page->next, std::nullopt);
    EXPECT_EQ(page->total, 6U);
    const auto detail = runtime().worker_detail(worker);
    ASSERT_TRUE(is_ok(detail));
    EXPECT_EQ(detail->summary.first_sequence, Sequence{4});
    EXPECT_EQ(detail->summary.transcript_len, 6U);
    EXPECT_EQ(detail->summary.usage.inputs, 6U);
    EXPECT_EQ(detail->summary.usage.content_bytes, 6U);
    EXPECT_EQ(detail->summary.damaged, std::nullopt);
    reopen();
  }
  EXPECT_EQ(all_events().size(), 10U);  // the event log keeps what happened
}

TEST_P(StoreConformance, WhatIsTrimmedAlreadyStaysGoneAndNothingIsCommitted) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 4);
  EXPECT_EQ(trim_events(runtime(), 4), 4U);
  EXPECT_EQ(trim(runtime(), worker, 3), 3U);
  reopen();
  EXPECT_EQ(trim_events(runtime(), 4), 4U);
  EXPECT_EQ(trim_events(runtime(), 1), 4U);
  EXPECT_EQ(trim(runtime(), worker, 2), 3U);
  EXPECT_EQ(trim_events(runtime(), 6), 6U);
  EXPECT_EQ(trim(runtime(), worker, 4), 4U);
}

TEST_P(StoreConformance, AllMayBeTrimmedAndNumbersGoOn) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 3);
  EXPECT_EQ(trim_events(runtime(), 6), 6U);
  EXPECT_EQ(trim(runtime(), worker, 4), 4U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(all_events().empty());
    EXPECT_TRUE(all_entries(worker).empty());
    for (const Direction direction : {Direction::oldest_first, Direction::newest_first}) {
      EventQuery events;
      events.direction = direction;
      const auto page = runtime().read_events(events);
      ASSERT_TRUE(is_ok(page));
      EXPECT_TRUE(page->events.empty());
      EXPECT_FALSE(page->has_more);
    }
    EXPECT_TRUE(is_ok(runtime().read_events(from(6))));
    EXPECT_TRUE(expired(runtime().read_events(from(5)), 6));
    EXPECT_TRUE(fails_with(runtime().read_events(from(7)), ErrorCode::cursor_ahead));
    reopen();
  }
  const auto next = runtime().send_input(input(worker, "next"));
  ASSERT_TRUE(is_ok(next));
  EXPECT_EQ(next->sequence, Sequence{4});
  EXPECT_EQ(next->event_id, EventId{6});
  reopen();
  EXPECT_EQ(all_events().size(), 1U);
  ASSERT_EQ(all_entries(worker).size(), 1U);
  EXPECT_EQ(all_entries(worker)[0].content, "next");
}

TEST_P(StoreConformance, ChecksOfTrimsComeInOrder) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 2);
  const WorkerRef foreign{runtime_id("another"), worker.worker_id};
  const auto refused = [&](const WorkerRef& worker_ref, std::uint64_t before, ErrorCode code) {
    EXPECT_TRUE(fails_with(runtime().trim_transcript({worker_ref, Sequence{before}}), code));
  };
  refused(foreign, 0, ErrorCode::invalid_request);
  refused(foreign, 99, ErrorCode::wrong_runtime);
  refused(ref("none"), 99, ErrorCode::worker_not_found);
  refused(worker, 4, ErrorCode::cursor_ahead);
  EXPECT_TRUE(fails_with(runtime().trim_events({EventId{0}}), ErrorCode::invalid_request));
  EXPECT_TRUE(fails_with(runtime().trim_events({EventId{6}}), ErrorCode::cursor_ahead));
  EXPECT_TRUE(fails_with(runtime().trim_events({EventId{UINT64_MAX}}), ErrorCode::cursor_ahead));
  EXPECT_EQ(all_events().size(), 4U);
  EXPECT_EQ(all_entries(worker).size(), 2U);
}

TEST_P(StoreConformance, TrimsAreDoneInAStoppedRuntimeAndForWorkersThatHaveEnded) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 3);
  ASSERT_TRUE(is_ok(runtime().cancel_worker({worker, {}})));
  EXPECT_EQ(trim(runtime(), worker, 2), 2U);
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  EXPECT_EQ(trim(runtime(), worker, 3), 3U);
  EXPECT_EQ(trim_events(runtime(), 3), 3U);
  reopen();
  EXPECT_EQ(all_entries(worker).size(), 1U);
  ASSERT_TRUE(is_ok(runtime().start_runtime()));
  ASSERT_TRUE(is_ok(runtime().delete_worker({worker})));
  reopen();
  EXPECT_TRUE(
      fails_with(runtime().trim_transcript({worker, Sequence{1}}), ErrorCode::worker_not_found));
  EXPECT_EQ(runtime().summary()->first_event_id, EventId{3});
}

TEST_P(StoreConformance, KeysOfTrimmedEntriesAreForgottenAndThoseOfOthersAreNot) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 4);
  const auto repeated = [&](int number) {
    const auto again =
        runtime().send_input(input(worker, std::to_string(number), "k" + std::to_string(number)));
    EXPECT_TRUE(is_ok(again));
    return again ? again->sequence.value : 0;
  };
  EXPECT_EQ(repeated(2), 2U);
  EXPECT_EQ(trim(runtime(), worker, 3), 3U);
  EXPECT_EQ(repeated(3), 3U);
  reopen();
  EXPECT_EQ(repeated(4), 4U);
  EXPECT_EQ(repeated(2), 5U);  // done anew
  EXPECT_EQ(repeated(2), 5U);
}

TEST_P(StoreConformance, TrimsInABatchAreSeenByLaterOperations) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 3);
  const auto answers = runtime().batch(
      {TrimTranscript{worker, Sequence{4}}, input(worker, "1", "k1"),  // its key is forgotten
       TrimTranscript{worker, Sequence{5}}, TrimEvents{EventId{6}}, TrimEvents{EventId{2}}});
  ASSERT_TRUE(is_ok(answers));
  ASSERT_EQ(answers->size(), 5U);
  EXPECT_EQ(std::get<EntryAccepted>(answers->at(1)).sequence, Sequence{4});
  EXPECT_EQ(std::get<TranscriptTrimmed>(answers->at(2)).first_kept, Sequence{5});
  EXPECT_EQ(std::get<EventsTrimmed>(answers->at(4)).first_kept, EventId{6});
  reopen();
  EXPECT_TRUE(all_entries(worker).empty());
  EXPECT_EQ(all_events().size(), 1U);
  // The key went with its entry.
  const auto again = runtime().send_input(input(worker, "1", "k1"));
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->sequence, Sequence{5});
}

TEST_P(StoreConformance, ABatchThatFailsTrimsNothing) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 3);
  const auto refused = runtime().batch(
      {TrimTranscript{worker, Sequence{3}}, TrimEvents{EventId{4}}, input(ref("none"), "x")});
  EXPECT_TRUE(fails_with(refused, ErrorCode::worker_not_found));
  EXPECT_EQ(refused.error().index(), 2U);
  reopen();
  EXPECT_EQ(all_entries(worker).size(), 3U);
  EXPECT_EQ(all_events().size(), 5U);
  const auto again = runtime().send_input(input(worker, "1", "k1"));
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->sequence, Sequence{1});
}

TEST_P(StoreConformance, TrimsOfAWorkerThatIsDeletedInTheSameBatchLeaveNothing) {
  const WorkerRef worker = with_inputs(runtime(), create("w"), 3);
  ASSERT_TRUE(is_ok(runtime().batch(
      {TrimTranscript{worker, Sequence{3}}, StopWorker{worker, {}}, DeleteWorker{worker}})));
  reopen();
  EXPECT_TRUE(fails_with(runtime().read_transcript(worker), ErrorCode::worker_not_found));
}

}  // namespace
}  // namespace worker_runtime::testing
