// The records of all Workers: appended, compacted, and loaded around what a crash or damage left.
#include "catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "support/fs_store/catalog_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;
using testing::worker_id;
using Records = std::map<std::string, std::uint64_t>;

class CatalogFiles : public CatalogTest {
 protected:
  void SetUp() override { start(catalog_); }
  const std::string first_ = layout::catalog(Lsn{1});
  Catalog catalog_{files()};
};

// ---- append and read

TEST_F(CatalogFiles, NewCatalogHoldsItsHeaderAlone) {
  EXPECT_EQ(catalog_.position(), (CatalogPosition{Lsn{1}, content(first_).size(), 1, 0}));
  const Loaded loaded = load(catalog_.position());
  EXPECT_TRUE(is_ok(loaded.repaired));
  EXPECT_TRUE(loaded.records.empty());
  EXPECT_TRUE(catalog_.read_line(worker_id("a")).value() == std::nullopt);
}

TEST_F(CatalogFiles, LastLineOfAWorkerIsInForce) {
  update(catalog_, {record("a", 2), record("b", 3)}, 3);
  const CatalogPosition position = update(catalog_, {record("a", 4)}, 4);
  EXPECT_EQ(position.lsn, Lsn{1}) << "it was appended to";
  EXPECT_EQ(position.lines, 4U);
  EXPECT_EQ(position.bytes, content(first_).size());
  EXPECT_EQ(catalog_.lines_in_force(), 2U);
  const Loaded loaded = load(position);
  ASSERT_TRUE(is_ok(loaded.repaired));
  EXPECT_TRUE(loaded.repaired->empty());
  EXPECT_EQ(loaded.records, (Records{{"a", 4}, {"b", 3}}));
}

TEST_F(CatalogFiles, LineInForceIsReadAsItStands) {
  update(catalog_, {record("a", 2), record("b", 3)}, 3);
  const CatalogPosition position = update(catalog_, {record("a", 4), tombstone("b", 5)}, 5);
  Catalog loaded(files());
  ASSERT_TRUE(is_ok(load(loaded, position).repaired));
  for (const Catalog* catalog : {&catalog_, &loaded}) {
    EXPECT_EQ(catalog->read_line(worker_id("a")).value(), without_newline(record("a", 4)));
    EXPECT_EQ(catalog->read_line(worker_id("b")).value(), std::nullopt) << "a tombstone";
    EXPECT_EQ(catalog->read_line(worker_id("c")).value(), std::nullopt);
  }
}

TEST_F(CatalogFiles, TombstoneTakesTheRecordsPlaceAndIsLoaded) {
  update(catalog_, {record("a", 2)}, 2);
  const Loaded loaded = load(update(catalog_, {tombstone("a", 3)}, 3));
  EXPECT_TRUE(loaded.records.empty());
  EXPECT_EQ(loaded.tombstones, (Records{{"a", 3}}));
}

TEST_F(CatalogFiles, NothingToUpdateWritesNothing) {
  const CatalogPosition before = catalog_.position();
  faults().reset_counts();
  EXPECT_EQ(update(catalog_, {}, 9), before);
  EXPECT_TRUE(faults().changes().empty());
}

TEST_F(CatalogFiles, AppendIsSyncedBeforeItIsAnswered) {
  faults().reset_counts();
  update(catalog_, {record("a", 2)}, 2);
  EXPECT_EQ(faults().changes(),
            (std::vector<std::string>{"truncate " + first_, "write " + first_, "sync " + first_}));
}

TEST_F(CatalogFiles, AppendThatFindsNoRoomIsUndone) {
  update(catalog_, {record("a", 2)}, 2);
  const CatalogPosition before = catalog_.position();
  const std::string text = content(first_);
  faults().plan({CallKind::write, 1, 1, ENOSPC, "", 40});
  const std::vector<CatalogUpdate> updates{record("a", 3), record("b", 3)};
  const auto full = catalog_.update(updates, Lsn{3}, testing::runtime_id("main"), false);
  ASSERT_FALSE(full);
  EXPECT_TRUE(is_full(full.error()));
  EXPECT_EQ(content(first_), text);
  EXPECT_EQ(catalog_.position(), before);
  EXPECT_EQ(catalog_.read_line(worker_id("a")).value(), without_newline(record("a", 2)));
  EXPECT_EQ(load(update(catalog_, updates, 3)).records, (Records{{"a", 3}, {"b", 3}}));
}

TEST_F(CatalogFiles, FailedSyncIsTold) {
  faults().plan({CallKind::sync, 1, 1, ENOSPC});
  const std::vector<CatalogUpdate> updates{record("a", 2)};
  EXPECT_TRUE(fails_with(catalog_.update(updates, Lsn{2}, testing::runtime_id("main"), false),
                         ErrorCode::store_failed));
}

// ---- written anew

TEST_F(CatalogFiles, RemovedWorkerLeavesNothingInACatalogWrittenAnew) {
  update(catalog_, {record("a", 2, "secret"), record("b", 3), tombstone("c", 3)}, 3);
  const CatalogPosition position = update(catalog_, {removal("a"), record("d", 4)}, 4, true);
  EXPECT_EQ(position.lsn, Lsn{4});
  EXPECT_EQ(position.lines, 4U);
  EXPECT_TRUE(exists(first_)) << "until runtime.json names the new one";
  ASSERT_TRUE(is_ok(catalog_.remove_old()));
  EXPECT_EQ(names(""), std::vector<std::string>{layout::catalog(Lsn{4})});
  EXPECT_EQ(content(layout::catalog(Lsn{4})).find("secret"), std::string::npos);
  const Loaded loaded = load(position);
  EXPECT_EQ(loaded.records, (Records{{"b", 3}, {"d", 4}}));
  EXPECT_EQ(loaded.tombstones, (Records{{"c", 3}}));
  EXPECT_EQ(catalog_.read_line(worker_id("b")).value(), without_newline(record("b", 3)));
  EXPECT_EQ(catalog_.read_line(worker_id("a")).value(), std::nullopt);
}

