// Nothing acknowledged is lost, and nothing is there by half, when the writer is killed.
//
// Each test kills a writer again and again on a store that grows, at random moments: while it
// recovers, while requests are executed and answered, while it closes. Before each opening, the
// store as the kill left it must verify with nothing but notes; after it, ledger.h compares all
// that can be read with what was sent and answered. WORKER_RUNTIME_CRASH_ROUNDS and
// WORKER_RUNTIME_SEED set the number of rounds of all tests and the seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "driver.h"
#include "interrupted_work.h"
#include "ledger.h"
#include "random_requests.h"
#include "support/random.h"
#include "support/subprocess.h"
#include "support/temporary_directory.h"
#include "verified.h"

namespace worker_runtime::testing {
namespace {

struct Series {
  const char* name;
  std::vector<std::string> arguments;  // of the command-line tool; none: the driver
  RandomRequests::Mix mix;
  std::uint64_t requests_max;
  std::uint64_t rounds_a_store;
};

void PrintTo(const Series& series, std::ostream* out) { *out << series.name; }

/// One store, from its first opening to its last.
class Life {
 public:
  Life(const Series& series, Random& random)
      : series_(series), random_(random), requests_(random, series.mix) {}

  struct Counts {
    std::uint64_t rounds = 0;
    std::uint64_t killed_with_requests_unanswered = 0;
    std::uint64_t with_survivors = 0;
  };

  void round(Counts& counts) {
    ++counts.rounds;
    const std::uint64_t dice = random_.below(10);
    if (dice == 0) return kill_while_it_opens();
    Subprocess pipe(program());
    ASSERT_EQ(ledger_.settle(pipe), "");
    if (ledger_.survived() > 0) ++counts.with_survivors;
    if (dice == 1) {
      close_or_kill_while_it_closes(pipe);
    } else {
      kill_while_it_works(pipe);
      if (ledger_.unanswered() > 0) ++counts.killed_with_requests_unanswered;
    }
    if (::testing::Test::HasFatalFailure()) return;
    ASSERT_EQ(problems_found_by_verify(root()), "");
  }

  /// The last round: closes, and looks once more.
  void end() {
    Subprocess pipe(program());
    ASSERT_EQ(ledger_.settle(pipe), "");
    ASSERT_EQ(pipe.finish().exit_code, 0);
    ASSERT_EQ(problems_found_by_verify(root()), "");
  }

 private:
  [[nodiscard]] std::string root() const { return directory_.path() / "store"; }

  [[nodiscard]] std::vector<std::string> program() const {
    if (series_.arguments.empty()) return driver({"pipe", root()});
    std::vector<std::string> line{WORKER_RUNTIME_CLI_PATH, "--root", root(), "pipe"};
    line.insert(line.end(), series_.arguments.begin(), series_.arguments.end());
    return line;
  }

  /// Not to wait for anything: a moment is drawn.
  void let_time_pass(std::uint64_t microseconds_max) {
    std::this_thread::sleep_for(std::chrono::microseconds(random_.below(microseconds_max)));
  }

  void kill_while_it_opens() {
    Subprocess pipe(program());
    let_time_pass(random_.one_in(2) ? 3000 : 30'000);
    pipe.send_signal(SIGKILL);
    pipe.finish();
  }

  void kill_while_it_works(Subprocess& pipe) {
    work_until_killed(pipe, requests_, series_.requests_max, random_, ledger_, &Ledger::answered,
                      [this] {
                        if (random_.one_in(8)) let_time_pass(1000);
                      });
  }

  void close_or_kill_while_it_closes(Subprocess& pipe) {
    pipe.close_input();
    const bool killed = !random_.one_in(4);
    if (killed) {
      let_time_pass(3000);
      pipe.send_signal(SIGKILL);
    }
    const Finished finished = pipe.finish();
    const bool closed = finished.exit_code == 0;
    ASSERT_TRUE(closed || (killed && finished.exit_code == -SIGKILL)) << finished.errors;
  }

  const Series& series_;
  Random& random_;
  RandomRequests requests_;
  Ledger ledger_;
  TemporaryDirectory directory_;
};

const std::vector<Series>& all_series() {
  static const std::vector<Series> series{
      {"SmallEntries", {"--durability", "sync"}, {0, 100, 4}, 300, 40},
      {"LargeEntries", {"--durability", "sync"}, {12, 40, 6}, 60, 20},
      {"ManyCheckpoints", {"--durability", "sync"}, {0, 20, 10}, 200, 40},
      {"SmallFiles", {}, {30, 25, 6}, 200, 20},
      {"WithoutSync", {"--durability", "none"}, {20, 50, 4}, 400, 20},
  };
  return series;
}

class KillTest : public ::testing::TestWithParam<Series> {};

TEST_P(KillTest, WhatWasAcknowledgedIsThereOnceAndTheRestWhollyOrNotAtAll) {
  const std::uint64_t seed = number_from_environment("WORKER_RUNTIME_SEED", 1);
  const std::uint64_t rounds =
      number_from_environment("WORKER_RUNTIME_CRASH_ROUNDS", 200) / all_series().size();
  std::cout << "WORKER_RUNTIME_SEED=" << seed << "\n";
  Random random(seed);
  Life::Counts counts;
  std::unique_ptr<Life> life;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    if (!life) life = std::make_unique<Life>(GetParam(), random);
    ASSERT_NO_FATAL_FAILURE(life->round(counts));
    if ((round + 1) % GetParam().rounds_a_store != 0 && round + 1 != rounds) continue;
    ASSERT_NO_FATAL_FAILURE(life->end());
    life.reset();
  }
  std::cout << counts.rounds << " rounds; in " << counts.killed_with_requests_unanswered
            << " the kill came with requests unanswered, in " << counts.with_survivors
            << " some of these were done\n";
  // Else the kills come too late to prove anything.
  EXPECT_GE(counts.killed_with_requests_unanswered * 3, counts.rounds);
}

INSTANTIATE_TEST_SUITE_P(Series, KillTest, ::testing::ValuesIn(all_series()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace worker_runtime::testing
