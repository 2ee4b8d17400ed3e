// A damaged catalog: what was in force is known by the sum, and worker.json may stand in for it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/fs_store/catalog_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::fails_with;
using testing::is_ok;
using testing::worker_id;
using Records = std::map<std::string, std::uint64_t>;

class CatalogDamage : public CatalogTest {
 protected:
  void SetUp() override {
    Catalog catalog(files());
    start(catalog);
    update(catalog, {record("a", 2), record("b", 2), record("c", 2)}, 2);
    position_ = update(catalog, {record("a", 5), record("b", 6)}, 6);
  }
  const Records all_{{"a", 5}, {"b", 6}, {"c", 2}};
  const std::string path_ = layout::catalog(Lsn{1});
  CatalogPosition position_;
};

TEST_F(CatalogDamage, LineThatIsNotInForceIsPassedOver) {
  damage(record("a", 2));
  const Loaded loaded = load(position_);
  ASSERT_TRUE(is_ok(loaded.repaired));
  ASSERT_EQ(loaded.repaired->size(), 1U);
  EXPECT_EQ(loaded.repaired->front().line, 2U);
  EXPECT_EQ(loaded.records, all_);
}

TEST_F(CatalogDamage, DamagedHeaderTakesNoRecordAlong) {
  std::string text = content(path_);
  text[30] ^= 1;
  put(path_, text);
  const Loaded loaded = load(position_);
  ASSERT_TRUE(is_ok(loaded.repaired));
  EXPECT_EQ(loaded.records, all_);
}

TEST_F(CatalogDamage, LineInForceIsCorruptWhereNothingStandsIn) {
  damage(record("b", 6));
  const Loaded loaded = load(position_);
  ASSERT_TRUE(fails_with(loaded.repaired, ErrorCode::store_corrupt));
  const auto* const fields = loaded.repaired.error().get<FileFields>();
  EXPECT_EQ(fields->path, path_);
  EXPECT_EQ(fields->line, 6U);
  EXPECT_EQ(fields->offset, content(path_).size() - record("b", 6).line.size());
}

TEST_F(CatalogDamage, WorkerJsonWithTheSameBytesStandsIn) {
  damage(record("b", 6));
  put_view(record("a", 5));
  put_view(record("b", 6));
  put_view(record("c", 2));
  Catalog catalog(files());
  const Loaded loaded = load(catalog, position_);
  ASSERT_TRUE(is_ok(loaded.repaired));
  ASSERT_EQ(loaded.repaired->size(), 1U);
  EXPECT_EQ(loaded.repaired->front().line, 6U);
  EXPECT_EQ(loaded.records, all_);
  EXPECT_EQ(catalog.read_line(worker_id("b")).value(), without_newline(record("b", 6)));

  // The next checkpoint writes it where it belongs, whatever changed.
  const CatalogPosition anew = update(catalog, {record("c", 7)}, 7);
  EXPECT_EQ(anew.lsn, Lsn{7});
  ASSERT_TRUE(is_ok(catalog.remove_old()));
  std::filesystem::remove_all(path("workers"));
  const Loaded again = load(anew);
  ASSERT_TRUE(is_ok(again.repaired));
  EXPECT_TRUE(again.repaired->empty());
  EXPECT_EQ(again.records, (Records{{"a", 5}, {"b", 6}, {"c", 7}}));
}

TEST_F(CatalogDamage, OnlyLineOfAWorkerIsStoodInForToo) {
  damage(record("c", 2));
  put_view(record("c", 2));
  EXPECT_EQ(load(position_).records, all_);
}

TEST_F(CatalogDamage, WorkerJsonOfAnotherStateOrWorkerOrRuntimeDoesNotStandIn) {
  damage(record("b", 6));
  for (const CatalogUpdate& wrong :
       {record("b", 2), record("b", 7), record("b", 6, "y"), record("b", 6, "x", "other")}) {
    put_view(wrong);
    EXPECT_TRUE(fails_with(load(position_).repaired, ErrorCode::store_corrupt));
  }
  put(layout::worker_json(worker_id("b")), record("a", 6).line);
  EXPECT_TRUE(fails_with(load(position_).repaired, ErrorCode::store_corrupt));
  put("workers/d/worker.json", record("b", 6).line);  // the right bytes in the wrong directory
  EXPECT_TRUE(fails_with(load(position_).repaired, ErrorCode::store_corrupt));
}

