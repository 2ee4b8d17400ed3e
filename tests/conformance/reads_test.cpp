// Lists, pages of events, transcripts and diagnostics, and waiting.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store_conformance.h"

namespace worker_runtime::testing {
namespace {

using std::chrono::milliseconds;

std::vector<std::uint64_t> ids_of(const EventPage& page) {
  std::vector<std::uint64_t> ids;
  for (const Event& event : page.events) ids.push_back(event.id.value);
  return ids;
}

std::vector<std::uint64_t> sequences_of(const TranscriptPage& page) {
  std::vector<std::uint64_t> sequences;
  for (const TranscriptEntry& entry : page.items) sequences.push_back(entry.sequence.value);
  return sequences;
}

using Ids = std::vector<std::uint64_t>;

TEST_P(StoreConformance, ListsAreInByteOrderOfIdsAndGoOnBehindAnId) {
  for (const char* const id : {"b", "B", "a/1", "\u00e9", "a", "a.1", "10", "9"}) create(id);
  reopen();
  const std::vector<std::string> ordered = {"10", "9", "B", "a", "a.1", "a/1", "b", "\u00e9"};
  std::vector<std::string> listed;
  ListQuery query;
  query.limit = 3;
  std::vector<std::size_t> sizes;
  for (;;) {
    auto page = runtime().list_workers(query);
    ASSERT_TRUE(is_ok(page));
    sizes.push_back(page->workers.size());
    for (const auto& worker : page->workers) listed.push_back(worker.worker_ref.worker_id.text());
    if (!page->next_after) break;
    EXPECT_EQ(page->next_after->text(), listed.back());
    query.after = page->next_after;
  }
  EXPECT_EQ(listed, ordered);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 2}));
  query.after = worker_id("a.0");  // need not exist
  auto page = runtime().list_workers(query);
  ASSERT_TRUE(is_ok(page));
  EXPECT_EQ(page->workers.at(0).worker_ref, ref("a.1"));
  query.after = worker_id("\u00e9");
  page = runtime().list_workers(query);
  ASSERT_TRUE(is_ok(page));
  EXPECT_TRUE(page->workers.empty());
  EXPECT_FALSE(page->next_after);
  query = {};
  query.limit = 8;
  EXPECT_FALSE(runtime().list_workers(query)->next_after);
}

TEST_P(StoreConformance, ListsFilterByStatus) {
  for (int number = 0; number < 30; ++number) {
    const WorkerRef worker = create("w" + std::to_string(100 + number));
    if (number % 3 == 1) {
      ASSERT_TRUE(is_ok(runtime().stop_worker({worker, std::nullopt})));
    }
    if (number % 3 == 2) {
      ASSERT_TRUE(is_ok(runtime().cancel_worker({worker, std::nullopt})));
    }
  }
  reopen();
  const auto count = [&](StatusFilter filter) {
    ListQuery query;
    query.status = filter;
    query.limit = 4;
    std::size_t found = 0;
    for (;;) {
      auto page = runtime().list_workers(query);
      EXPECT_TRUE(is_ok(page));
      found += page->workers.size();
      if (!page->next_after) return found;
      query.after = page->next_after;
    }
  };
  EXPECT_EQ(count(StatusFilter::any), 30U);
  EXPECT_EQ(count(StatusFilter::running), 10U);
  EXPECT_EQ(count(StatusFilter::stopped), 10U);
  EXPECT_EQ(count(StatusFilter::cancelled), 10U);
  EXPECT_EQ(count(StatusFilter::damaged), 0U);
}

TEST_P(StoreConformance, PageLimitsHoldForEveryRead) {
  const WorkerRef worker = create("w");
  const auto each = [&](std::optional<std::uint64_t> limit, auto check) {
    check(runtime().list_workers({StatusFilter::any, std::nullopt, limit}));
    check(runtime().read_events({std::nullopt, limit}));
    check(runtime().read_transcript(worker, {std::nullopt, limit}));
    check(runtime().diagnostics(0, limit));
    check(runtime().wait_events(EventId{1}, milliseconds(0), {}, limit));
  };
  each(0, [](const auto& got) { EXPECT_TRUE(fails_with(got, ErrorCode::invalid_request)); });
  each(257, [](const auto& got) { EXPECT_TRUE(fails_with_limit(got, "page_items", 257, 256)); });
  each(256, [](const auto& got) { EXPECT_TRUE(is_ok(got)); });
  each(1, [](const auto& got) { EXPECT_TRUE(is_ok(got)); });
  each(std::nullopt, [](const auto& got) { EXPECT_TRUE(is_ok(got)); });
}

