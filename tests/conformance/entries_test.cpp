// send_input and append_output: effects, limits, idempotency, and the checks in their order.
#include <string>
#include <utility>
#include <vector>

#include "store_conformance.h"
#include "worker_runtime/text.h"

namespace worker_runtime::testing {
namespace {

AppendOutput full_output(const WorkerRef& worker_ref) {
  AppendOutput request = output(worker_ref, "the answer\n\t\u2028\x01 is 42", "key-out");
  request.role = OutputRole::tool;
  request.name = "calculator";
  request.data = " { \"b\" : [ 1.50, null ,\"x y\" ] , \"a\":{} }\n";
  request.usage = {{"tokens_out", 7}, {"tokens_in", 3}};
  return request;
}

TEST_P(StoreConformance, InputMakesOneEventAndOneEntry) {
  const WorkerRef worker = create("w");
  clock().advance(5);
  auto first = runtime().send_input(input(worker, " hello "));
  ASSERT_TRUE(is_ok(first));
  EXPECT_EQ(*first, (EntryAccepted{worker, WorkerStatus::running, Sequence{1}, EventId{3}}));
  auto second = runtime().send_input({worker, InputRole::system, "be kind", "k"});
  ASSERT_TRUE(is_ok(second));
  reopen();
  const auto entries = all_entries(worker);
  ASSERT_EQ(entries.size(), 2U);
  TranscriptEntry expected;
  expected.sequence = Sequence{1};
  expected.at = clock().now();
  expected.worker_ref = worker;
  expected.role = Role::user;
  expected.content = " hello ";
  expected.event_id = EventId{3};
  EXPECT_EQ(entries[0], expected);
  EXPECT_EQ(entries[1].role, Role::system);
  EXPECT_EQ(entries[1].idempotency_key, "k");
  const Event event = last_event();
  EXPECT_EQ(event.kind, EventKind::worker_input_accepted);
  EXPECT_EQ(event.worker_ref, worker);
  EXPECT_EQ(event.sequence, Sequence{2});
  EXPECT_EQ(event.id, EventId{4});
  EXPECT_FALSE(event.message.empty());
}

TEST_P(StoreConformance, OutputKeepsNameAndUsageAndDataLessItsWhiteSpace) {
  const WorkerRef worker = create("w");
  ASSERT_TRUE(is_ok(runtime().append_output(full_output(worker))));
  reopen();
  const auto entries = all_entries(worker);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].role, Role::tool);
  EXPECT_EQ(entries[0].content, full_output(worker).content);
  EXPECT_EQ(entries[0].name, "calculator");
  EXPECT_EQ(entries[0].data, R"({"b":[1.50,null,"x y"],"a":{}})");
  EXPECT_EQ(entries[0].usage, (Counters{{"tokens_in", 3}, {"tokens_out", 7}}));
  EXPECT_EQ(entries[0].idempotency_key, "key-out");
  EXPECT_EQ(last_event().kind, EventKind::worker_output_appended);
  EXPECT_EQ(last_event().sequence, Sequence{1});
}

TEST_P(StoreConformance, ContentMayHoldAnyCodePoint) {
  const WorkerRef worker = create("w");
  std::vector<std::string> contents = {std::string("a\0b", 3), "\x7f\u0085\u2028\u2029\ufeff",
                                       "\uffff\U0010ffff\ue000\ud7ff", "\"\\/\b\f\n\r\t</script>"};
  std::string controls = "x";
  for (char byte = 0; byte < 0x20; ++byte) controls += byte;
  contents.push_back(controls);
  for (const std::string& content : contents) {
    ASSERT_TRUE(is_ok(runtime().send_input(input(worker, content))));
  }
  reopen();
  const auto entries = all_entries(worker);
  ASSERT_EQ(entries.size(), contents.size());
  for (std::size_t at = 0; at < contents.size(); ++at) EXPECT_EQ(entries[at].content, contents[at]);
}

