// Lines for the logs: see log_lines.h.
#include "log_lines.h"

#include "codec.h"

namespace worker_runtime::fs_store {

void append_log_lines(std::vector<LogLine>& lines, std::span<const ExpandedEvent> events,
                      const RuntimeId& runtime_id) {
  std::string object;
  object.reserve(1024);
  for (const ExpandedEvent& expanded : events) {
    object.clear();
    encode(object, *expanded.event, runtime_id);
    append_checked_line(lines.emplace_back().line, object);
    for (const TranscriptEntry& entry : expanded.entries) {
      object.clear();
      encode(object, entry);
      LogLine& line = lines.emplace_back();
      line.worker_id = entry.worker_ref.worker_id;
      append_checked_line(line.line, object);
    }
  }
}

void append_redacted_lines(std::vector<RedactedLine>& lines, const Commit& commit) {
  std::string object;
  for (const Change& change : commit.changes) {
    if (!change.redaction) continue;
    object.clear();
    encode(object, *change.redaction);
    RedactedLine& line = lines.emplace_back();
    line.worker_id = change.redaction->worker_ref.worker_id;
    line.sequence = change.redaction->sequence.value;
    append_checked_line(line.text, object);
  }
}

}  // namespace worker_runtime::fs_store
