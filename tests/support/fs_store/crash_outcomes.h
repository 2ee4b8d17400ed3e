// What a power cut may leave of a simulated disk: the legal outcomes of simulated_disk.h, listed.
#pragma once

#include <cstdint>
#include <functional>

#include "support/fs_store/simulated_disk.h"

namespace worker_runtime::testing {

struct OutcomeLimits {
  /// Up to so many combinations all are visited; beyond, these are: nothing of what is pending, all
  /// of it, each change alone, all but each change, every prefix in the order of the changes, and
  /// `samples` at random.
  std::uint64_t exhaustive = 256;
  std::uint64_t samples = 8;
  std::uint64_t seed = 1;
  /// One write torn at every byte, the others before it there and those behind it not. Otherwise at
  /// a few bytes.
  bool every_tear = false;
};

/// Calls `visit` with states in which everything seen is durable; the same one may come twice.
void for_each_outcome(const DiskState& before, const OutcomeLimits& limits,
                      const std::function<void(DiskState&&)>& visit);

/// Of names and contents. Of names that were drawn at random (*.tmp, quarantine) without that part.
std::uint64_t hash_of_seen(const DiskState& state);

}  // namespace worker_runtime::testing
