// Where a process has no handle left: kept ones are given up, and what still can't be done is
// refused and changes nothing.
#include "handle_retry.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "store_fixture.h"
#include "support/fs_store/files_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::input;
using testing::is_ok;

class HandleRetryTest : public FilesTest {
 protected:
  void fail(int system_error, std::uint64_t times) {
    Fault fault;
    fault.system_error = system_error;
    fault.times = times;
    faults().plan(fault);
  }
  /// As make_handle_retry() has it, over files() that count their calls.
  Result<void> make_directory(bool has_handles) {
    given_up_ = 0;
    const auto over = make_handle_retry(
        make_faulty_file_system(
            open_posix_file_system(path().string(), false, Permissions::owner_only).value(),
            faults()),
        [this, has_handles] {
          ++given_up_;
          return has_handles;
        });
    return over->make_directory("made");
  }
  int given_up_ = 0;
};

TEST_F(HandleRetryTest, GivesUpHandlesAndCallsOnceMore) {
  for (const int system_error : {EMFILE, ENFILE}) {
    fail(system_error, 1);
    EXPECT_TRUE(is_ok(make_directory(true)));
    EXPECT_EQ(given_up_, 1);
    ASSERT_TRUE(is_ok(files().remove_directory("made")));
  }
}

TEST_F(HandleRetryTest, WithNothingToGiveUpTheErrorStands) {
  fail(EMFILE, 1);
  const auto made = make_directory(false);
  ASSERT_TRUE(fails_with(made, ErrorCode::store_io));
  EXPECT_TRUE(is_out_of_handles(made.error()));
  EXPECT_EQ(faults().count(), 1U);
}

TEST_F(HandleRetryTest, IsNotTriedTwice) {
  fail(EMFILE, Fault::for_ever);
  EXPECT_TRUE(fails_with(make_directory(true), ErrorCode::store_io));
  EXPECT_EQ(faults().count(), 2U);
}

TEST_F(HandleRetryTest, AnyOtherErrorStands) {
  fail(EIO, 1);
  EXPECT_TRUE(fails_with(make_directory(true), ErrorCode::store_io));
  EXPECT_EQ(given_up_, 0);
}

// ---- a store

class OutOfHandles : public testing::StoreFixture {
 protected:
  void fail(const std::string& path_part, std::uint64_t times) {
    Fault fault;
    fault.kind = CallKind::open;
    fault.system_error = EMFILE;
    fault.path_part = path_part;
    fault.times = times;
    faults_.plan(fault);
  }
  void open_with_kept_handles() {
    open_faulty();
    for (const char* const id : {"a", "b", "c"}) {
      create(id);
      send(id, 2);
    }
    ASSERT_TRUE(is_ok(runtime().checkpoint()));
  }
};

TEST_F(OutOfHandles, HandlesKeptForAppendingMakeWay) {
  open_with_kept_handles();
  const std::uint64_t kept = faults_.open_files();
  fail("runtime.json", 1);
  send("a", 1, 3);
  ASSERT_TRUE(is_ok(runtime().checkpoint()));
  EXPECT_EQ(faults_.failures(), 1U);
  EXPECT_LE(faults_.open_files() + 3, kept);
  close();
  expect_clean();
  open();
  EXPECT_EQ(all_entries(runtime(), "a").size(), 3U);
}

TEST_F(OutOfHandles, WhatNeedsAHandleIsRefusedAndChangesNothing) {
  open_with_kept_handles();
  close();
  open_faulty();
  fail("", Fault::for_ever);
  EXPECT_TRUE(is_ok(runtime().stop_worker({ref("c"), std::nullopt}))) << "it needs none";
  for (int repeated = 0; repeated < 2; ++repeated) {
    // The end of its transcript has to be looked at.
    EXPECT_TRUE(fails_with(runtime().send_input(input(ref("a"), "x")), ErrorCode::store_io));
    EXPECT_TRUE(fails_with(runtime().read_transcript(ref("a")), ErrorCode::store_io));
    EXPECT_TRUE(fails_with(runtime().checkpoint(), ErrorCode::store_io));
  }
  EXPECT_TRUE(diagnostics_of("worker.damaged").empty());
  EXPECT_EQ(health().state, StoreHealth::Condition::ok);
  faults_.clear_plan();
  send("a", 1, 3);
  EXPECT_EQ(all_entries(runtime(), "a").size(), 3U);
  EXPECT_TRUE(is_ok(runtime().checkpoint()));
  close();
  expect_clean();
}

TEST_F(OutOfHandles, ASegmentThatCannotBeBegunRefusesTheGroupAndNoMore) {
  open_faulty();
  create("a");
  const std::string large(900'000, 'x');
  EXPECT_TRUE(is_ok(runtime().append_output(testing::output(ref("a"), large))));
  fail("journal/", Fault::for_ever);
  EXPECT_TRUE(
      fails_with(runtime().append_output(testing::output(ref("a"), large)), ErrorCode::store_io));
  EXPECT_EQ(health().state, StoreHealth::Condition::ok);
  faults_.clear_plan();
  EXPECT_TRUE(is_ok(runtime().append_output(testing::output(ref("a"), large))));
  EXPECT_EQ(all_entries(runtime(), "a").size(), 2U);
  close();
  expect_clean();
}

}  // namespace
}  // namespace worker_runtime::fs_store
