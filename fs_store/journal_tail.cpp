// Going on in the journal of a running writer: see journal_tail.h.
#include "journal_tail.h"

#include <memory>
#include <optional>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "line_scanner.h"

namespace worker_runtime::fs_store {
namespace {

/// None if it is missing.
Result<std::unique_ptr<File>> open_segment(FileSystem& file_system, Lsn first_lsn) {
  auto file = file_system.open(layout::segment(first_lsn), OpenMode::read);
  if (!file && is_missing(file.error())) return std::unique_ptr<File>();
  return file;
}

/// The record on a line if it is the one behind `end`, with the checksum of its line.
struct Found {
  DecodedRecord record;
  std::uint32_t checksum = 0;
};
std::optional<Found> next_record(Decoder& decoder, const ScannedLine& line,
                                 const TailLimits& limits, const JournalEnd& end) {
  const auto checksum = line.has_newline && !line.too_long ? check_line(line.text) : std::nullopt;
  if (!checksum) return std::nullopt;
  auto record = decoder.record(line.text);
  if (!record) return std::nullopt;
  const RecordHead& head = record->head;
  const bool follows = head.lsn == end.last_lsn.next() && head.previous == end.checksum;
  if (!follows || head.epoch != limits.epoch) return std::nullopt;
  return Found{std::move(*record), *checksum};
}

/// The records of one segment, up to its end or the last that is wanted. A line that is no record
/// ends it: filler does.
Result<void> follow_segment(const File& file, Decoder& decoder, const TailLimits& limits,
                            JournalPlace& place, const RecordVisitor& visitor) {
  LineScanner lines(file, place.offset, UINT64_MAX);
  while (place.end.last_lsn < limits.last) {
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (!*line) return {};
    auto found = next_record(decoder, **line, limits, place.end);
    if (!found) return {};
    auto visited = visitor(found->record);
    if (!visited) return visited;
    place.end = {found->record.head.lsn, found->checksum};
    place.offset = (*line)->offset + (*line)->length;
    place.bytes += (*line)->length;
  }
  return {};
}

/// Moves to the segment that begins behind the last record. False if there is none that the writer
/// has begun.
Result<bool> enter_next_segment(FileSystem& file_system, Decoder& decoder, const TailLimits& limits,
                                JournalPlace& place) {
  const Lsn first_lsn = place.end.last_lsn.next();
  if (first_lsn == place.segment) return false;
  auto file = open_segment(file_system, first_lsn);
  if (!file) return std::move(file).error();
  if (!*file) return false;
  LineScanner lines(**file, 0, UINT64_MAX);
  auto line = lines.next();
  if (!line) return std::move(line).error();
  if (!*line || !(*line)->has_newline || (*line)->too_long || !check_line((*line)->text))
    return false;
  auto header = decoder.segment_header((*line)->text);
  if (!header || header->runtime_id != limits.runtime_id || header->first_lsn != first_lsn ||
      header->epoch != limits.epoch || header->previous != place.end.checksum) {
    return false;
  }
  place.segment = first_lsn;
  place.offset = (*line)->length;
  place.bytes += (*line)->length;
  return true;
}

}  // namespace

Result<Followed> follow_journal(FileSystem& file_system, Decoder& decoder, const TailLimits& limits,
                                JournalPlace& place, const RecordVisitor& visitor) {
  for (;;) {
    auto file = open_segment(file_system, place.segment);
    if (!file) return std::move(file).error();
    if (!*file) return Followed::lost;
    auto done = follow_segment(**file, decoder, limits, place, visitor);
    if (!done) return std::move(done).error();
    if (place.end.last_lsn >= limits.last) return Followed::yes;
    auto entered = enter_next_segment(file_system, decoder, limits, place);
    if (!entered) return std::move(entered).error();
    if (!*entered) return Followed::lost;
  }
}

}  // namespace worker_runtime::fs_store
