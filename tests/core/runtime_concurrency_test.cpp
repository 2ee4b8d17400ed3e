// Many threads, asynchronous submissions, and the end while others wait.
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "core_fixture.h"
#include "faulty_store.h"

namespace worker_runtime::testing {
namespace {

using std::chrono::milliseconds;
using RuntimeConcurrencyTest = RuntimeTest;

TEST_F(RuntimeConcurrencyTest, SixtyFourThreadsGetDenseNumbersAndReadersSeeWholePages) {
  constexpr int writers = 64;
  constexpr std::uint64_t each = 50;
  std::vector<std::thread> threads;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      const auto page = runtime_.read_transcript(ref("w"), {{}, 10, Direction::newest_first});
      ASSERT_TRUE(page);
      if (!page->items.empty()) {
        EXPECT_EQ(page->items.front().sequence.value, page->total);
      }
      ASSERT_TRUE(runtime_.list_workers());
      ASSERT_TRUE(runtime_.summary());
    }
  });
  std::atomic<std::uint64_t> sum{0};
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      std::uint64_t last = 0;
      for (std::uint64_t count = 0; count < each; ++count) {
        const auto sent = runtime_.send_input(
            keyed_input("w", std::to_string(writer) + "/" + std::to_string(count)));
        ASSERT_TRUE(sent);
        EXPECT_GT(sent->sequence.value, last);
        last = sent->sequence.value;
        sum += last;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  constexpr std::uint64_t total = writers * each;
  EXPECT_EQ(sum, total * (total + 1) / 2);
  EXPECT_EQ(runtime_.read_transcript(ref("w"))->total, total);
}

TEST_F(RuntimeConcurrencyTest, SubmissionsExecuteAndCompleteInOrder) {
  constexpr std::uint64_t count = 5000;
  std::vector<std::uint64_t> sequences;
  std::promise<void> done;
  for (std::uint64_t number = 1; number <= count; ++number) {
    runtime_.submit(input("w"), [&, number](const Result<Answer>& answer) {
      sequences.push_back(std::get<EntryAccepted>(*answer).sequence.value);
      if (number == count) done.set_value();
    });
  }
  done.get_future().wait();
  ASSERT_EQ(sequences.size(), count);
  for (std::uint64_t number = 1; number <= count; ++number)
    EXPECT_EQ(sequences[number - 1], number);
}

TEST_F(RuntimeConcurrencyTest, ABlockingCallFollowsTheSubmissionsOfItsThread) {
  std::atomic<int> completed{0};
  for (int count = 0; count < 100; ++count) {
    runtime_.submit(input("w"), [&](const Result<Answer>&) { ++completed; });
    runtime_.submit_batch({input("w"), input("w")},
                          [&](const Result<std::vector<Answer>>& answers) {
                            EXPECT_EQ(answers->size(), 2U);
                            ++completed;
                          });
    const auto sent = runtime_.send_input(input("w"));
    EXPECT_EQ(completed, 2 * (count + 1));
    EXPECT_EQ(sent->sequence.value, 4U * (static_cast<unsigned>(count) + 1));
  }
}

TEST_F(RuntimeConcurrencyTest, ACompletionMaySubmit) {
  std::promise<std::uint64_t> done;
  std::function<void(Result<Answer>)> next = [&](const Result<Answer>& answer) {
    const std::uint64_t sequence = std::get<EntryAccepted>(*answer).sequence.value;
    if (sequence == 100) {
      done.set_value(sequence);
    } else {
      runtime_.submit(input("w"), next);
    }
  };
  runtime_.submit(input("w"), next);
  EXPECT_EQ(done.get_future().get(), 100U);
}

