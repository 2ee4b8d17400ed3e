// The walk that puts worker.json views right, a few at a time.
#include "view_survey.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/fs_store/catalog_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::is_ok;
using testing::worker_id;

class ViewSurveyFiles : public CatalogTest {
 protected:
  void SetUp() override {
    start(catalog_);
    update(catalog_, {record("a", 2), record("b", 2)}, 2);
    update(catalog_, {record("a", 5), tombstone("t", 5)}, 5);
    put_view(record("a", 5));
    put_view(record("b", 2));
  }
  Result<std::vector<ViewSurvey::Renewed>> step(std::size_t count = 1000) {
    return survey_.step(files(), decoder_, catalog_, count,
                        [this](const WorkerId& id) { return id == deleted_; });
  }
  /// The Workers whose views were made anew.
  std::vector<std::string> renewed(std::size_t count = 1000) {
    const auto done = step(count);
    EXPECT_TRUE(is_ok(done));
    std::vector<std::string> ids;
    if (!done) return ids;
    for (const ViewSurvey::Renewed& view : *done) {
      EXPECT_FALSE(view.cause.empty());
      ids.push_back(view.worker_id.text());
    }
    return ids;
  }
  [[nodiscard]] std::string view(std::string_view id) const {
    return content(layout::worker_json(worker_id(id)));
  }

  Catalog catalog_{files()};
  ViewSurvey survey_;
  WorkerId deleted_;
};

TEST_F(ViewSurveyFiles, RightViewsAreLeftAlone) {
  faults().reset_counts();
  EXPECT_TRUE(renewed().empty());
  EXPECT_TRUE(survey_.done());
  EXPECT_TRUE(faults().changes().empty());
  EXPECT_FALSE(exists("workers/t")) << "a tombstone has no view";
}

TEST_F(ViewSurveyFiles, HalfWrittenIsWhatAPowerCutLeavesAndNoOtherDamage) {
  const std::string path = layout::worker_json(worker_id("a"));
  const std::string whole = view("a");
  const auto is_half_written = [&](std::string_view bytes) {
    put(path, bytes);
    return is_half_written_view(files(), path);
  };
  EXPECT_TRUE(is_half_written(""));
  EXPECT_TRUE(is_half_written(whole.substr(0, 20)));
  EXPECT_TRUE(is_half_written(whole.substr(0, 20) + std::string(400, '\0')));
  EXPECT_TRUE(is_half_written(std::string(whole.size(), '\0')));
  EXPECT_TRUE(is_half_written(whole.substr(0, 20) + std::string(1100, 'x') +
                              std::string(1024, '\0') + whole));
  EXPECT_FALSE(is_half_written("a note"));
  std::string flipped = whole;
  flipped[30] ^= 1;
  EXPECT_FALSE(is_half_written(flipped));
  flipped[30] = '\0';
  EXPECT_FALSE(is_half_written(flipped));
  EXPECT_FALSE(is_half_written(whole + whole));
  EXPECT_FALSE(is_half_written(whole.substr(0, whole.size() - 1) + "\v"));
  EXPECT_TRUE(is_half_written(whole.substr(0, whole.size() - 1)));
}

TEST_F(ViewSurveyFiles, MissingViewIsMadeWithItsDirectory) {
  std::filesystem::remove_all(path("workers"));
  EXPECT_EQ(renewed(), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(view("a"), record("a", 5).line);
  EXPECT_EQ(view("b"), record("b", 2).line);
}

TEST_F(ViewSurveyFiles, DamagedOldOrForeignViewIsMadeAnew) {
  std::string flipped = record("a", 5).line;
  flipped[40] ^= 1;
  for (const std::string& wrong :
       {flipped, std::string(), std::string("{}\n"), record("a", 2).line, record("b", 9).line,
        record("a", 5, "other").line, record("a", 5).line + "x", std::string(100'000, '\0')}) {
    put(layout::worker_json(worker_id("a")), wrong);
    survey_ = ViewSurvey();
    EXPECT_EQ(renewed(), std::vector<std::string>{"a"});
    EXPECT_EQ(view("a"), record("a", 5).line);
    EXPECT_EQ(names("workers/a"), std::vector<std::string>{"worker.json"});
  }
}

/// As a writer leaves it that is killed before it has renewed all: no trouble to tell.
TEST_F(ViewSurveyFiles, OldViewIsToldFromADamagedOrAForeignOne) {
  const auto was_behind = [&](const std::string& line) {
    put(layout::worker_json(worker_id("a")), line);
    survey_ = ViewSurvey();
    const auto done = step();
    EXPECT_TRUE(is_ok(done));
    return done && done->size() == 1 && done->front().was_behind;
  };
  EXPECT_TRUE(was_behind(record("a", 2).line));
  EXPECT_FALSE(was_behind(record("a", 2).line + "x"));
  EXPECT_FALSE(was_behind(record("a", 5, "other").line));
  EXPECT_FALSE(was_behind(record("b", 2).line));
}

TEST_F(ViewSurveyFiles, ViewThatIsNewerThanTheCatalogIsRight) {
  put_view(record("a", 6));
  EXPECT_TRUE(renewed().empty());
  EXPECT_EQ(view("a"), record("a", 6).line);
}

TEST_F(ViewSurveyFiles, DirectoryOfADeletedWorkerDoesNotComeBack) {
  std::filesystem::remove_all(path("workers"));
  deleted_ = worker_id("a");
  EXPECT_EQ(renewed(), std::vector<std::string>{"b"});
  EXPECT_FALSE(exists("workers/a"));
}

TEST_F(ViewSurveyFiles, StepsLookAtAFewLinesEachAndGoOnWhereTheyWere) {
  std::filesystem::remove_all(path("workers"));
  std::vector<std::string> ids;
  int steps = 0;
  for (; !survey_.done(); ++steps) {
    ASSERT_LT(steps, 10);
    const auto some = renewed(1);
    ASSERT_LE(some.size(), 1U);
    ids.insert(ids.end(), some.begin(), some.end());
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(steps, 6) << "five lines and the end";
}

TEST_F(ViewSurveyFiles, StartsOverWhereTheCatalogWasWrittenAnew) {
  EXPECT_TRUE(renewed(3).empty());
  EXPECT_FALSE(survey_.done());
  update(catalog_, {record("b", 7)}, 7, true);
  EXPECT_EQ(renewed(), std::vector<std::string>{"b"});
  EXPECT_TRUE(survey_.done());
  EXPECT_EQ(view("b"), record("b", 7).line);
}

TEST_F(ViewSurveyFiles, ViewThatCannotBeWrittenEndsTheStep) {
  std::filesystem::remove_all(path("workers"));
  faults().plan({CallKind::write, 1, 1, ENOSPC});
  const auto done = step();
  ASSERT_FALSE(done);
  EXPECT_TRUE(is_full(done.error()));
}

TEST_F(ViewSurveyFiles, ViewIsReplacedAsAWholeAndNeverSynced) {
  faults().reset_counts();
  ASSERT_TRUE(is_ok(write_view(files(), worker_id("a"), "new\n")));
  ASSERT_TRUE(is_ok(write_view(files(), worker_id("n"), "first\n")));
  EXPECT_EQ(view("a"), "new\n");
  EXPECT_EQ(view("n"), "first\n");
  EXPECT_EQ(faults().count(CallKind::rename), 1U);
  EXPECT_EQ(faults().count(CallKind::sync) + faults().count(CallKind::sync_directory) +
                faults().count(CallKind::sync_all),
            0U);
}

}  // namespace
}  // namespace worker_runtime::fs_store
