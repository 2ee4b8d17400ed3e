// The writer's lock: the second writer is told who the first one is, whatever stands in the file.
#include "store_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/fs_store/files_fixture.h"
#include "support/fs_store/process_limits.h"

namespace worker_runtime::fs_store {
namespace {

using std::chrono::milliseconds;
using testing::fails_with;
using testing::is_ok;

class StoreLock : public FilesTest {
 protected:
  Result<std::unique_ptr<FileLock>> take(milliseconds wait = milliseconds(0)) {
    return take_store_lock(files(), testing::runtime_id("main"), wait);
  }
  /// What a second writer is told while `text` stands in the lock file.
  Error refusal_with(std::string_view text) {
    const auto held = files().try_lock("lock").value();
    put("lock", text);
    auto second = take();
    EXPECT_TRUE(fails_with(second, ErrorCode::store_locked));
    return second ? Error(ErrorCode::closed, "it was taken") : second.error();
  }
};

TEST_F(StoreLock, SecondWriterIsToldProcessHostAndTime) {
  const auto first = take();
  ASSERT_TRUE(is_ok(first));
  const auto second = take();
  ASSERT_TRUE(fails_with(second, ErrorCode::store_locked));
  const auto* const holder = second.error().get<HolderFields>();
  ASSERT_NE(holder, nullptr);
  std::array<char, 256> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  EXPECT_EQ(holder->pid, ::getpid());
  EXPECT_EQ(holder->host, host.data());
  EXPECT_TRUE(is_ok(parse_timestamp(holder->since))) << holder->since;
  EXPECT_EQ(second.error().message(), "runtime main is in use by another writer: process " +
                                          std::to_string(::getpid()) + " on " + host.data() +
                                          " since " + holder->since);
}

TEST_F(StoreLock, RefusedWriterChangesNothing) {
  const auto first = take();
  const std::string text = content("lock");
  faults().reset_counts();
  EXPECT_FALSE(take());
  EXPECT_EQ(content("lock"), text);
  EXPECT_TRUE(faults().changes().empty());
}

TEST_F(StoreLock, IsFreeAgainOnceItsHolderIsGone) {
  EXPECT_TRUE(is_ok(take()));
  EXPECT_TRUE(holds_in_child([this] { return take().has_value(); }));
  EXPECT_TRUE(is_ok(take()));
  EXPECT_NE(content("lock").find("pid=" + std::to_string(::getpid()) + " "), std::string::npos);
}

TEST_F(StoreLock, LockFileThatIsGoneMakesAMessageWithoutAHolder) {
  const auto held = take();
  ASSERT_TRUE(is_ok(files().remove_file("lock")));
  const auto second = take();
  ASSERT_TRUE(fails_with(second, ErrorCode::store_locked));
  EXPECT_EQ(second.error().message(), "runtime main is in use by another writer");
}

TEST_F(StoreLock, HostileTextGetsIntoNoMessage) {
  const std::string plain = "runtime main is in use by another writer";
  const std::vector<std::string> texts{
      "",
      "\n\n\n",
      "pid= host= since=\n",
      "pid=abc host=\x1b[31mred since=\x07\n",
      "pid=-1 host=\xC3\xA9 since=\x7f\n",
      "pid=99999999999999999999999 \n",
      "pid=0\n",
      std::string("pid=\0 host=a\0b\n", 15),
      std::string(3'000'000, 'x'),
      std::string(600, ' ') + "pid=7 host=h since=s\n",
      std::string(4096, '\0'),
  };
  for (const std::string& text : texts) {
    SCOPED_TRACE(text.substr(0, 60));
    const Error error = refusal_with(text);
    EXPECT_EQ(error.message(), plain);
    EXPECT_EQ(*error.get<HolderFields>(), HolderFields{});
  }
}

TEST_F(StoreLock, WhatCanBeReadOfADamagedTextIsShown) {
  EXPECT_EQ(refusal_with("pid=12 host=\x01 since=2026-11-24T10:00:00.000001Z").message(),
            "runtime main is in use by another writer: process 12 since "
            "2026-11-24T10:00:00.000001Z");
  EXPECT_EQ(refusal_with("host=box\n").message(),
            "runtime main is in use by another writer on box");
  EXPECT_LE(refusal_with("host=" + std::string(100'000, 'h')).message().size(), 600U);
}

TEST_F(StoreLock, WaitsForTheHolderToLetGo) {
  auto held = take();
  ASSERT_TRUE(is_ok(held));
  int attempts = 0;
  faults().set_hook([&](CallKind kind, const std::string&) {
    if (kind == CallKind::lock && ++attempts == 3) held = std::unique_ptr<FileLock>();
  });
  EXPECT_TRUE(is_ok(take(std::chrono::hours(1))));
  EXPECT_EQ(attempts, 3);
}

TEST_F(StoreLock, WithoutWaitingItIsTriedOnce) {
  const auto held = take();
  faults().reset_counts();
  EXPECT_FALSE(take());
  EXPECT_EQ(faults().count(CallKind::lock), 1U);
}

TEST_F(StoreLock, WaitThatWasInVainEndsWithTheHolder) {
  const auto held = take();
  faults().reset_counts();
  const auto second = take(milliseconds(50));
  ASSERT_TRUE(fails_with(second, ErrorCode::store_locked));
  EXPECT_EQ(second.error().get<HolderFields>()->pid, ::getpid());
  EXPECT_GE(faults().count(CallKind::lock), 2U);
}

TEST_F(StoreLock, LockThatCannotBeTriedIsAnInputErrorAtOnce) {
  faults().plan({CallKind::lock});
  EXPECT_TRUE(fails_with(take(std::chrono::hours(1)), ErrorCode::store_io));
}

TEST_F(StoreLock, FullDiskDoesNotKeepTheLockFromBeingTaken) {
  put("lock", "");
  const FileSizeLimit limit(0);
  const auto held = take();
  ASSERT_TRUE(is_ok(held));
  EXPECT_TRUE(fails_with(take(), ErrorCode::store_locked));
}

}  // namespace
}  // namespace worker_runtime::fs_store
