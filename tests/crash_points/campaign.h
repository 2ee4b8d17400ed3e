// How much of the crash enumeration a run does: a bounded part, or what make crash asks for.
#pragma once

#include <cstdint>
#include <vector>

#include "explorer.h"

namespace worker_runtime::testing {

/// How many sequences of one length: WORKER_RUNTIME_CRASH_ROUNDS, or else so many.
std::uint64_t rounds(std::uint64_t otherwise);
/// WORKER_RUNTIME_SEED, or 1.
std::uint64_t seed();

/// A campaign also tears each write at every byte, with Tears::every.
enum class Tears : std::uint8_t { few, every };

/// Explores them all, prints the figures, and fails the test at any loss.
void expect_nothing_lost(const std::vector<Scenario>& scenarios, Tears tears = Tears::few);

}  // namespace worker_runtime::testing