TEST_F(CatalogDamage, SeveralLinesAreStoodInForTogether) {
  damage(record("a", 5));
  damage(record("c", 2));
  put_view(record("a", 5));
  EXPECT_TRUE(fails_with(load(position_).repaired, ErrorCode::store_corrupt)) << "c is missing";
  put_view(record("c", 2));
  EXPECT_EQ(load(position_).records, all_);
}

TEST_F(CatalogDamage, OldViewOfAnotherWorkerIsNotInTheWayOfSeveral) {
  // A view is never synced: after a power cut it may be the one before.
  damage(record("a", 5));
  damage(record("c", 2));
  put_view(record("a", 5));
  put_view(record("b", 2));
  put_view(record("c", 2));
  const Loaded loaded = load(position_);
  ASSERT_TRUE(is_ok(loaded.repaired));
  EXPECT_EQ(loaded.records, all_);
}

TEST_F(CatalogDamage, ShortFileIsDamagedAtItsEnd) {
  const std::string text = content(path_);
  put(path_, text.substr(0, text.size() - 20));
  EXPECT_TRUE(fails_with(load(position_).repaired, ErrorCode::store_corrupt));
  put_view(record("b", 6));
  EXPECT_EQ(load(position_).records, all_);
  put(path_, text.substr(0, text.size() - record("b", 6).line.size()));
  EXPECT_EQ(load(position_).records, all_);
}

TEST_F(CatalogDamage, GoodLineThatWasNeverInForceMakesTheSumWrong) {
  // As long as the line that it replaces, and its checksum is right.
  std::string text = content(path_);
  const CatalogUpdate forged = record("b", 6, "y");
  const std::size_t place = text.find(record("b", 6).line);
  text.replace(place, forged.line.size(), forged.line);
  put(path_, text);
  EXPECT_TRUE(fails_with(load(position_).repaired, ErrorCode::store_corrupt));
}

TEST_F(CatalogDamage, DoubledOrMovedLineMakesTheSumWrong) {
  std::string text = content(path_);
  const std::string line = record("b", 6).line;
  text.replace(text.find(line), line.size(), record("b", 2).line);
  put(path_, text);
  EXPECT_TRUE(fails_with(load(position_).repaired, ErrorCode::store_corrupt));
}

TEST_F(CatalogDamage, RecordOfAnotherRuntimeIsCorruptAtItsPlace) {
  std::string text = content(path_);
  const std::string line = record("b", 6).line;
  text.replace(text.find(line), line.size(), record("b", 6, "x", "niam").line);
  put(path_, text);
  const Loaded loaded = load(position_);
  ASSERT_TRUE(fails_with(loaded.repaired, ErrorCode::store_corrupt));
  EXPECT_EQ(loaded.repaired.error().get<FileFields>()->line, 6U);
}

TEST_F(CatalogDamage, LineThatIsDamagedLaterIsCorruptWhenItIsRead) {
  Catalog catalog(files());
  ASSERT_TRUE(is_ok(load(catalog, position_).repaired));
  damage(record("b", 6));
  EXPECT_TRUE(fails_with(catalog.read_line(worker_id("b")), ErrorCode::store_corrupt));
  EXPECT_TRUE(is_ok(catalog.read_line(worker_id("a"))));
  put(path_, "");
  EXPECT_TRUE(fails_with(catalog.read_line(worker_id("a")), ErrorCode::store_corrupt));
}

TEST_F(CatalogDamage, EveryFlippedByteIsToldOrHarmless) {
  const std::string text = content(path_);
  const auto file = files().open(path_, OpenMode::write).value();
  for (std::size_t place = 0; place < text.size(); ++place) {
    const char flipped = static_cast<char>(text[place] ^ 0x10);
    ASSERT_TRUE(is_ok(file->write(place, {&flipped, 1})));
    const Loaded loaded = load(position_);
    ASSERT_TRUE(is_ok(file->write(place, text.substr(place, 1))));
    if (!loaded.repaired) {
      ASSERT_EQ(loaded.repaired.error().code(), ErrorCode::store_corrupt) << place;
      continue;
    }
    ASSERT_FALSE(loaded.repaired->empty()) << place;
    ASSERT_EQ(loaded.records, all_) << place;
  }
}

}  // namespace
}  // namespace worker_runtime::fs_store