TEST_P(StoreConformance, UsageIsCountedForTheWorkerAndForTheRuntime) {
  const WorkerRef a = create("a");
  const WorkerRef b = create("b");
  clock().advance(10);
  ASSERT_TRUE(is_ok(runtime().append_output(full_output(a))));
  ASSERT_TRUE(is_ok(runtime().send_input(input(a, "four"))));
  AppendOutput more = output(b, "12345");
  more.usage = {{"tokens_in", 10}};
  ASSERT_TRUE(is_ok(runtime().append_output(more)));
  reopen();
  const std::uint64_t bytes = full_output(a).content.size();
  auto detail = runtime().worker_detail(a);
  ASSERT_TRUE(is_ok(detail));
  EXPECT_EQ(detail->summary.usage, (Usage{1, 1, bytes + 4, {{"tokens_in", 3}, {"tokens_out", 7}}}));
  EXPECT_EQ(detail->summary.transcript_len, 2U);
  EXPECT_EQ(detail->summary.last_event_id, EventId{5});
  EXPECT_EQ(detail->summary.updated_at, clock().now());
  EXPECT_EQ(detail->summary.created_at.microseconds, ManualClock::start);
  // Totals outlive the Worker.
  ASSERT_TRUE(is_ok(runtime().stop_worker({a, std::nullopt})));
  ASSERT_TRUE(is_ok(runtime().delete_worker({a})));
  reopen();
  auto summary = runtime().summary();
  ASSERT_TRUE(is_ok(summary));
  EXPECT_EQ(summary->usage, (Usage{1, 2, bytes + 9, {{"tokens_in", 13}, {"tokens_out", 7}}}));
  EXPECT_EQ(summary->content_bytes, bytes + 9);
  EXPECT_EQ(summary->transcript_entry_count, 3U);
}

TEST_P(StoreConformance, CountersGoUpToTheLargestSafeInteger) {
  const WorkerRef worker = create("w");
  const auto report = [&](std::uint64_t value) {
    AppendOutput request = output(worker, "x");
    request.usage = {{"n", value}};
    return runtime().append_output(request);
  };
  EXPECT_TRUE(fails_with(report(counter_max + 1), ErrorCode::limit_exceeded));
  EXPECT_TRUE(is_ok(report(counter_max - 1)));
  EXPECT_TRUE(is_ok(report(1)));
  EXPECT_TRUE(fails_with(report(1), ErrorCode::limit_exceeded));
  EXPECT_TRUE(is_ok(report(0)));
  reopen();
  EXPECT_TRUE(fails_with(report(counter_max), ErrorCode::limit_exceeded));
  auto detail = runtime().worker_detail(worker);
  ASSERT_TRUE(is_ok(detail));
  EXPECT_EQ(detail->summary.usage.counters, (Counters{{"n", counter_max}}));
  EXPECT_EQ(all_entries(worker).size(), 3U);
}

TEST_P(StoreConformance, CountersHaveAsManyNamesAsTheLimitAllows) {
  open_with(with_limit("named_counters", 2));
  const WorkerRef worker = create("w");
  const auto report = [&](Counters usage) {
    AppendOutput request = output(worker, "x");
    request.usage = std::move(usage);
    return runtime().append_output(request);
  };
  EXPECT_TRUE(fails_with_limit(report({{"a", 1}, {"b", 1}, {"c", 1}}), "named_counters", 3, 2));
  EXPECT_TRUE(is_ok(report({{"b", 1}, {"a", 1}})));
  EXPECT_TRUE(is_ok(report({{"a", 1}})));
  reopen();
  EXPECT_TRUE(fails_with_limit(report({{"c", 0}}), "named_counters", 3, 2));
  EXPECT_TRUE(fails_with(report({{"a", 1}, {"a", 1}}), ErrorCode::invalid_request));
  EXPECT_TRUE(fails_with(report({{" ", 1}}), ErrorCode::invalid_request));
  EXPECT_TRUE(fails_with(report({{"\xff", 1}}), ErrorCode::invalid_request));
}

// ---- limits and refusals

