// A few thousand random operations: see fs_differential.h.
#include "fs_differential.h"

#include <gtest/gtest.h>

namespace worker_runtime::testing {
namespace {

class Differential : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Differential, FsStoreAnswersAndShowsWhatMemoryDoes) { run_differential(GetParam(), 600); }

INSTANTIATE_TEST_SUITE_P(Seeds, Differential, ::testing::Values(1, 2, 3, 4, 5));

}  // namespace
}  // namespace worker_runtime::testing
