// Bytes moved aside: what is there, under which name, and what a failure leaves.
#include "quarantine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/fs_store/files_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;

constexpr std::string_view source_log = "workers/w/transcript.jsonl";

class QuarantineTest : public FilesTest {
 protected:
  Result<std::string> move_aside(std::uint64_t from, std::uint64_t to) {
    const auto file = files().open(std::string(source_log), OpenMode::read).value();
    return quarantine_bytes(files(), std::string(source_log), *file, from, to);
  }
};

TEST_F(QuarantineTest, BytesAreCopiedExactlyUnderANameThatTellsTheirPlace) {
  const std::string bytes("good\nto\0rn \xff\n\n", 13);
  put(source_log, bytes);
  const auto name = move_aside(5, bytes.size());
  ASSERT_TRUE(is_ok(name));
  EXPECT_TRUE(name->starts_with("quarantine/workers.w.transcript.jsonl.0000000000000005."));
  EXPECT_EQ(content(*name), bytes.substr(5));
  EXPECT_EQ(content(source_log), bytes) << "cutting is the caller's part";
}

TEST_F(QuarantineTest, RangeInTheMiddleIsCopiedAlone) {
  put(source_log, "0123456789");
  EXPECT_EQ(content(move_aside(3, 7).value()), "3456");
}

TEST_F(QuarantineTest, SameBytesTwiceMakeTwoFiles) {
  put(source_log, "torn");
  EXPECT_NE(move_aside(0, 4).value(), move_aside(0, 4).value());
  EXPECT_EQ(names("quarantine").size(), 2U);
}

TEST_F(QuarantineTest, LongTailIsCopiedInBlocks) {
  std::string bytes;
  while (bytes.size() < (std::size_t{5} << 19U)) bytes += std::to_string(bytes.size()) + "\n";
  put(source_log, bytes);
  faults().reset_counts();
  const auto name = move_aside(7, bytes.size());
  ASSERT_TRUE(is_ok(name));
  EXPECT_TRUE(content(*name) == bytes.substr(7));
  EXPECT_EQ(faults().count(CallKind::read), 3U);
}

TEST_F(QuarantineTest, EverythingIsDurableOnReturn) {
  put(source_log, "torn");
  faults().reset_counts();
  ASSERT_TRUE(is_ok(move_aside(0, 4)));
  std::vector<std::string> steps;
  for (const NotedCall& call : faults().calls()) {
    const bool is_interesting = call.kind != CallKind::open && call.kind != CallKind::read;
    if (is_interesting) steps.emplace_back(to_string(call.kind));
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"kind", "make_directory", "sync_directory", "write",
                                             "sync", "rename", "sync_directory"}));
  EXPECT_EQ(faults().changes().back(), "sync_directory quarantine");
}

TEST_F(QuarantineTest, ShorterFileThanThoughtGivesWhatIsThere) {
  put(source_log, "0123456789");
  EXPECT_EQ(content(move_aside(8, 100).value()), "89");
}

TEST_F(QuarantineTest, FailureLeavesTheSourceAndNoUnfinishedFile) {
  put(source_log, "torn");
  for (const CallKind kind : {CallKind::kind, CallKind::make_directory, CallKind::read,
                              CallKind::write, CallKind::sync, CallKind::rename}) {
    SCOPED_TRACE(to_string(kind));
    faults().plan({kind});
    EXPECT_FALSE(move_aside(0, 4));
    faults().clear_plan();
    EXPECT_EQ(content(source_log), "torn");
    if (exists("quarantine")) {
      EXPECT_TRUE(names("quarantine").empty());
    }
  }
  faults().plan({CallKind::open, 1, 1, EACCES, "quarantine/"});
  EXPECT_TRUE(fails_with(move_aside(0, 4), ErrorCode::store_io));
}

}  // namespace
}  // namespace worker_runtime::fs_store
