// Every flipped bit of a store is found, and named by its file, line and offset; nothing is
// silently missing, and repair behind it loses no more than what stood in that line, and in the
// next one where the bit is of the newline between. Of stores as a kill left them,
// and of openings and repairs, a part; WORKER_RUNTIME_CRASH_ROUNDS: all.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "damaged_store.h"

namespace worker_runtime::testing {
namespace {

constexpr std::size_t shares = 8;

std::uint64_t count_of(std::string_view text, std::string_view part) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

/// How many lines of logs one bit of the file may cost: those that stand in two lines of it, for a
/// newline that is none takes along the line behind. A line of the journal is a commit.
std::uint64_t lines_at_stake(const OriginalStore& store, const std::string& path) {
  if (path.find("/journal/") == std::string::npos) return 2;
  std::uint64_t most = 0;
  std::uint64_t before = 0;
  for (const std::string& line : lines_of(store.files.at(path))) {
    const std::uint64_t held = count_of(line, "\"event\":{") + count_of(line, "\"entry\":{");
    most = std::max(most, before + held);
    before = held;
  }
  return most;
}

/// Every eighth file a test, so that they run beside each other.
class FlippedBitsTest : public DamagedStoreTest,
                        public ::testing::WithParamInterface<std::size_t> {};

TEST_P(FlippedBitsTest, AreAllFoundInTheLineTheyAreInAndMended) {
  std::size_t next = 0;
  for (const OriginalStore& original : original_stores()) {
    use(original);
    for (const std::string& path : original.line_files()) {
      if (next++ % shares != GetParam()) continue;
      const std::vector<Damage> damages = flipped_bits(original, path);
      const std::uint64_t at_stake = lines_at_stake(original, path);
      for (const Damage* const damage : some_of(damages, is_closed() ? damages.size() : 500)) {
        expect_the_verdict(*damage);
        ASSERT_FALSE(HasFailure());
      }
      for (const Damage* const damage : some_of(damages, 30)) {
        expect_nothing_is_silently_missing(*damage);
        const std::uint64_t lost_before = tried().lost;
        expect_repair_makes_it_good(*damage);
        EXPECT_LE(tried().lost - lost_before, at_stake) << damage->what;
        ASSERT_FALSE(HasFailure());
      }
    }
  }
  print_tried("FlippedBits");
}

INSTANTIATE_TEST_SUITE_P(Shares, FlippedBitsTest, ::testing::Range(std::size_t{0}, shares));

}  // namespace
}  // namespace worker_runtime::testing
