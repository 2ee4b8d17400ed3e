// Many random operations, from another seed in every run: see fs_differential.h.
#include <gtest/gtest.h>

#include <random>

#include "fs_differential.h"

namespace worker_runtime::testing {
namespace {

TEST(DifferentialSlow, FsStoreAnswersAndShowsWhatMemoryDoesForLong) {
  std::random_device device;
  run_differential(device(), 15'000);
}

}  // namespace
}  // namespace worker_runtime::testing
