// The log lines of a commit that no state expands: for tests of the codec.
#pragma once

#include <string>
#include <vector>

#include "codec.h"
#include "log_lines.h"

namespace worker_runtime::testing {

/// Where a change stands for further events, the lines of those are empty: a record has none.
inline std::vector<fs_store::LogLine> log_lines_of(const Commit& commit,
                                                   const RuntimeId& runtime_id) {
  std::vector<fs_store::LogLine> lines;
  for (const Change& change : commit.changes) {
    if (change.trim || change.redaction) continue;
    lines.resize(lines.size() + change.stopped_workers);
    ExpandedEvent expanded{&change.event, {}};
    if (change.entry) expanded.entries = {&*change.entry, 1};
    if (change.history) expanded.entries = *change.history;
    fs_store::append_log_lines(lines, {&expanded, 1}, runtime_id);
  }
  return lines;
}

inline void encode_changes(std::string& out, const Commit& commit, const RuntimeId& runtime_id) {
  fs_store::encode_changes(out, commit, log_lines_of(commit, runtime_id));
}

}  // namespace worker_runtime::testing
