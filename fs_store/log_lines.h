// A commit's lines for the logs. The objects of events and entries stand in the journal's record as
// they stand here: they are encoded once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checked_line.h"
#include "worker_runtime/commit.h"

namespace worker_runtime::fs_store {

struct LogLine {
  std::optional<WorkerId> worker_id;  ///< None: a line of the event log.
  std::string line;                   ///< A checked line with its newline.
};

/// What takes the place of a line of a transcript that is redacted.
struct RedactedLine {
  WorkerId worker_id;
  std::uint64_t sequence = 0;
  std::string text;  ///< A checked line with its newline.
};

/// Appends the lines of a commit: events in order, each followed by the entries it made.
void append_log_lines(std::vector<LogLine>& lines, std::span<const ExpandedEvent> events,
                      const RuntimeId& runtime_id);
/// Appends the lines that take the place of those that a commit redacts.
void append_redacted_lines(std::vector<RedactedLine>& lines, const Commit& commit);

/// What stands behind the first brace of the object that the line is made of.
inline std::string_view members_of(const LogLine& line) {
  return without_newline(line.line).substr(line_head_bytes);
}

}  // namespace worker_runtime::fs_store
