// `worker-runtime verify` over a store that a test left in some state.
#pragma once

#include <string>

namespace worker_runtime::testing {

/// What verify says that is more than a note; nothing if it exits 0 and says nothing such.
std::string problems_found_by_verify(const std::string& root);

}  // namespace worker_runtime::testing