TEST_P(StoreConformance, ReadsOfAWorkerCheckTheRuntimeThenTheWorker) {
  create("w");
  const WorkerRef foreign{runtime_id("another"), worker_id("none")};
  EXPECT_TRUE(fails_with(runtime().worker_detail(foreign), ErrorCode::wrong_runtime));
  EXPECT_TRUE(fails_with(runtime().worker_detail(ref("none")), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(runtime().read_transcript(foreign, {{}, 0}), ErrorCode::invalid_request));
  EXPECT_TRUE(fails_with(runtime().read_transcript(foreign), ErrorCode::wrong_runtime));
  EXPECT_TRUE(
      fails_with(runtime().read_transcript(ref("none"), {99, {}}), ErrorCode::worker_not_found));
  EXPECT_TRUE(fails_with(runtime().read_transcript(ref("w"), {99, {}}), ErrorCode::cursor_ahead));
}

TEST_P(StoreConformance, EventPagesGoBothWays) {
  const WorkerRef worker = create("w");
  for (int number = 0; number < 5; ++number) {
    ASSERT_TRUE(is_ok(runtime().send_input(input(worker, "x"))));
  }
  reopen();
  const auto read = [&](std::optional<std::uint64_t> from, std::uint64_t limit,
                        Direction direction) {
    EventQuery query{std::nullopt, limit, direction};
    if (from) query.from = EventId{*from};
    auto page = runtime().read_events(query);
    EXPECT_TRUE(is_ok(page));
    return page ? *page : EventPage{};
  };
  constexpr auto up = Direction::oldest_first;
  constexpr auto down = Direction::newest_first;
  const auto shows = [&](const EventPage& page, const Ids& ids, std::uint64_t next, bool more) {
    EXPECT_EQ(ids_of(page), ids);
    EXPECT_EQ(page.next, EventId{next});
    EXPECT_EQ(page.has_more, more);
    EXPECT_EQ(page.epoch, runtime().summary()->epoch);
  };
  shows(read({}, 3, up), {1, 2, 3}, 4, true);
  shows(read(4, 4, up), {4, 5, 6, 7}, 8, false);
  shows(read(4, 3, up), {4, 5, 6}, 7, true);
  shows(read(7, 3, up), {7}, 8, false);
  shows(read(8, 3, up), {}, 8, false);
  shows(read({}, 3, down), {7, 6, 5}, 4, true);
  shows(read(4, 4, down), {4, 3, 2, 1}, 0, false);
  shows(read(1, 3, down), {1}, 0, false);
  EXPECT_TRUE(ids_of(read(8, 3, down)).empty());
  for (const Direction direction : {up, down}) {
    EXPECT_TRUE(
        fails_with(runtime().read_events({EventId{9}, {}, direction}), ErrorCode::cursor_ahead));
    EXPECT_TRUE(fails_with(runtime().read_events({EventId{UINT64_MAX}, {}, direction}),
                           ErrorCode::cursor_ahead));
    EXPECT_TRUE(
        fails_with(runtime().read_events({EventId{0}, {}, direction}), ErrorCode::invalid_request));
  }
}

TEST_P(StoreConformance, TranscriptPagesGoBothWays) {
  const WorkerRef worker = create("w");
  const auto read = [&](std::optional<std::uint64_t> start, std::uint64_t limit,
                        Direction direction) {
    auto page = runtime().read_transcript(worker, {start, limit, direction});
    EXPECT_TRUE(is_ok(page));
    return page ? *page : TranscriptPage{};
  };
  constexpr auto up = Direction::oldest_first;
  constexpr auto down = Direction::newest_first;
  using Next = std::optional<std::uint64_t>;
  const auto shows = [&](const TranscriptPage& page, const Ids& sequences, Next next,
                         std::uint64_t total) {
    EXPECT_EQ(sequences_of(page), sequences);
    EXPECT_EQ(page.next, next);
    EXPECT_EQ(page.total, total);
  };
  shows(read({}, 3, up), {}, {}, 0);
  shows(read(0, 3, up), {}, {}, 0);
  shows(read({}, 3, down), {}, {}, 0);
  for (int number = 0; number < 5; ++number) {
    ASSERT_TRUE(is_ok(runtime().append_output(output(worker, "x"))));
  }
  reopen();
  shows(read({}, 3, up), {1, 2, 3}, 3, 5);
  shows(read(3, 3, up), {4, 5}, {}, 5);
  shows(read(3, 2, up), {4, 5}, {}, 5);
  shows(read(5, 3, up), {}, {}, 5);
  shows(read({}, 3, down), {5, 4, 3}, 1, 5);
  shows(read(1, 3, down), {2, 1}, {}, 5);
  shows(read(0, 3, down), {1}, {}, 5);
  shows(read(5, 3, down), {}, {}, 5);
  for (const Direction direction : {up, down}) {
    EXPECT_TRUE(
        fails_with(runtime().read_transcript(worker, {6, {}, direction}), ErrorCode::cursor_ahead));
    EXPECT_TRUE(fails_with(runtime().read_transcript(worker, {UINT64_MAX, {}, direction}),
                           ErrorCode::cursor_ahead));
  }
}

TEST_P(StoreConformance, PagesEndAtTheirBytesButShowOneItemAtLeast) {
  open_with(with_limit("page_bytes", 100));
  const WorkerRef worker = create("w");
  const auto add = [&](std::size_t content, std::size_t name, bool data) {
    AppendOutput request = output(worker, std::string(content, 'x'));
    if (name > 0) request.name = std::string(name, 'n');
    if (data) request.data = R"({"a":12})";  // 8 bytes
    ASSERT_TRUE(is_ok(runtime().append_output(request)));
  };
  add(40, 0, false);
  add(30, 22, true);   // 60: 100 with the first
  add(500, 0, false);  // over by itself
  add(50, 0, false);
  add(51, 0, false);
  reopen();
  const auto pages = [&](Direction direction) {
    std::vector<Ids> shown;
    TranscriptQuery query{std::nullopt, std::nullopt, direction};
    do {
      auto page = runtime().read_transcript(worker, query);
      EXPECT_TRUE(is_ok(page));
      if (!page) return shown;
      shown.push_back(sequences_of(*page));
      query.start = page->next;
    } while (query.start);
    return shown;
  };
  EXPECT_EQ(pages(Direction::oldest_first), (std::vector<Ids>{{1, 2}, {3}, {4}, {5}}));
  EXPECT_EQ(pages(Direction::newest_first), (std::vector<Ids>{{5}, {4}, {3}, {2, 1}}));
}

TEST_P(StoreConformance, EventPagesEndAtTheirBytesToo) {
  open_with(with_limit("page_bytes", 100));
  for (const char* const id : {"a", "b", "c"}) {
    ASSERT_TRUE(is_ok(runtime().stop_worker({create(id), std::string(60, 'r')})));
  }
  reopen();
  // Messages: 15, then 16 of a create and 60 of a stop, three times.
  const auto pages = [&](Direction direction) {
    std::vector<Ids> shown;
    EventQuery query{std::nullopt, std::nullopt, direction};
    for (;;) {
      auto page = runtime().read_events(query);
      EXPECT_TRUE(is_ok(page));
      if (!page) return shown;
      shown.push_back(ids_of(*page));
      if (!page->has_more) return shown;
      query.from = page->next;
    }
  };
  EXPECT_EQ(pages(Direction::oldest_first), (std::vector<Ids>{{1, 2, 3}, {4, 5, 6}, {7}}));
  EXPECT_EQ(pages(Direction::newest_first), (std::vector<Ids>{{7, 6}, {5, 4}, {3, 2, 1}}));
}

TEST_P(StoreConformance, LongLogsAreReadInPagesOfEverySize) {
  const WorkerRef worker = create("w");
  std::vector<Mutation> operations;
  for (int number = 0; number < 700; ++number) {
    operations.emplace_back(input(worker, std::to_string(number)));
  }
  ASSERT_TRUE(is_ok(runtime().batch(operations)));
  reopen();
  for (const std::uint64_t limit : {1U, 7U, 256U}) {
    TranscriptQuery query{std::nullopt, limit, Direction::newest_first};
    std::uint64_t expected = 700;
    do {
      auto page = runtime().read_transcript(worker, query);
      ASSERT_TRUE(is_ok(page));
      EXPECT_EQ(page->items.size(), std::min(limit, expected));
      for (const TranscriptEntry& entry : page->items) {
        EXPECT_EQ(entry.sequence.value, expected);
        EXPECT_EQ(entry.content, std::to_string(--expected));
      }
      query.start = page->next;
    } while (query.start);
    EXPECT_EQ(expected, 0U);
  }
  for (std::uint64_t start = 0; start < 700; start += 13) {
    auto page = runtime().read_transcript(worker, {start, 2});
    ASSERT_TRUE(is_ok(page));
    EXPECT_EQ(page->items.at(0).content, std::to_string(start));
  }
}

// ---- diagnostics

TEST_P(StoreConformance, DiagnosticsKeepTheNewestOfEachSeverityAndCountAll) {
  open_with(with_limit("diagnostics_kept", 4));
  clock().advance(-5'000'000);
  ASSERT_TRUE(is_ok(runtime().send_input(input(create("first"), "x"))));  // one warning
  for (int number = 0; number < 10; ++number) create("w" + std::to_string(number));
  const auto check = [&] {
    auto page = runtime().diagnostics();
    ASSERT_TRUE(is_ok(page));
    std::size_t infos = 0;
    std::size_t warnings = 0;
    std::uint64_t last = 0;
    for (const Diagnostic& diagnostic : page->diagnostics) {
      EXPECT_GT(diagnostic.id, last);
      last = diagnostic.id;
      (diagnostic.severity == Severity::info ? infos : warnings) += 1;
    }
    EXPECT_EQ(infos, 4U);
    EXPECT_EQ(warnings, 1U);
    EXPECT_LE(last, page->total);
    EXPECT_EQ(page->total, runtime().summary()->diagnostic_count);
    auto rest = runtime().diagnostics(last - 1);
    ASSERT_TRUE(is_ok(rest));
    EXPECT_EQ(rest->diagnostics.size(), 1U);
    EXPECT_EQ(runtime().diagnostics(0, 2)->diagnostics.size(), 2U);
    EXPECT_TRUE(runtime().diagnostics(page->total)->diagnostics.empty());
  };
  check();
  EXPECT_EQ(runtime().diagnostics()->total, 23U);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));  // those since the last one may go with a crash
  reopen();
  check();
  EXPECT_GE(runtime().diagnostics()->total, 23U);
}

