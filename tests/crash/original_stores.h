// Small stores that are whole: what damages are done to.
#pragma once

#include <vector>

#include "damages.h"

namespace worker_runtime::testing {

/// Three Workers, a and b with entries and c stopped, and their events, some of them redacted or
/// trimmed, in each of these states:
/// closed, with closed parts of logs; left by a kill when the logs did not follow yet, with a
/// journal of two segments; left by a kill when they had. Made once.
const std::vector<OriginalStore>& original_stores();

}  // namespace worker_runtime::testing
