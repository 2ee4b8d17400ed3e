// Finding and making a runtime: many at once, and what the dead left unfinished.
#include "open.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

class Open : public testing::StoreFixture {
 protected:
  /// Opens a fresh root from many threads at once; each closes what it opened.
  std::vector<Result<RuntimeSummary>> open_at_once() const {
    constexpr std::size_t count = 8;
    std::vector<Result<RuntimeSummary>> answers(count, Error(ErrorCode::closed, "no answer"));
    std::vector<std::thread> openers;
    std::atomic<std::size_t> ready = 0;
    for (Result<RuntimeSummary>& answer : answers) {
      openers.emplace_back([&] {
        for (++ready; ready < count;) std::this_thread::yield();
        auto opened = try_open();
        if (!opened) {
          answer = std::move(opened).error();
          return;
        }
        answer = opened->summary();
        EXPECT_TRUE(is_ok(opened->close()));
      });
    }
    for (std::thread& opener : openers) opener.join();
    return answers;
  }
  [[nodiscard]] std::vector<std::string> runtimes() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(options_.root / "runtimes"))
      found.push_back(entry.path().filename().string());
    return found;
  }
  /// The root as the store sees it.
  [[nodiscard]] std::unique_ptr<FileSystem> root() const {
    auto root = open_posix_file_system(options_.root.string(), true, Permissions::owner_only);
    EXPECT_TRUE(is_ok(root));
    return root ? std::move(*root) : nullptr;
  }
};

TEST_F(Open, OfManyThatMakeARuntimeAtOnceOneMakesItAndTheOthersAreLockedOut) {
  for (int round = 0; round < 5; ++round) {
    options_.root = directory_.path() / std::to_string(round);
    const auto answers = open_at_once();
    std::size_t opened = 0;
    for (const auto& answer : answers) {
      if (answer) {
        ++opened;
      } else {
        EXPECT_TRUE(fails_with(answer, ErrorCode::store_locked));
      }
    }
    EXPECT_GE(opened, 1U);
    EXPECT_EQ(runtimes(), std::vector<std::string>{"main"});
    expect_clean();
  }
}

TEST_F(Open, ThoseThatWaitGetTheOneThatWasMade) {
  options_.lock_wait = std::chrono::seconds(60);
  for (const auto& answer : open_at_once()) {
    ASSERT_TRUE(is_ok(answer));
    EXPECT_EQ(answer->event_count, 1U) << "it was made once";
  }
  EXPECT_EQ(runtimes(), std::vector<std::string>{"main"});
}

TEST_F(Open, WhoMakesARuntimeHasItsLockBeforeAnybodyCanMeetIt) {
  const auto directory = root();
  options_.root = "/nonexistent";  // not looked at
  RuntimeId found;
  std::unique_ptr<FileLock> lock;
  const auto made = open_runtime_directory(*directory, options_, found, &lock);
  ASSERT_TRUE(is_ok(made));
  ASSERT_TRUE(lock);
  EXPECT_TRUE(fails_with(take_store_lock(**made, found, std::chrono::milliseconds(0)),
                         ErrorCode::store_locked));
  EXPECT_TRUE(is_ok(take_store_lock(**made, found, std::chrono::milliseconds(0), std::move(lock))));
}

TEST_F(Open, RuntimesThatTheDeadLeftUnfinishedAreSweptAndThoseUnderWayAreNot) {
  open();
  close();
  const auto runtimes_directory = options_.root / "runtimes";
  const auto dead = runtimes_directory / ".main.0123456789abcdef.tmp";
  const auto under_way = runtimes_directory / ".main.fedcba9876543210.tmp";
  const auto foreign = runtimes_directory / ".notes.tmp";
  for (const auto& path : {dead, under_way, foreign})
    std::filesystem::create_directories(path / "journal");
  const auto directory = root()->directory("runtimes/.main.fedcba9876543210.tmp");
  ASSERT_TRUE(is_ok(directory));
  const auto lock = (*directory)->try_lock("lock");
  ASSERT_TRUE(is_ok(lock));
  open();
  EXPECT_FALSE(std::filesystem::exists(dead));
  EXPECT_TRUE(std::filesystem::exists(under_way / "journal"));
  EXPECT_TRUE(std::filesystem::exists(foreign));
}

TEST_F(Open, WhatStandsInTheWayOfARuntimeIsNamedAndLeftAlone) {
  const auto target = options_.root / "runtimes/main";
  std::filesystem::create_directories(target / "notes");
  const auto opened = try_open();
  ASSERT_TRUE(fails_with(opened, ErrorCode::store_io));
  EXPECT_EQ(
      opened.error().message(),
      "cannot make the runtime: runtimes/main is there, and it is none; a repair makes one of "
      "what is left of one");
  EXPECT_TRUE(std::filesystem::exists(target / "notes"));
  EXPECT_EQ(runtimes(), std::vector<std::string>{"main"}) << "nothing is left over";
}

TEST_F(Open, AMakerWhoseDirectoryIsSweptBeforeItIsLockedBeginsAnew) {
  const auto sweeper = root();
  const auto directory = make_faulty_file_system(root(), faults_);
  bool swept = false;
  faults_.set_hook([&](CallKind kind, const std::string& path) {
    if (kind != CallKind::lock || swept) return;
    swept = true;
    sweep_unfinished_runtimes(*sweeper);
    EXPECT_TRUE(runtimes().empty()) << path;
  });
  RuntimeId found;
  EXPECT_TRUE(is_ok(open_runtime_directory(*directory, options_, found)));
  EXPECT_TRUE(swept);
  EXPECT_EQ(runtimes(), std::vector<std::string>{"main"});
}

}  // namespace
}  // namespace worker_runtime::fs_store
