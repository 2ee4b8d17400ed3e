// Scenarios made of the alphabet of operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "explorer.h"

namespace worker_runtime::testing {

/// The base that base_operations() make, closed.
Scenario base_scenario();

/// The operation of the alphabet with this name, which must be there.
const Operation& named(std::string_view name);

/// `base` and then these operations of the alphabet.
Scenario sequence(const Scenario& base, const std::vector<std::string>& names);

/// Sequences of `length` operations behind `base`: all of them if there are no more than `count`,
/// else so many drawn at random.
std::vector<Scenario> sequences(const Scenario& base, std::size_t length, std::uint64_t count,
                                std::uint64_t seed);

/// With a store whose nth sync from the base on, while `name` is done, fails; after that the
/// process dies, and `then` is done.
std::vector<Scenario> failed_syncs(const Scenario& base, const std::string& name,
                                   std::uint64_t nth_max, const std::string& then);

}  // namespace worker_runtime::testing