TEST_F(RuntimeConcurrencyTest, SubmittersAndCallersMix) {
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> completed{0};
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int count = 0; count < 200; ++count) {
        if (thread % 2 == 0) {
          runtime_.submit(input("w"), [&](const Result<Answer>& answer) {
            if (answer) ++completed;
          });
        } else if (runtime_.send_input(input("w"))) {
          ++completed;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(runtime_.close());
  EXPECT_EQ(completed, 1600U);
}

TEST_F(RuntimeConcurrencyTest, EveryWaiterIsWokenByTheEvent) {
  std::vector<std::thread> waiters;
  std::atomic<int> woken{0};
  for (int count = 0; count < 16; ++count) {
    waiters.emplace_back([&] {
      std::uint64_t from = 3;
      while (from < 23) {
        const auto page = runtime_.wait_events({from}, milliseconds::max(), {}, 1);
        ASSERT_TRUE(page);
        ASSERT_EQ(page->events.front().id.value, from);
        ++from;
      }
      ++woken;
    });
  }
  for (int count = 0; count < 20; ++count) ASSERT_TRUE(runtime_.send_input(input("w")));
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(woken, 16);
}

// ---- the end

TEST(RuntimeCloseTest, WhatWasSubmittedIsServedAndWhatComesLaterIsAnsweredInOrder) {
  const auto faults = std::make_shared<Faults>();
  auto runtime = *Runtime::open(std::make_unique<FaultyStore>(runtime_id(), faults));
  ASSERT_TRUE(runtime.create_worker(create("w")));
  faults->hold();
  std::mutex mutex;
  std::condition_variable changed;
  std::string log;
  const auto submit = [&] {
    runtime.submit(input("w"), [&](const Result<Answer>& answer) {
      const std::lock_guard lock(mutex);
      log += answer ? "+" : answer.error().code() == ErrorCode::closed ? "-" : "?";
      changed.notify_all();
    });
  };
  for (int count = 0; count < 3; ++count) submit();
  faults->wait_until_held();
  auto closing = std::async(std::launch::async, [&] { return runtime.close(); });
  while (runtime.summary()) std::this_thread::yield();
  for (int count = 0; count < 2; ++count) submit();
  EXPECT_EQ(log, "");
  EXPECT_EQ(code_of(runtime.send_input(input("w"))), ErrorCode::closed);
  faults->release();
  ASSERT_TRUE(closing.get());
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return log.size() == 5; });
  }
  EXPECT_EQ(log, "+++--");
}

TEST(RuntimeCloseTest, ThreadsThatRaceWithCloseGetTheirAnswerOrClosed) {
  for (int round = 0; round < 20; ++round) {
    auto runtime = *Runtime::in_memory(runtime_id());
    ASSERT_TRUE(runtime.create_worker(create("w")));
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] {
        for (;;) {
          const auto sent = runtime.send_input(input("w"));
          if (sent) continue;
          EXPECT_EQ(sent.error().code(), ErrorCode::closed);
          return;
        }
      });
    }
    threads.emplace_back([&] {
      while (runtime.read_events({{}, 1, Direction::newest_first})) std::this_thread::yield();
    });
    std::this_thread::sleep_for(milliseconds(2));
    EXPECT_TRUE(runtime.close());
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(RuntimeDestructorTest, ThreadsThatWaitGetClosed) {
  for (int round = 0; round < 20; ++round) {
    const auto faults = std::make_shared<Faults>();
    std::optional<Runtime> runtime(
        *Runtime::open(std::make_unique<FaultyStore>(runtime_id(), faults)));
    ASSERT_TRUE(runtime->create_worker(create("w")));
    faults->hold();
    std::vector<std::thread> threads;
    std::atomic<int> closed{0};
    std::atomic<int> sent{0};
    std::atomic<int> ended{0};
    Runtime& shared = *runtime;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] { ++(shared.send_input(input("w")) ? sent : closed); });
      threads.emplace_back([&] {
        static_cast<void>(shared.wait_events({3}, milliseconds::max()).has_value());
        ++ended;
      });
    }
    shared.submit(input("w"), [&](const Result<Answer>& answer) { ++(answer ? sent : closed); });
    faults->wait_until_held();
    // All of them wait: no call may start once the destructor has.
    std::this_thread::sleep_for(milliseconds(20));
    std::thread releaser([&] {
      std::this_thread::sleep_for(milliseconds(2));
      faults->release();
    });
    runtime.reset();
    releaser.join();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(sent + closed, 5);
    EXPECT_EQ(ended, 4);
    EXPECT_GE(sent, 1);
    EXPECT_EQ(faults->closes, 0U);
  }
}

}  // namespace
}  // namespace worker_runtime::testing