TEST_P(StoreConformance, EntryLimitsHoldAtTheMaximumAndOneAbove) {
  open_with({std::nullopt,
             {{"input_bytes", 100}, {"transcript_entry_bytes", 200}, {"name_bytes", 20}},
             clock().clock()});
  const WorkerRef worker = create("w");
  const auto text = [](std::size_t bytes) { return std::string(bytes, 't'); };
  EXPECT_TRUE(is_ok(runtime().send_input(input(worker, text(100)))));
  EXPECT_TRUE(
      fails_with_limit(runtime().send_input(input(worker, text(101))), "input_bytes", 101, 100));
  AppendOutput request = output(worker, text(200));
  EXPECT_TRUE(is_ok(runtime().append_output(request)));
  request.name = "n";
  EXPECT_TRUE(
      fails_with_limit(runtime().append_output(request), "transcript_entry_bytes", 201, 200));
  request.content = text(172);
  request.name = text(20);
  request.data = R"({"a":12})";  // 8 bytes
  EXPECT_TRUE(is_ok(runtime().append_output(request)));
  request.data = R"({"a":123})";
  EXPECT_TRUE(
      fails_with_limit(runtime().append_output(request), "transcript_entry_bytes", 201, 200));
  request = output(worker, "x");
  request.name = text(21);
  EXPECT_TRUE(fails_with_limit(runtime().append_output(request), "name_bytes", 21, 20));
  EXPECT_TRUE(fails_with_limit(runtime().send_input(input(worker, "x", text(257))),
                               "idempotency_key_bytes", 257, 256));
  EXPECT_TRUE(is_ok(runtime().send_input(input(worker, "x", text(256)))));
  reopen();
  EXPECT_EQ(all_entries(worker).size(), 4U);
}

TEST_P(StoreConformance, EntriesOfTheLargestDefaultSizesAreKept) {
  const WorkerRef worker = create("w");
  const Limits limits;
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, std::string(limits.input_bytes, 'i')))));
  ASSERT_TRUE(is_ok(
      runtime().append_output(output(worker, std::string(limits.transcript_entry_bytes, 'o')))));
  EXPECT_TRUE(fails_with_limit(
      runtime().append_output(output(worker, std::string(limits.transcript_entry_bytes + 1, 'o'))),
      "transcript_entry_bytes", limits.transcript_entry_bytes + 1, limits.transcript_entry_bytes));
  reopen();
  const auto entries = all_entries(worker);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].content.size(), limits.input_bytes);
  EXPECT_EQ(entries[1].content, std::string(limits.transcript_entry_bytes, 'o'));
}

TEST_P(StoreConformance, EntriesRefuseBlankAndInvalidTextAndBadData) {
  const WorkerRef worker = create("w");
  const std::uint64_t events = all_events().size();
  for (const std::string& bad : {std::string(), std::string(" \n\u00a0"), std::string("\u1680"),
                                 std::string("a\x80"), std::string("\xf4\x90\x80\x80")}) {
    EXPECT_TRUE(fails_with(runtime().send_input(input(worker, bad)), ErrorCode::invalid_request));
    EXPECT_TRUE(
        fails_with(runtime().send_input(input(worker, "x", bad)), ErrorCode::invalid_request));
    EXPECT_TRUE(
        fails_with(runtime().append_output(output(worker, bad)), ErrorCode::invalid_request));
    AppendOutput named = output(worker, "x");
    named.name = bad;
    EXPECT_TRUE(fails_with(runtime().append_output(named), ErrorCode::invalid_request));
  }
  for (const char* const bad : {"", "[]", "1", "{", "{\"a\":1,}", "{\"a\":1}{}", "{\"a\":\"\xff\"}",
                                "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}"}) {
    AppendOutput request = output(worker, "x");
    request.data = bad;
    EXPECT_TRUE(fails_with(runtime().append_output(request), ErrorCode::invalid_request)) << bad;
  }
  EXPECT_EQ(all_events().size(), events);
}

TEST_P(StoreConformance, DataMayBeAsDeepAsTheLimitAndNoDeeper) {
  const WorkerRef worker = create("w");
  const auto nested = [](std::size_t depth) {
    std::string text = "{\"a\":";
    for (std::size_t level = 1; level < depth; ++level) text += "[";
    for (std::size_t level = 1; level < depth; ++level) text += "]";
    return text + (depth == 1 ? "0}" : "}");
  };
  AppendOutput request = output(worker, "x");
  request.data = nested(data_depth_max);
  ASSERT_TRUE(is_ok(runtime().append_output(request)));
  request.data = nested(data_depth_max + 1);
  EXPECT_TRUE(fails_with(runtime().append_output(request), ErrorCode::invalid_request));
  reopen();
  EXPECT_EQ(all_entries(worker).at(0).data, nested(data_depth_max));
}

