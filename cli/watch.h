// status --watch: the overview, again and again while something happens.
#pragma once

#include <functional>

#include "options.h"
#include "output.h"

namespace worker_runtime::cli {

/// Until a signal or the end of the output: the overview, how much happens, and the last events. On
/// a terminal one screen that is renewed; else, and as JSON, one overview behind the other, as
/// often as something has happened, but not more than twice a second.
Exit watch_status(const Options& options,
                  const std::function<void(Output&, const RuntimeSummary&)>& print_summary);

}  // namespace worker_runtime::cli
