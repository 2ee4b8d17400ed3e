// Lines that a repair makes: sealed anew, restored from another line, or saying what is lost.
//
// All are checked lines without their newlines.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"

namespace worker_runtime::fs_store {

/// What stands in the place of an entry that is lost, and the kind of an event that is.
inline constexpr std::string_view lost_entry_text =
    "[this entry was damaged and could not be restored]";
inline constexpr std::string_view lost_event_kind = "event_lost";

/// Of an object that somebody edited: with a wrong checksum, or without one. None if it is none.
std::optional<std::string> sealed_line(std::string_view line);

std::string event_line(const Event& event, const RuntimeId& runtime_id);
/// The event that made the entry: it says nothing that the entry does not.
std::string restored_event_line(const TranscriptEntry& entry);
std::string lost_event_line(EventId id, Timestamp at, const RuntimeId& runtime_id);
/// Role, time and id come from the event that made it, if that is known.
std::string lost_entry_line(const WorkerRef& worker_ref, Sequence sequence,
                            const std::optional<Event>& event, Timestamp at, EventId event_id);

}  // namespace worker_runtime::fs_store
