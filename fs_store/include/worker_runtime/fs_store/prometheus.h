// The numbers of a Runtime in the text format of Prometheus,
// version 0.0.4: for an endpoint of your own, or a file that a collector reads.
#pragma once

#include <string>

#include "worker_runtime/reads.h"
#include "worker_runtime/runtime.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

/// The overview as gauges and counters. Appends whole lines to `out`.
void append_prometheus(std::string& out, const RuntimeSummary& summary);
/// What a Runtime has done since it was opened.
void append_prometheus(std::string& out, const Metrics& metrics);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