TEST_F(CatalogFiles, NewCatalogIsDurableWithItsNameAndTheOldOneStillLoads) {
  const CatalogPosition before = update(catalog_, {record("a", 2)}, 2);
  faults().reset_counts();
  update(catalog_, {record("a", 3)}, 3, true);
  std::vector<std::string> steps;
  for (const std::string& change : faults().changes())
    steps.push_back(change.substr(0, change.find(' ')));
  EXPECT_EQ(steps, (std::vector<std::string>{"write", "sync", "rename", "sync_directory"}));
  EXPECT_EQ(load(before).records, (Records{{"a", 2}}));
}

TEST_F(CatalogFiles, FailedRewriteLeavesTheOldOneInForceAndNothingElse) {
  const CatalogPosition before = update(catalog_, {record("a", 2)}, 2);
  for (const CallKind kind :
       {CallKind::open, CallKind::read, CallKind::write, CallKind::sync, CallKind::rename}) {
    SCOPED_TRACE(to_string(kind));
    faults().plan({kind});
    const std::vector<CatalogUpdate> updates{record("b", 3)};
    EXPECT_FALSE(catalog_.update(updates, Lsn{3}, testing::runtime_id("main"), true));
    faults().clear_plan();
    EXPECT_EQ(names(""), std::vector<std::string>{first_});
    EXPECT_EQ(catalog_.position(), before);
  }
  EXPECT_EQ(catalog_.read_line(worker_id("a")).value(), without_newline(record("a", 2)));
}

TEST_F(CatalogFiles, IsWrittenAnewOnceHalfOfItIsOutOfForce) {
  const std::string long_name(1000, 'n');
  std::vector<CatalogUpdate> all;
  all.reserve(100);
  for (int number = 0; number < 100; ++number)
    all.push_back(record("w" + std::to_string(number), 2, long_name));
  CatalogPosition position = update(catalog_, all, 2);
  const std::uint64_t in_force = position.bytes;
  ASSERT_GT(in_force, std::uint64_t{64} << 10U);
  std::uint64_t largest = 0;
  int rewrites = 0;
  for (std::uint64_t lsn = 3; lsn < 400; ++lsn) {
    const std::string id = "w" + std::to_string(lsn % 100);
    const Lsn before = position.lsn;
    position = update(catalog_, {record(id, lsn, long_name)}, lsn);
    rewrites += position.lsn != before ? 1 : 0;
    largest = std::max(largest, position.bytes);
  }
  EXPECT_GE(rewrites, 2);
  EXPECT_LE(rewrites, 4) << "each costs as much as a hundred appends";
  EXPECT_LE(largest, in_force * 9 / 4);
  EXPECT_EQ(load(position).records.at("w99"), 399U);
}

TEST_F(CatalogFiles, SmallCatalogIsNotWrittenAnewForItsGarbage) {
  for (std::uint64_t lsn = 2; lsn < 100; ++lsn)
    EXPECT_EQ(update(catalog_, {record("a", lsn)}, lsn).lsn, Lsn{1});
}

TEST_F(CatalogFiles, LargeCatalogIsWrittenInBlocksAndLoadedWhole) {
  std::vector<CatalogUpdate> all;
  all.reserve(3000);
  for (int number = 0; number < 3000; ++number)
    all.push_back(record("w" + std::to_string(number), 2, std::string(900, 'n')));
  EXPECT_EQ(load(update(catalog_, all, 2)).records.size(), 3000U);
  const CatalogPosition anew = update(catalog_, {removal("w7")}, 3, true);
  EXPECT_EQ(load(anew).records.size(), 2999U);
  EXPECT_EQ(catalog_.read_line(worker_id("w2999")).value(), without_newline(all.back()));
}

// ---- what a crash leaves

TEST_F(CatalogFiles, TailBehindThePositionCountsForNothingAndIsCutByTheNextAppend) {
  update(catalog_, {record("a", 2)}, 2);
  const std::string text = content(first_);
  put(first_, text + record("a", 3).line + record("b", 3).line + "torn");
  Catalog reopened(files());
  const Loaded loaded = load(reopened, catalog_.position());
  ASSERT_TRUE(is_ok(loaded.repaired));
  EXPECT_TRUE(loaded.repaired->empty());
  EXPECT_EQ(loaded.records, (Records{{"a", 2}}));
  update(reopened, {record("c", 4)}, 4);
  EXPECT_EQ(content(first_), text + record("c", 4).line);
}

TEST_F(CatalogFiles, MissingCatalogIsCorruptAndAFailedReadIsNot) {
  const CatalogPosition position = update(catalog_, {record("a", 2)}, 2);
  for (const CallKind kind : {CallKind::open, CallKind::size, CallKind::read}) {
    faults().plan({kind});
    EXPECT_TRUE(fails_with(load(position).repaired, ErrorCode::store_io));
    faults().clear_plan();
  }
  ASSERT_TRUE(is_ok(files().remove_file(first_)));
  EXPECT_TRUE(fails_with(load(position).repaired, ErrorCode::store_corrupt));
}

}  // namespace
}  // namespace worker_runtime::fs_store