// ---- waiting

TEST_P(StoreConformance, WaitAnswersAtOnceWhatIsThere) {
  create("w");
  auto page = runtime().wait_events(EventId{1}, std::chrono::hours(1));
  ASSERT_TRUE(is_ok(page));
  EXPECT_EQ(ids_of(*page), (Ids{1, 2}));
  page = runtime().wait_events(EventId{2}, milliseconds(-1), {}, 1);
  ASSERT_TRUE(is_ok(page));
  EXPECT_EQ(ids_of(*page), (Ids{2}));
  EXPECT_TRUE(
      fails_with(runtime().wait_events(EventId{0}, milliseconds(0)), ErrorCode::invalid_request));
  EXPECT_TRUE(fails_with(runtime().wait_events(EventId{4}, std::chrono::hours(1)),
                         ErrorCode::cursor_ahead));
}

TEST_P(StoreConformance, WaitEndsEmptyAtTheTimeoutAndAtAStopRequest) {
  auto page = runtime().wait_events(EventId{2}, milliseconds(5));
  ASSERT_TRUE(is_ok(page));
  EXPECT_TRUE(page->events.empty());
  EXPECT_EQ(page->next, EventId{2});
  std::stop_source stop;
  auto waiter = std::async(std::launch::async, [&] {
    return runtime().wait_events(EventId{2}, milliseconds::max(), stop.get_token());
  });
  stop.request_stop();
  page = waiter.get();
  ASSERT_TRUE(is_ok(page));
  EXPECT_TRUE(page->events.empty());
}

