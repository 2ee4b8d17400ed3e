// The reserve of the journal, which an open lives on that finds the disk full.
#include "journal_reserve.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "layout.h"
#include "support/fs_store/files_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::is_ok;

class JournalReserveTest : public FilesTest {
 protected:
  JournalReserveTest() {
    EXPECT_TRUE(is_ok(files().make_directory("journal")));
    EXPECT_TRUE(is_ok(reserve().replenish()));
    faults().reset_counts();
  }
  /// As the next open has it.
  [[nodiscard]] JournalReserve reserve() const { return JournalReserve(files()); }
  [[nodiscard]] std::string taken() const {
    JournalReserve next = reserve();
    auto piece = next.take();
    EXPECT_TRUE(is_ok(piece));
    return piece && *piece ? (*piece)->path : "none";
  }
  const std::string filler_ = std::string(reserve_piece_bytes, '\n');
};

TEST_F(JournalReserveTest, IsTwoPiecesOfFiller) {
  EXPECT_EQ(names("journal"), (std::vector<std::string>{"reserve.0", "reserve.1"}));
  EXPECT_EQ(content("journal/reserve.0"), filler_);
  EXPECT_EQ(content("journal/reserve.1"), filler_);
  EXPECT_TRUE(layout::is_reserve("reserve.0"));
  for (const char* const name : {"reserve.", "reserve.x", "reserve.00", "reserve.0.tmp"})
    EXPECT_FALSE(layout::is_reserve(name)) << name;
}

TEST_F(JournalReserveTest, WhatIsThereIsNotMadeAgain) {
  ASSERT_TRUE(is_ok(reserve().replenish()));
  EXPECT_TRUE(faults().changes().empty());
}

TEST_F(JournalReserveTest, WhatIsMissingIsMadeAndDurableWithItsName) {
  ASSERT_TRUE(is_ok(files().remove_file("journal/reserve.0")));
  faults().reset_counts();
  ASSERT_TRUE(is_ok(reserve().replenish()));
  EXPECT_EQ(faults().changes(),
            (std::vector<std::string>{"remove journal/reserve.0", "write journal/reserve.0",
                                      "sync journal/reserve.0", "sync_directory journal"}));
  EXPECT_EQ(content("journal/reserve.0"), filler_);
}

TEST_F(JournalReserveTest, OnlyAWholePieceIsTaken) {
  put("journal/reserve.0", filler_.substr(1) + "x");
  EXPECT_EQ(taken(), "journal/reserve.1");
  put("journal/reserve.1", filler_.substr(1));
  EXPECT_EQ(taken(), "none");
  ASSERT_TRUE(is_ok(reserve().replenish()));
  EXPECT_EQ(content("journal/reserve.0"), filler_);
  EXPECT_EQ(taken(), "journal/reserve.0");
}

TEST_F(JournalReserveTest, PiecesAreGivenBackOneByOne) {
  JournalReserve one = reserve();
  EXPECT_EQ(one.give_back().value_or(false), true);
  EXPECT_EQ(names("journal"), std::vector<std::string>{"reserve.0"});
  EXPECT_EQ(one.give_back().value_or(false), true);
  EXPECT_EQ(one.give_back().value_or(true), false);
  EXPECT_TRUE(names("journal").empty());
}

TEST_F(JournalReserveTest, WhatFindsNoSpaceTakesNone) {
  ASSERT_TRUE(is_ok(files().remove_file("journal/reserve.1")));
  Fault fault;
  fault.kind = CallKind::write;
  fault.system_error = ENOSPC;
  fault.bytes_written = 4096;
  faults().plan(fault);
  JournalReserve one = reserve();
  const auto made = one.replenish();
  ASSERT_FALSE(made);
  EXPECT_TRUE(is_full(made.error()));
  EXPECT_EQ(names("journal"), std::vector<std::string>{"reserve.0"});
  ASSERT_TRUE(is_ok(one.replenish()));
  EXPECT_EQ(content("journal/reserve.1"), filler_);
}

}  // namespace
}  // namespace worker_runtime::fs_store
