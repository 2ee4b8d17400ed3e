// What a terminal shows of long work.
#include "progress.h"

#include <gtest/gtest.h>

namespace worker_runtime::cli {
namespace {

using std::chrono::duration;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

TEST(ProgressText, SaysHowFarHowFastAndHowLongItTakes) {
  EXPECT_EQ(progress_text({"checked", ProgressUnit::bytes, 500 * mebibyte, 1000 * mebibyte,
                           duration<double>(2)}),
            "checked 500 of 1000 MiB [##########..........]  50 %  250 MiB/s  2 s left");
}

TEST(ProgressText, OfAnUnknownTotalSaysHowMuchAndHowFast) {
  EXPECT_EQ(progress_text({"read", ProgressUnit::bytes, 30 * mebibyte, 0, duration<double>(3)}),
            "read 30 MiB  10 MiB/s");
  EXPECT_EQ(progress_text({"looked at", ProgressUnit::workers, 512, 0, duration<double>(2)}),
            "looked at 512 Workers  256 Workers/s");
}

TEST(ProgressText, SaysNoRateAtTheStart) {
  EXPECT_EQ(progress_text({"copied", ProgressUnit::bytes, 0, 10 * mebibyte, duration<double>(9)}),
            "copied 0 of 10 MiB [....................]  0 %");
  EXPECT_EQ(progress_text({"wrote", ProgressUnit::entries, 5, 10, duration<double>(0.1)}),
            "wrote 5 of 10 entries [##########..........]  50 %");
}

TEST(ProgressText, MoreThanTheTotalIsAllOfIt) {
  EXPECT_EQ(progress_text({"checked", ProgressUnit::bytes, 12 * mebibyte, 10 * mebibyte,
                           duration<double>(1)}),
            "checked 12 of 12 MiB [####################]  100 %  12 MiB/s  0 s left");
}

TEST(ProgressText, LongTimesAreMinutesAndHours) {
  EXPECT_EQ(progress_text({"measured", ProgressUnit::seconds, 1, 301, duration<double>(1)}),
            "measured 1 of 301 s [....................]  0 %  5 min left");
  EXPECT_EQ(progress_text({"copied", ProgressUnit::entries, 1, 10'801, duration<double>(1)}),
            "copied 1 of 10801 entries [....................]  0 %  1 entries/s  3 h 0 min left");
}

}  // namespace
}  // namespace worker_runtime::cli