TEST_P(StoreConformance, EntryChecksComeInOrder) {
  const WorkerRef worker = create("w");
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "first", "used"))));
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  reopen();
  SendInput request = input({runtime_id("another"), worker_id("none")}, " ", "used");
  const auto answer = [&] {
    auto sent = runtime().send_input(request);
    AppendOutput same = output(request.worker_ref, request.content, request.idempotency_key);
    auto appended = runtime().append_output(same);
    EXPECT_EQ(sent ? ErrorCode::closed : sent.error().code(),
              appended ? ErrorCode::closed : appended.error().code());
    return sent;
  };
  EXPECT_TRUE(fails_with(answer(), ErrorCode::invalid_request));
  request.content = "another body";
  EXPECT_TRUE(fails_with(answer(), ErrorCode::wrong_runtime));
  request.worker_ref.runtime_id = runtime_id("conformance");
  EXPECT_TRUE(fails_with(answer(), ErrorCode::worker_not_found));
  request.worker_ref = worker;
  EXPECT_TRUE(fails_with(answer(), ErrorCode::idempotency_conflict));
  request.idempotency_key = "new";
  EXPECT_TRUE(fails_with(answer(), ErrorCode::runtime_stopped));
  ASSERT_TRUE(is_ok(runtime().start_runtime()));
  EXPECT_TRUE(fails_with(answer(), ErrorCode::worker_not_running));
  // A text too long is told before a Worker that is not there.
  request.worker_ref = ref("none");
  request.content = std::string(Limits{}.input_bytes + 1, 'x');
  EXPECT_TRUE(fails_with(runtime().send_input(request), ErrorCode::limit_exceeded));
}

// ---- idempotency

TEST_P(StoreConformance, RepeatedCreateAnswersTheSameWorkerAsItIsNow) {
  CreateRequest request = task("once", "w");
  request.idempotency_key = "key";
  auto first = runtime().create_worker(request);
  ASSERT_TRUE(is_ok(first));
  ASSERT_TRUE(is_ok(runtime().send_input(input(ref("w"), "x"))));
  const std::uint64_t diagnostics = runtime().diagnostics()->total;
  reopen();
  auto again = runtime().create_worker(request);
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->summary.transcript_len, 1U);
  EXPECT_EQ(*again, *runtime().worker_detail(ref("w")));
  // Whatever the state is by then.
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  reopen();
  again = runtime().create_worker(request);
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->summary.status, WorkerStatus::stopped);
  CreateRequest other = request;
  other.display_name = "another body";
  EXPECT_TRUE(fails_with(runtime().create_worker(other), ErrorCode::idempotency_conflict));
  other = request;
  other.worker_id = worker_id("w2");
  EXPECT_TRUE(fails_with(runtime().create_worker(other), ErrorCode::idempotency_conflict));
  EXPECT_EQ(all_workers().size(), 1U);
  if (GetParam().reopening != Reopening::after_drop) {
    EXPECT_EQ(runtime().diagnostics()->total >= diagnostics, true);
  }
}

TEST_P(StoreConformance, CreateKeyOfADeletedWorkerStaysTaken) {
  for (const bool supplied : {true, false}) {
    CreateRequest request = task("once");
    if (supplied) request.worker_id = worker_id("mine");
    request.idempotency_key = supplied ? "supplied" : "generated";
    auto created = runtime().create_worker(request);
    ASSERT_TRUE(is_ok(created));
    const WorkerRef worker = created->summary.worker_ref;
    ASSERT_TRUE(is_ok(runtime().cancel_worker({worker, std::nullopt})));
    ASSERT_TRUE(is_ok(runtime().delete_worker({worker})));
    EXPECT_TRUE(fails_with(runtime().create_worker(request), ErrorCode::worker_not_found));
    reopen();
    EXPECT_TRUE(fails_with(runtime().create_worker(request), ErrorCode::worker_not_found));
    request.intent = TaskIntent{"another"};
    EXPECT_TRUE(fails_with(runtime().create_worker(request), ErrorCode::idempotency_conflict));
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
    reopen();
    EXPECT_TRUE(fails_with(runtime().create_worker(request), ErrorCode::idempotency_conflict));
  }
  EXPECT_TRUE(all_workers().empty());
}

