// Lines that a repair makes: see made_lines.h.
#include "made_lines.h"

#include "checked_line.h"
#include "codec.h"

namespace worker_runtime::fs_store {
namespace {

std::string checked(std::string_view object) {
  std::string line;
  append_checked_line(line, object);
  line.pop_back();
  return line;
}

}  // namespace

std::optional<std::string> sealed_line(std::string_view line) {
  // Editors put a carriage return before each newline, or blanks.
  line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
  if (line.size() < 3 || line.front() != '{' || line.back() != '}') return std::nullopt;
  constexpr std::string_view head = "{\"crc\":";
  if (!line.starts_with(head)) return checked(line);
  const std::size_t comma = line.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  return checked("{" + std::string(line.substr(comma + 1)));
}

std::string event_line(const Event& event, const RuntimeId& runtime_id) {
  std::string object;
  encode(object, event, runtime_id);
  return checked(object);
}

std::string restored_event_line(const TranscriptEntry& entry) {
  const bool input = is_input(entry.role);
  Event event;
  event.id = entry.event_id;
  event.at = entry.at;
  event.worker_ref = entry.worker_ref;
  event.kind = input ? EventKind::worker_input_accepted : EventKind::worker_output_appended;
  event.message = input ? "input accepted" : "output appended";
  event.sequence = entry.sequence;
  return event_line(event, entry.worker_ref.runtime_id);
}

std::string lost_event_line(EventId id, Timestamp at, const RuntimeId& runtime_id) {
  Event event;
  event.id = id;
  event.at = at;
  event.kind = EventKind::unknown;
  event.unknown_kind = lost_event_kind;
  event.message = "this event was damaged and could not be restored";
  return event_line(event, runtime_id);
}

std::string lost_entry_line(const WorkerRef& worker_ref, Sequence sequence,
                            const std::optional<Event>& event, Timestamp at, EventId event_id) {
  TranscriptEntry entry;
  entry.sequence = sequence;
  entry.worker_ref = worker_ref;
  entry.at = event ? event->at : at;
  entry.event_id = event ? event->id : event_id;
  entry.role = Role::system;
  if (event)
    entry.role = event->kind == EventKind::worker_output_appended ? Role::assistant : Role::user;
  entry.content = lost_entry_text;
  entry.data = R"({"lost":true})";
  std::string object;
  encode(object, entry);
  return checked(object);
}

}  // namespace worker_runtime::fs_store
