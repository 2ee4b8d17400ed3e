// Lines of logs and catalog as values: see pages.h.
#include "pages.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "layout.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

template <typename Item>
std::uint64_t text_bytes(const Item& item);
template <>
std::uint64_t text_bytes(const Event& event) {
  return event.message.size();
}
template <>
std::uint64_t text_bytes(const TranscriptEntry& entry) {
  return entry.content.size() + (entry.name ? entry.name->size() : 0) +
         (entry.data ? entry.data->size() : 0);
}

std::string belongs_elsewhere(const WorkerRef& worker_ref, const TranscriptEntry& entry) {
  return "sequence " + std::to_string(entry.sequence.value) + " of worker " +
         worker_ref.worker_id.text() + " belongs to worker " + entry.worker_ref.worker_id.text();
}

}  // namespace

Result<std::vector<Event>> read_event_page(const Logs& logs, const PageRange& range) {
  Decoder decoder;
  std::vector<Event> events;
  std::optional<Error> problem;
  std::uint64_t bytes = 0;
  auto read = logs.read_events(range, [&](std::uint64_t, std::string_view line) {
    auto event = decoder.event(line);
    if (!event) {
      problem = std::move(event).error();
      return false;
    }
    bytes += text_bytes(*event);
    if (!events.empty() && bytes > range.bytes) return false;
    events.push_back(std::move(*event));
    return events.size() < range.items && bytes < range.bytes;
  });
  if (!read) return std::move(read).error();
  if (problem && events.empty()) {
    return at_place(*std::move(problem), logs.file_system(), layout::log_file(layout::events), {},
                    {});
  }
  return events;
}

Result<std::vector<TranscriptEntry>> read_transcript_page(const Logs& logs,
                                                          const WorkerRef& worker_ref,
                                                          const PageRange& range) {
  Decoder decoder;
  std::vector<TranscriptEntry> entries;
  std::optional<Error> problem;
  std::uint64_t bytes = 0;
  auto read =
      logs.read_transcript(worker_ref.worker_id, range, [&](std::uint64_t, std::string_view line) {
        auto entry = decoder.entry(line);
        if (entry && entry->worker_ref != worker_ref)
          entry = Error(ErrorCode::store_corrupt, belongs_elsewhere(worker_ref, *entry));
        if (!entry) {
          problem = std::move(entry).error();
          return false;
        }
        bytes += text_bytes(*entry);
        if (!entries.empty() && bytes > range.bytes) return false;
        entries.push_back(std::move(*entry));
        return entries.size() < range.items && bytes < range.bytes;
      });
  if (!read) return std::move(read).error();
  if (problem && entries.empty()) {
    const std::string path = layout::log_file(layout::transcript(worker_ref.worker_id));
    return at_place(*std::move(problem), logs.file_system(), path, {}, {});
  }
  return entries;
}

Result<std::vector<KeyedEntry>> read_keyed_entries(const Logs& logs, const WorkerId& worker_id,
                                                   Sequence first, Sequence last) {
  Decoder decoder;
  std::vector<KeyedEntry> keyed;
  std::optional<Error> problem;
  PageRange range{first.value, last.value, Direction::oldest_first, last.value - first.value + 1,
                  UINT64_MAX};
  std::uint64_t next = first.value;
  const auto take = [&](std::uint64_t number, std::string_view line) {
    next = number + 1;
    auto entry = decoder.entry(line);
    if (!entry) {
      problem = std::move(entry).error();
      return false;
    }
    if (entry->idempotency_key) keyed.push_back(keyed_entry(*entry));
    return true;
  };
  auto read = logs.read_transcript(worker_id, range, take);
  // A page ends before damage. Here that would forget keys, and do an operation twice: going on
  // from there tells what is wrong.
  if (read && !problem && next <= last.value) {
    range.first = next;
    read = logs.read_transcript(worker_id, range, take);
    if (read && !problem && next <= last.value) {
      return corrupt(logs.file_system(), layout::log_file(layout::transcript(worker_id)),
                     "sequence " + std::to_string(next) + " is missing");
    }
  }
  if (!read) return std::move(read).error();
  if (problem) return *std::move(problem);
  return keyed;
}

Result<CreateRequest> read_create(const Catalog& catalog, Decoder& decoder,
                                  const WorkerId& worker_id) {
  auto line = catalog.read_line(worker_id);
  if (!line) return std::move(line).error();
  if (!*line) return Error(ErrorCode::worker_not_found, "there is no worker " + worker_id.text());
  auto record = decoder.catalog_line(**line, Requests::read);
  if (!record) return std::move(record).error();
  return decoder.create_request(record->record->create);
}

Result<std::optional<std::string>> check_transcript(const Logs& logs, const WorkerRef& worker_ref) {
  return logs.check_end(worker_ref.worker_id, [&](std::string_view line) {
    Decoder decoder;
    auto entry = decoder.entry(line);
    std::optional<std::string> cause;
    if (!entry) {
      cause = entry.error().message();
    } else if (entry->worker_ref != worker_ref) {
      cause = belongs_elsewhere(worker_ref, *entry);
    }
    return cause;
  });
}

}  // namespace worker_runtime::fs_store