TEST_P(StoreConformance, RepeatedEntryAnswersWhatTheFirstDid) {
  const WorkerRef worker = create("w");
  auto sent = runtime().send_input(input(worker, "hello", "in"));
  auto appended = runtime().append_output(full_output(worker));
  ASSERT_TRUE(is_ok(sent));
  ASSERT_TRUE(is_ok(appended));
  const auto repeat = [&](WorkerStatus status) {
    sent->status = appended->status = status;
    auto again = runtime().send_input(input(worker, "hello", "in"));
    ASSERT_TRUE(is_ok(again));
    EXPECT_EQ(*again, *sent);
    // Another spelling of the same body: order of counters, white space of data.
    AppendOutput same = full_output(worker);
    same.data = R"({"b":[1.50,null,"x y"],"a":{}})";
    same.usage = {{"tokens_in", 3}, {"tokens_out", 7}};
    again = runtime().append_output(same);
    ASSERT_TRUE(is_ok(again));
    EXPECT_EQ(*again, *appended);
  };
  repeat(WorkerStatus::running);
  reopen();
  repeat(WorkerStatus::running);
  ASSERT_TRUE(is_ok(runtime().cancel_worker({worker, std::nullopt})));
  repeat(WorkerStatus::cancelled);
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  reopen();
  repeat(WorkerStatus::cancelled);
  EXPECT_EQ(all_entries(worker).size(), 2U);
}

TEST_P(StoreConformance, KeyWithAnotherBodyIsAConflict) {
  const WorkerRef worker = create("w");
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "hello", "in"))));
  ASSERT_TRUE(is_ok(runtime().append_output(full_output(worker))));
  reopen();
  const auto conflicts = [&](const auto& result) {
    EXPECT_TRUE(fails_with(result, ErrorCode::idempotency_conflict));
  };
  conflicts(runtime().send_input(input(worker, "hello ", "in")));
  conflicts(runtime().send_input({worker, InputRole::system, "hello", "in"}));
  // Inputs and outputs share one set of keys.
  conflicts(runtime().append_output(output(worker, "hello", "in")));
  const auto changed = [&](auto change) {
    AppendOutput request = full_output(worker);
    change(request);
    conflicts(runtime().append_output(request));
  };
  changed([](AppendOutput& it) { it.role = OutputRole::assistant; });
  changed([](AppendOutput& it) { it.content += "!"; });
  changed([](AppendOutput& it) { it.name.reset(); });
  changed([](AppendOutput& it) { it.name = "Calculator"; });
  changed([](AppendOutput& it) { it.data = "{}"; });
  changed([](AppendOutput& it) { it.data.reset(); });
  changed([](AppendOutput& it) { it.usage.pop_back(); });
  changed([](AppendOutput& it) { ++it.usage.front().value; });
  EXPECT_EQ(all_entries(worker).size(), 2U);
  // Keys are per Worker.
  const WorkerRef other = create("other");
  EXPECT_TRUE(is_ok(runtime().send_input(input(other, "something else", "in"))));
}

TEST_P(StoreConformance, KeysCoverTheNewestThousandEntriesOfAWorker) {
  const WorkerRef worker = create("w");
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "hello", "old"))));
  std::vector<Mutation> filler(998, input(worker, "filler"));
  ASSERT_TRUE(is_ok(runtime().batch(filler)));
  reopen();
  auto again = runtime().send_input(input(worker, "hello", "old"));
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->sequence, Sequence{1});
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "the thousandth"))));
  reopen();
  again = runtime().send_input(input(worker, "hello", "old"));
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->sequence, Sequence{1});
  ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "one more"))));
  reopen();
  again = runtime().send_input(input(worker, "with another body", "old"));
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->sequence, Sequence{1002});
  reopen();
  EXPECT_TRUE(fails_with(runtime().send_input(input(worker, "hello", "old")),
                         ErrorCode::idempotency_conflict));
}

TEST_P(StoreConformance, FailedCallLeavesItsKeyFree) {
  open_with(with_limit("input_bytes", 5));
  const WorkerRef worker = create("w");
  EXPECT_TRUE(
      fails_with(runtime().send_input(input(worker, "too long", "k")), ErrorCode::limit_exceeded));
  ASSERT_TRUE(is_ok(runtime().stop_runtime()));
  EXPECT_TRUE(
      fails_with(runtime().send_input(input(worker, "stop", "k")), ErrorCode::runtime_stopped));
  ASSERT_TRUE(is_ok(runtime().start_runtime()));
  reopen();
  const WorkerRef other = create("other");
  EXPECT_TRUE(is_ok(runtime().send_input(input(other, "good", "k"))));
}

}  // namespace
}  // namespace worker_runtime::testing
