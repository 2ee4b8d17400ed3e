// Notes of verify, of which a crash may leave one for each Worker: ten of a code are listed, the
// others counted.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store_fixture.h"

namespace worker_runtime::fs_store {
namespace {

using testing::is_ok;

constexpr int notes_listed = 10;

class VerifyNotes : public testing::StoreFixture {
 protected:
  /// A closed store with `count` Workers of which the views are one commit behind the catalog.
  void leave_views_behind(int count) {
    open();
    std::vector<std::string> views;
    for (int number = 0; number < count; ++number) create("w" + std::to_string(number));
    EXPECT_TRUE(is_ok(runtime().checkpoint()));
    for (int number = 0; number < count; ++number) {
      views.push_back(read(view_of(number)));
      send("w" + std::to_string(number), 1);
    }
    close();
    for (int number = 0; number < count; ++number)
      write(view_of(number), views[static_cast<std::size_t>(number)]);
  }
  static std::string view_of(int number) {
    return "workers/w" + std::to_string(number) + "/worker.json";
  }
  [[nodiscard]] VerifyReport verified(std::size_t findings_max) const {
    VerifyOptions options{options_.root, options_.runtime_id};
    options.findings_max = findings_max;
    auto report = verify(options);
    EXPECT_TRUE(is_ok(report));
    return report ? *report : VerifyReport{};
  }
};

TEST_F(VerifyNotes, AllAreListedUpToTenOfACode) {
  leave_views_behind(notes_listed);
  const VerifyReport report = verified(10'000);
  ASSERT_EQ(report.findings.size(), notes_listed);
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(finding.code, "view_out_of_date");
    EXPECT_EQ(finding.severity, Severity::info);
    EXPECT_EQ(finding.alike, 0U);
  }
  EXPECT_TRUE(report.clean());
}

TEST_F(VerifyNotes, TheLastThatIsListedCountsTheOthers) {
  leave_views_behind(notes_listed + 5);
  const VerifyReport report = verified(10'000);
  ASSERT_EQ(report.findings.size(), notes_listed);
  EXPECT_EQ(report.findings.front().alike, 0U);
  EXPECT_EQ(report.findings.back().alike, 5U);
  EXPECT_TRUE(report.clean());
}

TEST_F(VerifyNotes, TakeNoRoomFromWhatIsWrong) {
  leave_views_behind(notes_listed + 5);
  flip(view_of(notes_listed + 4), 20);
  const VerifyReport report = verified(1);
  ASSERT_EQ(report.findings.size(), notes_listed + 1);
  bool damage_listed = false;
  for (const Finding& finding : report.findings)
    damage_listed = damage_listed || finding.code == "view_damaged";
  EXPECT_TRUE(damage_listed);
  EXPECT_FALSE(report.truncated);
  EXPECT_FALSE(report.clean());
}

TEST_F(VerifyNotes, AreNoDamageHoweverManyThereAre) {
  leave_views_behind(notes_listed + 5);
  const VerifyReport report = verified(0);
  EXPECT_FALSE(report.truncated);
  EXPECT_TRUE(report.clean());
}

}  // namespace
}  // namespace worker_runtime::fs_store
