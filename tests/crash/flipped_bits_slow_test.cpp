// Every flipped bit of a store is found, and named by its file, line and offset; nothing is
// silently missing, and repair behind it loses that line at most. Of stores as a kill left them,
// and of openings and repairs, a part; WORKER_RUNTIME_CRASH_ROUNDS: all.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "damaged_store.h"

namespace worker_runtime::testing {
namespace {

constexpr std::size_t shares = 8;

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
      for (const Damage* const damage : some_of(damages, is_closed() ? damages.size() : 500)) {
        expect_the_verdict(*damage);
        ASSERT_FALSE(HasFailure());
      }
      for (const Damage* const damage : some_of(damages, 30)) {
        expect_nothing_is_silently_missing(*damage);
        const std::uint64_t lost_before = tried().lost;
        expect_repair_makes_it_good(*damage);
        // A commit of the journal is an event and an entry; a newline that is none takes two lines.
        EXPECT_LE(tried().lost - lost_before, 2U) << damage->what;
        ASSERT_FALSE(HasFailure());
      }
    }
  }
  print_tried("FlippedBits");
}

INSTANTIATE_TEST_SUITE_P(Shares, FlippedBitsTest, ::testing::Range(std::size_t{0}, shares));

}  // namespace
}  // namespace worker_runtime::testing