TEST_P(StoreConformance, WaitersSeeEveryEventInOrder) {
  const WorkerRef worker = create("w");
  constexpr std::uint64_t inputs = 50;
  std::vector<std::future<Ids>> waiters;
  for (int number = 0; number < 4; ++number) {
    waiters.push_back(std::async(std::launch::async, [&] {
      Ids seen;
      EventId from{3};
      while (seen.size() < inputs) {
        auto page = runtime().wait_events(from, std::chrono::minutes(1));
        if (!page) return seen;
        const Ids ids = ids_of(*page);
        seen.insert(seen.end(), ids.begin(), ids.end());
        from = page->next;
      }
      return seen;
    }));
  }
  Ids expected;
  for (std::uint64_t number = 0; number < inputs; ++number) {
    auto sent = runtime().send_input(input(worker, "x"));
    ASSERT_TRUE(is_ok(sent));
    expected.push_back(sent->event_id.value);
  }
  for (auto& waiter : waiters) EXPECT_EQ(waiter.get(), expected);
}

TEST_P(StoreConformance, WaitersAreToldWhenTheRuntimeCloses) {
  auto waiter = std::async(
      std::launch::async, [&] { return runtime().wait_events(EventId{2}, std::chrono::hours(1)); });
  ASSERT_TRUE(is_ok(runtime().close()));
  EXPECT_TRUE(fails_with(waiter.get(), ErrorCode::closed));
}

