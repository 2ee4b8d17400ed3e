// Every flipped bit of a closed store is found, and named by its file and line.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "damaged_store.h"

namespace worker_runtime::testing {
namespace {

/// One file a test, so that they run beside each other.
class FlippedBitsTest : public DamagedStoreTest,
                        public ::testing::WithParamInterface<const char*> {};

TEST_P(FlippedBitsTest, AreAllFoundInTheLineTheyAreIn) {
  ASSERT_TRUE(verify().findings.empty());
  const std::string path = file(GetParam());
  const std::string whole = content(path);
  ASSERT_FALSE(whole.empty());
  std::uint64_t line = 1;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
      set_content(path, flipped);
      const auto report = verify();
      ASSERT_FALSE(report.clean());
      ASSERT_TRUE(names(report, path, line)) << "bit " << bit << " of byte " << at;
    }
    if (whole[at] == '\n') ++line;
  }
  set_content(path, whole);
  EXPECT_TRUE(verify().findings.empty());
}

INSTANTIATE_TEST_SUITE_P(Files, FlippedBitsTest,
                         ::testing::Values("runtime.json", "catalog.", "events.jsonl", "journal/",
                                           "workers/a/transcript.jsonl",
                                           "workers/b/transcript.jsonl", "workers/a/worker.json",
                                           "workers/c/worker.json"));

}  // namespace
}  // namespace worker_runtime::testing
