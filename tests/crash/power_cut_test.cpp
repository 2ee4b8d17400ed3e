// Real file systems whose disk loses its power: nothing acknowledged is lost, and nothing is there
// by half.
//
// As in kill_test.cpp, but what dies is the disk (power_cut_disk.h): at random moments of opening,
// work and closing all that was not flushed goes, but for what the system happened to have written.
// Then the file system recovers from its own journal, the store is verified and opened, and
// ledger.h compares. WORKER_RUNTIME_CRASH_ROUNDS and WORKER_RUNTIME_SEED as there. Where the system
// lets no test mount a file system, that is skipped, and the output says so.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "driver.h"
#include "interrupted_work.h"
#include "power_cut_disk.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "verified.h"

namespace worker_runtime::testing {
namespace {

struct Counts {
  std::uint64_t rounds = 0;
  std::uint64_t cut_with_requests_unanswered = 0;
  std::uint64_t with_survivors = 0;
};

std::vector<std::string> writer(const std::string& root, const std::string& durability) {
  return {WORKER_RUNTIME_CLI_PATH, "--root", root, "pipe", "--durability", durability};
}

/// One store, whose writer syncs.
class PoweredStore {
 public:
  PoweredStore(PowerCutDisk& disk, std::string name, bool has_small_files, Random& random)
      : disk_(disk),
        name_(std::move(name)),
        has_small_files_(has_small_files),
        random_(random),
        requests_(random, {40, 30, 6}) {}

  void round(Counts& counts) {
    ++counts.rounds;
    const std::uint64_t dice = random_.below(8);
    if (dice == 0) return cut_while_it_opens();
    Subprocess pipe(program());
    ASSERT_EQ(ledger_.settle(pipe), "");
    if (ledger_.survived() > 0) ++counts.with_survivors;
    if (dice == 1) return close_and_cut(pipe);
    work_until_killed(pipe, requests_, 150, random_, ledger_, &Ledger::answered_or_failed,
                      [this] { cut(); });
    if (::testing::Test::HasFatalFailure()) return;
    if (ledger_.unanswered() > 0) ++counts.cut_with_requests_unanswered;
    power_on();
  }

  /// Closes, and looks once more after a last cut.
  void end() {
    Subprocess pipe(program());
    ASSERT_EQ(ledger_.settle(pipe), "");
    ASSERT_NO_FATAL_FAILURE(close_and_cut(pipe));
    Subprocess again(program());
    ASSERT_EQ(ledger_.settle(again), "");
    ASSERT_EQ(again.finish().exit_code, 0);
  }

 private:
  [[nodiscard]] std::string root() const { return disk_.path() / name_; }

  [[nodiscard]] std::vector<std::string> program() const {
    return has_small_files_ ? driver({"pipe", root()}) : writer(root(), "sync");
  }

  void cut() {
    if (random_.one_in(2)) disk_.write_some_back(random_);
    ASSERT_EQ(disk_.cut_power(), "");
  }

  void power_on() {
    ASSERT_EQ(disk_.power_on(), "");
    ASSERT_EQ(problems_found_by_verify(root()), "");
  }

  void cut_while_it_opens() {
    Subprocess pipe(program());
    // tidy-allow(sleep): the moment is random
    std::this_thread::sleep_for(std::chrono::microseconds(random_.below(30'000)));
    ASSERT_NO_FATAL_FAILURE(cut());
    pipe.send_signal(SIGKILL);
    pipe.finish();
    power_on();
  }

  /// At some moment of closing, or behind it.
  void close_and_cut(Subprocess& pipe) {
    pipe.close_input();
    const bool is_closing = random_.one_in(2);
    if (!is_closing) {
      ASSERT_EQ(pipe.finish().exit_code, 0);
    }
    ASSERT_NO_FATAL_FAILURE(cut());
    if (is_closing) {
      pipe.send_signal(SIGKILL);
      pipe.finish();
    }
    power_on();
  }

  PowerCutDisk& disk_;
  const std::string name_;
  const bool has_small_files_;
  Random& random_;
  RandomRequests requests_;
  Ledger ledger_;
};

class PowerCutTest : public ::testing::TestWithParam<FileSystemKind> {};

TEST_P(PowerCutTest, WhatWasAcknowledgedIsThereOnceAndTheRestWhollyOrNotAtAll) {
  const TemporaryDirectory place;
  PowerCutDisk disk;
  const std::string problem = disk.make(GetParam(), place.path());
  if (!problem.empty()) GTEST_SKIP() << "NOT TESTED ON " << GetParam().name << ": " << problem;

  const std::uint64_t seed = number_from_environment("WORKER_RUNTIME_SEED", 1);
  const std::uint64_t rounds = number_from_environment("WORKER_RUNTIME_CRASH_ROUNDS", 200) / 20;
  std::cout << "WORKER_RUNTIME_SEED=" << seed << "\n";
  Random random(seed);
  Counts counts;
  constexpr std::uint64_t rounds_a_store = 20;
  // Cuts that come too late prove nothing. How many do is chance in few rounds: more are made then.
  const auto prove_something = [&] {
    return counts.cut_with_requests_unanswered * 5 >= counts.rounds;
  };
  const auto go_on = [&] {
    return counts.rounds < rounds || (!prove_something() && counts.rounds < 10 * rounds);
  };
  for (std::uint64_t store = 0; go_on(); ++store) {
    SCOPED_TRACE("store " + std::to_string(store));
    PoweredStore powered(disk, std::to_string(store), random.one_in(2), random);
    for (std::uint64_t round = 0; round < rounds_a_store && go_on(); ++round)
      ASSERT_NO_FATAL_FAILURE(powered.round(counts));
    ASSERT_NO_FATAL_FAILURE(powered.end());
    std::filesystem::remove_all(disk.path() / std::to_string(store));
  }
  std::cout << counts.rounds << " rounds; in " << counts.cut_with_requests_unanswered
            << " the power went with requests unanswered, in " << counts.with_survivors
            << " some of these were done\n";
  EXPECT_TRUE(prove_something());
}

INSTANTIATE_TEST_SUITE_P(FileSystems, PowerCutTest, ::testing::ValuesIn(file_system_kinds),
                         [](const auto& tested) { return std::string(tested.param.name); });

// Could it fail? A writer that does not sync must lose what it has acknowledged.
TEST(PowerCutCanaryTest, WithoutASyncWhatWasAcknowledgedIsLost) {
  const TemporaryDirectory place;
  PowerCutDisk disk;
  const std::string problem = disk.make(file_system_kinds.front(), place.path());
  if (!problem.empty()) GTEST_SKIP() << "NOT TESTED: " << problem;
  Ledger ledger;
  {
    Subprocess pipe(writer(disk.path() / "store", "none"));
    const std::string create =
        R"({"id":1,"op":"create_worker","worker_id":"w","intent":{"kind":"assistant"}})";
    ledger.sent(create);
    pipe.write(create + "\n");
    ASSERT_EQ(ledger.answered(pipe.read_line()), "");
    ASSERT_EQ(disk.cut_power(), "");
  }
  ASSERT_EQ(disk.power_on(), "");
  Subprocess pipe(writer(disk.path() / "store", "sync"));
  EXPECT_NE(ledger.settle(pipe), "");
}

}  // namespace
}  // namespace worker_runtime::testing