// ---- asynchronous submissions

TEST_P(StoreConformance, SubmissionsCompleteOnceInOrderWithTheAnswerOfTheBlockingCall) {
  const WorkerRef worker = create("w");
  constexpr std::size_t count = 2000;
  std::vector<std::size_t> order;
  std::vector<std::optional<Result<Answer>>> answers(count);
  std::promise<void> all;
  for (std::size_t number = 0; number < count; ++number) {
    const bool wrong = number % 10 == 9;
    Mutation operation = input(wrong ? ref("none") : worker, std::to_string(number));
    runtime().submit(std::move(operation), [&, number](Result<Answer> answer) {
      order.push_back(number);
      answers[number] = std::move(answer);
      if (order.size() == count) all.set_value();
    });
  }
  all.get_future().wait();
  std::uint64_t sequence = 0;
  for (std::size_t number = 0; number < count; ++number) {
    EXPECT_EQ(order[number], number);
    ASSERT_TRUE(answers[number]);
    if (number % 10 == 9) {
      EXPECT_TRUE(fails_with(*answers[number], ErrorCode::worker_not_found));
    } else {
      ASSERT_TRUE(is_ok(*answers[number]));
      EXPECT_EQ(std::get<EntryAccepted>(**answers[number]).sequence.value, ++sequence);
    }
  }
  reopen();
  EXPECT_EQ(all_entries(worker).size(), sequence);
}

TEST_P(StoreConformance, SubmissionsOfOneThreadComeBeforeItsBlockingCall) {
  const WorkerRef worker = create("w");
  std::atomic<int> completed = 0;
  for (int number = 0; number < 100; ++number) {
    runtime().submit_batch({input(worker, "x"), input(worker, "y")},
                           [&](Result<std::vector<Answer>> answers) {
                             EXPECT_TRUE(is_ok(answers) && answers->size() == 2);
                             ++completed;
                           });
  }
  auto last = runtime().send_input(input(worker, "last"));
  ASSERT_TRUE(is_ok(last));
  EXPECT_EQ(last->sequence, Sequence{201});
  EXPECT_EQ(completed, 100);
}

TEST_P(StoreConformance, CloseCompletesWhatWasSubmitted) {
  const WorkerRef worker = create("w");
  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::uint64_t> closed = 0;
  for (int number = 0; number < 300; ++number) {
    runtime().submit(input(worker, "x"), [&](Result<Answer> answer) {
      EXPECT_TRUE(is_ok(answer));
      ++done;
    });
  }
  ASSERT_TRUE(is_ok(runtime().close()));
  EXPECT_EQ(done, 300U);
  runtime().submit(input(worker, "x"), [&](Result<Answer> answer) {
    EXPECT_TRUE(fails_with(answer, ErrorCode::closed));
    ++closed;
  });
  runtime_.reset();  // by then at the latest
  EXPECT_EQ(closed, 1U);
}

TEST_P(StoreConformance, DroppedRuntimeCompletesEverySubmissionOnce) {
  const WorkerRef worker = create("w");
  std::atomic<std::uint64_t> completed = 0;
  for (int number = 0; number < 300; ++number) {
    runtime().submit(input(worker, "x"), [&](Result<Answer> answer) {
      if (!answer) {
        EXPECT_TRUE(fails_with(answer, ErrorCode::closed));
      }
      ++completed;
    });
  }
  runtime_.reset();
  EXPECT_EQ(completed, 300U);
}

TEST_P(StoreConformance, CompletionMaySubmitMore) {
  const WorkerRef worker = create("w");
  std::promise<void> all;
  std::function<void(Result<Answer>)> next;
  int left = 50;
  next = [&](const Result<Answer>& answer) {
    EXPECT_TRUE(is_ok(answer));
    if (--left == 0) return all.set_value();
    runtime().submit(input(worker, "again"), next);
  };
  runtime().submit(input(worker, "first"), next);
  all.get_future().wait();
  EXPECT_EQ(all_entries(worker).size(), 50U);
}

}  // namespace
}  // namespace worker_runtime::testing
