// The same random operations on a Runtime in memory and on one over fs-store: both must answer and
// show the same, whatever happens to the second one in between.
#pragma once

#include <cstdint>

namespace worker_runtime::testing {

/// Runs `operations` random operations. WORKER_RUNTIME_SEED and WORKER_RUNTIME_OPERATIONS override
/// the arguments. Failures are those of GoogleTest; they print the seed and how to repeat the run.
void run_differential(std::uint64_t seed, std::uint64_t operations);

}  // namespace worker_runtime::testing
