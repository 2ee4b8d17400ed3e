// Pages of events and transcripts, lists, and waiting for events.
#include <gtest/gtest.h>

#include <thread>

#include "core_fixture.h"

namespace worker_runtime::testing {
namespace {

using std::chrono::milliseconds;

/// Events 1 (started), 2 (created), 3 to 7 (inputs 1 to 5).
class RuntimePagesTest : public RuntimeTest {
 protected:
  RuntimePagesTest() {
    for (int count = 1; count <= 5; ++count)
      EXPECT_TRUE(runtime_.send_input(input("w", "input " + std::to_string(count))));
  }

  static std::string ids(const Result<EventPage>& page) {
    if (!page) return std::string(to_string(page.error().code()));
    std::string text;
    for (const Event& event : page->events) text += std::to_string(event.id.value) + " ";
    return text + "next " + std::to_string(page->next.value) + (page->has_more ? " more" : "");
  }
  std::string events_of(std::optional<std::uint64_t> from, std::optional<std::uint64_t> limit,
                        Direction direction = Direction::oldest_first) {
    EventQuery query{{}, limit, direction};
    if (from) query.from = EventId{*from};
    return ids(runtime_.read_events(query));
  }
  std::string entries_of(std::optional<std::uint64_t> start, std::optional<std::uint64_t> limit,
                         Direction direction = Direction::oldest_first) {
    const auto page = runtime_.read_transcript(ref("w"), {start, limit, direction});
    if (!page) return std::string(to_string(page.error().code()));
    std::string text;
    for (const auto& entry : page->items) text += std::to_string(entry.sequence.value) + " ";
    return text + "of " + std::to_string(page->total) +
           (page->next ? " next " + std::to_string(*page->next) : "");
  }
};

TEST_F(RuntimePagesTest, EventsOldestFirst) {
  EXPECT_EQ(events_of({}, {}), "1 2 3 4 5 6 7 next 8");
  EXPECT_EQ(events_of({}, 3), "1 2 3 next 4 more");
  EXPECT_EQ(events_of(4, 4), "4 5 6 7 next 8");
  EXPECT_EQ(events_of(8, 4), "next 8");
  EXPECT_EQ(events_of(9, 4), "cursor_ahead");
  EXPECT_EQ(events_of(UINT64_MAX, 4), "cursor_ahead");
  EXPECT_EQ(events_of(0, 4), "invalid_request");
}

TEST_F(RuntimePagesTest, EventsNewestFirst) {
  constexpr auto newest = Direction::newest_first;
  EXPECT_EQ(events_of({}, {}, newest), "7 6 5 4 3 2 1 next 0");
  EXPECT_EQ(events_of({}, 2, newest), "7 6 next 5 more");
  EXPECT_EQ(events_of(5, 4, newest), "5 4 3 2 next 1 more");
  EXPECT_EQ(events_of(1, 4, newest), "1 next 0");
  EXPECT_EQ(events_of(8, 4, newest), "next 8");
  EXPECT_EQ(events_of(9, 4, newest), "cursor_ahead");
  EXPECT_EQ(events_of(0, 4, newest), "invalid_request");
}

TEST_F(RuntimePagesTest, EntriesOldestFirst) {
  EXPECT_EQ(entries_of({}, {}), "1 2 3 4 5 of 5");
  EXPECT_EQ(entries_of(0, 2), "1 2 of 5 next 2");
  EXPECT_EQ(entries_of(2, 3), "3 4 5 of 5");
  EXPECT_EQ(entries_of(5, 3), "of 5");
  EXPECT_EQ(entries_of(6, 3), "cursor_ahead");
  EXPECT_EQ(entries_of(UINT64_MAX, 3), "cursor_ahead");
}

TEST_F(RuntimePagesTest, EntriesNewestFirst) {
  constexpr auto newest = Direction::newest_first;
  EXPECT_EQ(entries_of({}, {}, newest), "5 4 3 2 1 of 5");
  EXPECT_EQ(entries_of({}, 2, newest), "5 4 of 5 next 2");
  EXPECT_EQ(entries_of(2, 2, newest), "3 2 of 5 next 0");
  EXPECT_EQ(entries_of(0, 2, newest), "1 of 5");
  EXPECT_EQ(entries_of(5, 2, newest), "of 5");
  EXPECT_EQ(entries_of(6, 2, newest), "cursor_ahead");
  ASSERT_TRUE(runtime_.create_worker(create("empty")));
  for (const Direction direction : {Direction::oldest_first, newest}) {
    const auto page = runtime_.read_transcript(ref("empty"), {{}, {}, direction});
    ASSERT_TRUE(page);
    EXPECT_EQ(*page, TranscriptPage());
  }
}

TEST_F(RuntimePagesTest, LimitsOfPagesComeFirst) {
  EXPECT_EQ(events_of(99, 0), "invalid_request");
  EXPECT_EQ(events_of(99, 257), "limit_exceeded");
  EXPECT_EQ(code_of(runtime_.read_transcript(ref("x", "other"), {{}, 0, {}})),
            ErrorCode::invalid_request);
  const auto refused = runtime_.read_transcript(ref("x"), {{}, 257, {}});
  EXPECT_EQ(*refused.error().get<LimitFields>(), (LimitFields{"page_items", 257, 256}));
  EXPECT_EQ(code_of(runtime_.read_transcript(ref("x", "other"))), ErrorCode::wrong_runtime);
  EXPECT_EQ(code_of(runtime_.read_transcript(ref("x"))), ErrorCode::worker_not_found);
  EXPECT_EQ(code_of(runtime_.list_workers({{}, {}, 0})), ErrorCode::invalid_request);
  EXPECT_EQ(limit_of(runtime_.list_workers({{}, {}, 257})), "page_items");
  EXPECT_EQ(limit_of(runtime_.diagnostics(0, 257)), "page_items");
  EXPECT_EQ(code_of(runtime_.worker_detail(ref("w", "other"))), ErrorCode::wrong_runtime);
}

TEST(RuntimePageBytesTest, BytesBoundAPageThatHasAtLeastOneItem) {
  auto runtime = *Runtime::in_memory(runtime_id(), with_limit("page_bytes", 10));
  ASSERT_TRUE(runtime.create_worker(create("w")));
  for (const std::size_t size : {4U, 6U, 1U, 50U})
    ASSERT_TRUE(runtime.send_input(input("w", std::string(size, 'x'))));
  const auto count = [&](std::uint64_t start, Direction direction = Direction::oldest_first) {
    return runtime.read_transcript(ref("w"), {start, {}, direction})->items.size();
  };
  EXPECT_EQ(count(0), 2U);
  EXPECT_EQ(count(2), 1U);
  EXPECT_EQ(count(3), 1U);
  EXPECT_EQ(count(3, Direction::newest_first), 1U);
  EXPECT_EQ(count(2, Direction::newest_first), 2U);
}

TEST_F(RuntimePagesTest, WorkersAreListedByIdAndStatus) {
  for (const std::string_view worker : {"c", "a", "b"})
    ASSERT_TRUE(runtime_.create_worker(create(worker)));
  ASSERT_TRUE(runtime_.stop_worker({ref("a"), {}}));
  ASSERT_TRUE(runtime_.cancel_worker({ref("c"), {}}));
  const auto list = [&](StatusFilter status, std::string_view after = {},
                        std::optional<std::uint64_t> limit = {}) {
    ListQuery query{status, {}, limit};
    if (!after.empty()) query.after = worker_id(after);
    const auto page = runtime_.list_workers(query);
    std::string text;
    for (const auto& worker : page->workers) text += worker.worker_ref.worker_id.text();
    return text + (page->next_after ? ">" + page->next_after->text() : "");
  };
  EXPECT_EQ(list(StatusFilter::any), "abcw");
  EXPECT_EQ(list(StatusFilter::any, {}, 2), "ab>b");
  EXPECT_EQ(list(StatusFilter::any, "b", 2), "cw");
  EXPECT_EQ(list(StatusFilter::any, "bb", 1), "c>c");
  EXPECT_EQ(list(StatusFilter::any, "z"), "");
  EXPECT_EQ(list(StatusFilter::running), "bw");
  EXPECT_EQ(list(StatusFilter::running, {}, 1), "b>b");
  EXPECT_EQ(list(StatusFilter::running, "b", 1), "w");
  EXPECT_EQ(list(StatusFilter::stopped), "a");
  EXPECT_EQ(list(StatusFilter::cancelled), "c");
  EXPECT_EQ(list(StatusFilter::damaged), "");
}

TEST(RuntimeListTest, ManyWorkersAreListedWhole) {
  auto runtime = *Runtime::in_memory(runtime_id());
  for (int count = 0; count < 1000; ++count) ASSERT_TRUE(runtime.create_worker(create()));
  ASSERT_TRUE(runtime.stop_worker({ref("worker-000003e8"), {}}));
  std::size_t listed = 0;
  ListQuery query{StatusFilter::running, {}, 100};
  do {
    const auto page = runtime.list_workers(query);
    listed += page->workers.size();
    query.after = page->next_after;
  } while (query.after);
  EXPECT_EQ(listed, 999U);
  EXPECT_EQ(runtime.list_workers({StatusFilter::stopped, {}, 1})->workers.size(), 1U);
}

// ---- waiting

TEST_F(RuntimePagesTest, WaitAnswersAtOnceWhatIsThere) {
  EXPECT_EQ(ids(runtime_.wait_events({6}, milliseconds::max())), "6 7 next 8");
  EXPECT_EQ(ids(runtime_.wait_events({6}, milliseconds(0), {}, 1)), "6 next 7 more");
  EXPECT_EQ(ids(runtime_.wait_events({9}, milliseconds(0))), "cursor_ahead");
  EXPECT_EQ(ids(runtime_.wait_events({0}, milliseconds(0))), "invalid_request");
  EXPECT_EQ(ids(runtime_.wait_events({8}, milliseconds(0), {}, 0)), "invalid_request");
}

TEST_F(RuntimePagesTest, WaitEndsWithAnEmptyPageAtTheTimeout) {
  EXPECT_EQ(ids(runtime_.wait_events({8}, milliseconds(5))), "next 8");
  EXPECT_EQ(ids(runtime_.wait_events({8}, milliseconds::min())), "next 8");
}

TEST_F(RuntimePagesTest, WaitEndsWithTheEvent) {
  std::thread writer([&] {
    std::this_thread::sleep_for(milliseconds(10));
    EXPECT_TRUE(runtime_.send_input(input("w")));
  });
  EXPECT_EQ(ids(runtime_.wait_events({8}, milliseconds::max())), "8 next 9");
  writer.join();
}

TEST_F(RuntimePagesTest, WaitEndsWithAStopRequest) {
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(10));
    stop.request_stop();
  });
  EXPECT_EQ(ids(runtime_.wait_events({8}, milliseconds::max(), stop.get_token())), "next 8");
  stopper.join();
  EXPECT_EQ(ids(runtime_.wait_events({8}, milliseconds::max(), stop.get_token())), "next 8");
}

TEST_F(RuntimePagesTest, WaitEndsWithClose) {
  std::thread closer([&] {
    std::this_thread::sleep_for(milliseconds(10));
    EXPECT_TRUE(runtime_.close());
  });
  EXPECT_EQ(ids(runtime_.wait_events({8}, milliseconds::max())), "closed");
  closer.join();
}

}  // namespace
}  // namespace worker_runtime::testing
