// Goal: all operations of one Runtime at once, from many threads, and Readers and verify beside
// them: every answer is true, every page is dense and holds what was written, and what was
// acknowledged before the Runtime was closed under its callers is all that the next open finds.
//
// Method: writers, each with Workers of its own and some that all share, record every answer.
// Beside them, until the last of them has got `closed`: waits with stop tokens, pages in both
// directions, checkpoints, Readers that come and go, Readers that stay with their cursors, and
// verify. Files are small, so that parts are closed and segments dropped all the time. The whole is
// made to be run under the thread sanitizer: WORKER_RUNTIME_SEED, and WORKER_RUNTIME_OPERATIONS of
// each writer.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "stress_cursors.h"
#include "stress_writer.h"
#include "support/domain.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::testing {
namespace {

using fs_store::Reader;
using std::chrono::milliseconds;

class StressTest : public ::testing::Test {
 protected:
  StressTest() {
    options_.root = directory_.path() / "store";
    options_.create = true;
    options_.checkpoint_bytes = 32'768;
    options_.checkpoint_interval = milliseconds(20);
    options_.extend_interval = milliseconds(1);
    options_.log_part_bytes = 8192;
  }

  void open() {
    auto opened = fs_store::open_runtime(options_);
    ASSERT_TRUE(is_ok(opened));
    runtime_.emplace(*std::move(opened));
    for (int number = 0; number < shared_workers; ++number) {
      const std::string name = shared_name(static_cast<std::uint64_t>(number));
      const auto created = runtime_->create_worker(task("share", name));
      ASSERT_TRUE(is_ok(created));
      acknowledged_.created(name);
      acknowledged_.event(created->summary.last_event_id, EventKind::worker_created);
    }
  }

  /// What runs beside the writers until it is destroyed.
  std::vector<std::jthread> begin_beside() {
    std::vector<std::jthread> threads;
    for (const auto work :
         {&StressTest::wait_for_events, &StressTest::break_waits_off, &StressTest::page_through,
          &StressTest::checkpoint, &StressTest::open_readers, &StressTest::follow,
          &StressTest::follow, &StressTest::verify}) {
      threads.emplace_back([this, work](const std::stop_token& stop) { (this->*work)(stop); });
    }
    return threads;
  }

  void wait_for_events(const std::stop_token& stop) {
    Cursors cursors;
    while (cursors.wait_events(*runtime_, std::chrono::hours(1), stop) && !stop.stop_requested()) {
    }
    items_ += cursors.items();
  }
  /// Waits that somebody ends from another thread.
  void break_waits_off(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::stop_source source;
      auto waiting = std::async(std::launch::async, [&] {
        const auto count = runtime_->summary();
        if (!count) return;
        const auto page = runtime_->wait_events(EventId{count->event_count + 1},
                                                std::chrono::hours(1), source.get_token());
        EXPECT_TRUE(page || page.error().code() == ErrorCode::closed);
      });
      std::this_thread::yield();
      source.request_stop();
      waiting.get();
    }
  }
  void page_through(const std::stop_token& stop) {
    Cursors cursors;
    while (!stop.stop_requested() && look_around(*runtime_, cursors))
      cursors.read_events(*runtime_);
    items_ += cursors.items();
  }
  void checkpoint(const std::stop_token& stop) {
    Lsn last;
    while (!stop.stop_requested()) {
      const auto done = runtime_->checkpoint();
      if (!done) {
        EXPECT_EQ(done.error().code(), ErrorCode::closed) << done.error().detail();
        return;
      }
      EXPECT_GE(done->value, last.value);
      last = *done;
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  void open_readers(const std::stop_token& stop) {
    Cursors cursors;  // of all of them, one after the other
    while (!stop.stop_requested()) {
      auto reader = Reader::open(options_.root);
      ASSERT_TRUE(is_ok(reader));
      look_around(*reader, cursors);
      cursors.read_events(*reader);
      ++readers_;
    }
    items_ += cursors.items();
  }
  void follow(const std::stop_token& stop) {
    auto reader = Reader::open(options_.root);
    ASSERT_TRUE(is_ok(reader));
    Cursors cursors;
    Random random(1);
    while (!stop.stop_requested()) {
      cursors.wait_events(*reader, milliseconds(20), stop);
      cursors.wait_transcript(*reader, shared_name(random.below(shared_workers)), milliseconds(5),
                              stop);
      if (random.one_in(10)) look_around(*reader, cursors);
    }
    items_ += cursors.items();
  }
  void verify(const std::stop_token& stop) {
    do {
      const auto report = fs_store::verify({options_.root});
      ASSERT_TRUE(is_ok(report));
      for (const fs_store::Finding& finding : report->findings) {
        EXPECT_EQ(finding.severity, Severity::info)
            << finding.path << ": " << finding.code << ": " << finding.message;
      }
      ++verified_;
    } while (!stop.stop_requested());
  }

  TemporaryDirectory directory_;
  fs_store::StoreOptions options_;
  std::optional<Runtime> runtime_;
  Acknowledged acknowledged_;
  std::atomic<std::uint64_t> items_{0};
  std::atomic<std::uint64_t> readers_{0};
  std::atomic<std::uint64_t> verified_{0};
};

TEST_F(StressTest, AllOperationsAtOnceAndAnEndAmongThem) {
  const std::uint64_t seed = number_from_environment("WORKER_RUNTIME_SEED", 1);
  const std::uint64_t operations = number_from_environment("WORKER_RUNTIME_OPERATIONS", 150);
  std::cout << "to repeat: WORKER_RUNTIME_SEED=" << seed
            << " WORKER_RUNTIME_OPERATIONS=" << operations << "\n";
  ASSERT_NO_FATAL_FAILURE(open());
  std::atomic<int> busy{stress_writers};
  std::promise<void> halfway;
  {
    const std::vector<std::jthread> beside = begin_beside();
    std::vector<std::jthread> writers;
    for (int number = 0; number < stress_writers; ++number) {
      writers.emplace_back([&, number] {
        Writer(*runtime_, acknowledged_, number, seed * 100 + static_cast<unsigned>(number))
            .work(operations, [&] {
              if (--busy == 0) halfway.set_value();
            });
      });
    }
    // Writers go on after their operations, so that the end meets all of them.
    halfway.get_future().get();
    EXPECT_TRUE(is_ok(runtime_->close()));
    EXPECT_TRUE(fails_with(runtime_->close(), ErrorCode::closed));
    writers.clear();
  }
  runtime_.reset();
  const auto reopened = fs_store::open_runtime(options_);
  ASSERT_TRUE(is_ok(reopened));
  acknowledged_.expect_exactly_in(*reopened);
  std::cout << acknowledged_.events() << " events; beside them " << items_ << " items in pages, "
            << readers_ << " Readers opened, " << verified_ << " times verified\n";
}

}  // namespace
}  // namespace worker_runtime::testing
