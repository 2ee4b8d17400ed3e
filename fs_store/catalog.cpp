// The records of all Workers: see catalog.h.
#include "catalog.h"

#include <algorithm>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "line_scanner.h"
#include "put_back.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// A catalog that is at least this long is written anew once half of it is out of force.
constexpr std::uint64_t compact_bytes_min = std::uint64_t{64} << 10U;
constexpr std::size_t write_block_bytes = std::size_t{1} << 20U;

std::string header_line(Lsn lsn, const RuntimeId& runtime_id) {
  std::string object;
  encode_catalog_header(object, lsn, runtime_id);
  std::string line;
  append_checked_line(line, object);
  return line;
}

}  // namespace

Result<CatalogPosition> Catalog::create(FileSystem& file_system, Lsn lsn,
                                        const RuntimeId& runtime_id) {
  const std::string line = header_line(lsn, runtime_id);
  auto done = replace_file(file_system, layout::catalog(lsn), line, Durable::yes);
  if (!done) return std::move(done).error();
  return CatalogPosition{lsn, line.size(), 1, 0};
}

// ---- reading

Result<std::vector<Catalog::Repaired>> Catalog::load(Decoder& decoder,
                                                     const CatalogPosition& position,
                                                     const RuntimeId& runtime_id,
                                                     const LineVisitor& visitor) {
  const std::string path = layout::catalog(position.lsn);
  auto file = file_system_.open(path, OpenMode::read);
  if (!file) {
    if (!is_missing(file.error())) return std::move(file).error();
    return corrupt(file_system_, path, "the catalog that runtime.json names is missing");
  }
  file_ = std::move(*file);
  position_ = position;
  position_.live_checksum = 0;
  auto size = file_->size();
  if (!size) return std::move(size).error();
  std::vector<Repaired> damaged;
  LineScanner lines(*file_, 0, position.bytes);
  Lsn newest;
  for (;;) {
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (!*line) break;
    if (!(*line)->has_newline || (*line)->too_long || !check_line((*line)->text)) {
      damaged.push_back({(*line)->number, std::to_string((*line)->offset)});
      continue;
    }
    if ((*line)->number == 1) {
      auto header = check_header(decoder, (*line)->text, runtime_id);
      if (!header) return at_place(std::move(header).error(), file_system_, path, 1, 0);
      continue;
    }
    auto taken =
        take_line(decoder, (*line)->text, (*line)->offset, (*line)->length, runtime_id, visitor);
    if (!taken)
      return at_place(std::move(taken).error(), file_system_, path, (*line)->number,
                      (*line)->offset);
    newest = std::max(newest, Lsn{line_number((*line)->text, "lsn").value_or(0)});
  }
  if (*size < position.bytes) damaged.push_back({position.lines, std::to_string(*size)});
  if (damaged.empty() && position_.live_checksum == position.live_checksum) return damaged;
  if (position_.live_checksum == position.live_checksum) {
    for (Repaired& line : damaged) line.message = "a catalog line that is not in force is damaged";
    return damaged;
  }
  position_.live_checksum ^= position.live_checksum;  // what is missing
  if (damaged.empty()) {
    return corrupt(file_system_, path,
                   "the records do not add up to what runtime.json says: lines were replaced");
  }
  return stand_in(decoder, runtime_id, position.lsn, std::move(damaged), visitor);
}

Result<void> Catalog::check_header(Decoder& decoder, std::string_view text,
                                   const RuntimeId& runtime_id) const {
  auto header = decoder.catalog_header(text);
  if (!header) return std::move(header).error();
  if (header->runtime_id != runtime_id)
    return Error(ErrorCode::store_corrupt,
                 "the catalog belongs to runtime " + header->runtime_id.text());
  if (header->lsn != position_.lsn)
    return Error(ErrorCode::store_corrupt,
                 "the catalog is that of LSN " + std::to_string(header->lsn.value));
  return {};
}

Result<void> Catalog::take_line(Decoder& decoder, std::string_view text, std::uint64_t offset,
                                std::uint64_t length, const RuntimeId& runtime_id,
                                const LineVisitor& visitor) {
  auto line = decoder.catalog_line(text, Requests::skip);
  if (!line) return std::move(line).error();
  if (line->runtime_id != runtime_id) {
    return Error(ErrorCode::store_corrupt,
                 "the record belongs to runtime " + line->runtime_id.text());
  }
  const WorkerId& worker_id =
      line->record ? line->record->record.worker_id : line->tombstone->worker_id;
  const Place place{offset, static_cast<std::uint32_t>(length), *check_line(text),
                    line->tombstone.has_value()};
  Place& known = places_[worker_id];
  bytes_in_force_ += length;
  bytes_in_force_ -= known.length;
  position_.live_checksum ^= known.checksum ^ place.checksum;
  known = place;
  return visitor(std::move(*line));
}

/// Looks for worker.json files that hold exactly the lines that are missing.
Result<std::vector<Catalog::Repaired>> Catalog::stand_in(Decoder& decoder,
                                                         const RuntimeId& runtime_id, Lsn,
                                                         std::vector<Repaired> damaged,
                                                         const LineVisitor& visitor) {
  const std::string path = layout::catalog(position_.lsn);
  const Error in_doubt = corrupt(file_system_, path,
                                 "the record does not match its checksum, and no worker.json "
                                 "can stand in for it",
                                 damaged.front().line, std::stoull(damaged.front().message));
  auto entries = file_system_.list(std::string(layout::workers));
  if (!entries) return in_doubt;
  std::uint32_t missing = position_.live_checksum;
  for (const DirectoryEntry& entry : *entries) {
    if (missing == 0) break;
    const auto worker_id = layout::parse_worker_directory(entry.name);
    if (!worker_id) continue;
    auto text = read_snapshot(file_system_, layout::worker_json(*worker_id), view_bytes_max);
    if (!text) continue;
    const std::uint32_t checksum = *check_line(*text);
    const auto known = places_.find(*worker_id);
    if (known != places_.end() && known->second.checksum == checksum) continue;
    const std::uint32_t superseded = known != places_.end() ? known->second.checksum : 0;
    // With one damaged line the sum names its checksum; with several only this file's own order
    // can: each must be newer than what the catalog has, as a view that was left behind is not.
    if (damaged.size() == 1 && (checksum ^ superseded) != missing) continue;
    if (damaged.size() > 1 && known != places_.end()) {
      auto there = read_line_at(*file_, *worker_id, known->second);
      if (!there) return std::move(there).error();
      if (line_number(*text, "lsn") <= line_number(*there, "lsn")) continue;
    }
    auto line = decoder.catalog_line(*text, Requests::skip);
    if (!line || !line->record || line->runtime_id != runtime_id ||
        line->record->record.worker_id != *worker_id) {
      continue;
    }
    missing ^= checksum ^ superseded;
    Place& place = places_[*worker_id];
    bytes_in_force_ -= place.length;
    place = Place{UINT64_MAX, 0, checksum,
                  false};  // not in the file: the next checkpoint writes it anew
    auto visited = visitor(std::move(*line));
    if (!visited) return std::move(visited).error();
  }
  if (missing != 0) return in_doubt;
  for (Repaired& line : damaged)
    line.message = "a damaged record was taken from the Worker's worker.json";
  return damaged;
}

std::optional<Catalog::Place> Catalog::place(const WorkerId& worker_id) const {
  const auto found = places_.find(worker_id);
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<std::string>> Catalog::read_line(const WorkerId& worker_id) const {
  Place place;
  std::shared_ptr<File> file;
  {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(worker_id);
    if (found == places_.end() || found->second.tombstone) return std::optional<std::string>();
    place = found->second;
    file = file_;
  }
  auto line = read_line_at(*file, worker_id, place);
  if (!line) return std::move(line).error();
  return std::optional(std::move(*line));
}

Result<std::string> Catalog::read_line_at(const File& file, const WorkerId& worker_id,
                                          const Place& place) const {
  std::string line;
  if (place.offset == UINT64_MAX) {
    auto text = read_snapshot(file_system_, layout::worker_json(worker_id), view_bytes_max);
    if (!text) return text;
    line = std::move(*text);
  } else {
    auto text = file.read(place.offset, place.length);
    if (!text) return text;
    line = std::move(*text);
    if (!line.empty()) line.pop_back();
  }
  if (check_line(line) != place.checksum) {
    return corrupt(file_system_, layout::catalog(position_.lsn),
                   "the record of " + worker_id.text() + " does not match its checksum", {},
                   place.offset);
  }
  return line;
}

// ---- writing

void Catalog::put_in_force(const CatalogUpdate& update, std::uint64_t offset,
                           CatalogPosition& position) {
  const auto known = places_.find(update.worker_id);
  if (known != places_.end()) {
    position.live_checksum ^= known->second.checksum;
    bytes_in_force_ -= known->second.length;
  }
  if (update.line.empty()) {
    if (known != places_.end()) places_.erase(known);
    return;
  }
  const std::string_view text = without_newline(update.line);
  const Place place{offset, static_cast<std::uint32_t>(update.line.size()), *check_line(text),
                    update.tombstone};
  places_[update.worker_id] = place;
  position.live_checksum ^= place.checksum;
  bytes_in_force_ += place.length;
}

Result<CatalogPosition> Catalog::update(std::span<const CatalogUpdate> updates, Lsn lsn,
                                        const RuntimeId& runtime_id, bool anew) {
  const bool half_garbage =
      position_.bytes > compact_bytes_min && bytes_in_force_ < position_.bytes / 2;
  const bool from_elsewhere = std::any_of(places_.begin(), places_.end(), [](const auto& place) {
    return place.second.offset == UINT64_MAX;
  });
  if (lsn != position_.lsn && (anew || half_garbage || from_elsewhere))
    return rewrite(updates, lsn, runtime_id);
  return append(updates);
}

/// Somebody may have removed it, or saved another one under its name, in which nothing is where
/// position_ and places_ say: then it is first put back.
Result<std::unique_ptr<File>> Catalog::open_to_append() {
  const std::string path = layout::catalog(position_.lsn);
  auto again = put_back_if_replaced(file_system_, path, *file_, position_.bytes, put_back_);
  if (!again || *again) return again;
  return file_system_.open(path, OpenMode::write);
}

Result<CatalogPosition> Catalog::append(std::span<const CatalogUpdate> updates) {
  if (updates.empty()) return position_;
  auto file = open_to_append();
  if (!file) return std::move(file).error();
  // A tail that a crash left behind the position counts for nothing.
  auto done = (*file)->truncate(position_.bytes);
  CatalogPosition after = position_;
  std::string block;
  for (const CatalogUpdate& update : updates) {
    if (!done) break;
    block += update.line;
    if (block.size() < write_block_bytes) continue;
    done = (*file)->write(after.bytes, block);
    after.bytes += block.size();
    block.clear();
  }
  if (done && !block.empty()) {
    done = (*file)->write(after.bytes, block);
    after.bytes += block.size();
  }
  if (!done) {
    static_cast<void>(
        (*file)->truncate(position_.bytes).has_value());  // else the next append cuts it
    return std::move(done).error();
  }
  done = (*file)->sync();
  if (!done) return std::move(done).error();
  const std::lock_guard lock(mutex_);
  std::uint64_t offset = position_.bytes;
  for (const CatalogUpdate& update : updates) {
    put_in_force(update, offset, after);
    offset += update.line.size();
    if (!update.line.empty()) ++after.lines;
  }
  file_ = std::move(*file);
  position_ = after;
  return position_;
}

Result<CatalogPosition> Catalog::rewrite(std::span<const CatalogUpdate> updates, Lsn lsn,
                                         const RuntimeId& runtime_id) {
  std::unordered_map<WorkerId, const CatalogUpdate*> changed;
  for (const CatalogUpdate& update : updates) changed[update.worker_id] = &update;
  std::vector<std::pair<std::uint64_t, const WorkerId*>> kept;
  for (const auto& [worker_id, place] : places_) {
    if (!changed.contains(worker_id)) kept.emplace_back(place.offset, &worker_id);
  }
  std::sort(kept.begin(),
            kept.end());  // in file order, so that the old file is read from front to back

  auto attempt = AtomicFile::create(file_system_, layout::catalog(lsn));
  if (!attempt) return std::move(attempt).error();
  CatalogPosition after{lsn, 0, 1, 0};
  std::unordered_map<WorkerId, Place> places;
  std::uint64_t in_force = 0;
  std::string block = header_line(lsn, runtime_id);
  const auto add = [&](const WorkerId& worker_id, std::string_view line, std::uint32_t checksum,
                       bool tombstone) -> Result<void> {
    const std::uint64_t offset = after.bytes + block.size();
    places[worker_id] = {offset, static_cast<std::uint32_t>(line.size()), checksum, tombstone};
    after.live_checksum ^= checksum;
    in_force += line.size();
    ++after.lines;
    block += line;
    if (block.size() < write_block_bytes) return {};
    auto written = attempt->file().write(after.bytes, block);
    after.bytes += block.size();
    block.clear();
    return written;
  };
  for (const auto& [offset, worker_id] : kept) {
    const Place& place = places_.at(*worker_id);
    auto line = read_line_at(*file_, *worker_id, place);
    if (!line) return std::move(line).error();
    auto added = add(*worker_id, *line + "\n", place.checksum, place.tombstone);
    if (!added) return std::move(added).error();
  }
  for (const CatalogUpdate& update : updates) {
    if (update.line.empty()) continue;
    const std::string_view text = without_newline(update.line);
    auto added = add(update.worker_id, update.line, *check_line(text), update.tombstone);
    if (!added) return std::move(added).error();
  }
  auto written = attempt->file().write(after.bytes, block);
  if (!written) return std::move(written).error();
  after.bytes += block.size();
  auto file = attempt->commit(Durable::yes);
  if (!file) return std::move(file).error();
  const std::lock_guard lock(mutex_);
  file_ = std::move(*file);
  places_ = std::move(places);
  bytes_in_force_ = in_force;
  position_ = after;
  return position_;
}

Result<void> Catalog::remove_old() {
  auto entries = file_system_.list("");
  if (!entries) return std::move(entries).error();
  for (const DirectoryEntry& entry : *entries) {
    const auto lsn = layout::parse_catalog(entry.name);
    if (!lsn || *lsn == position_.lsn) continue;
    auto removed = file_system_.remove_file(entry.name);
    if (!removed && !is_missing(removed.error())) return removed;
  }
  return {};
}

Result<CatalogRecord> next_record(const Catalog& catalog, const WorkerState& worker,
                                  LogWatermark transcript, std::string create) {
  CatalogRecord record{worker.record, worker.create_digest, transcript, std::move(create), {}};
  auto before = catalog.read_line(worker.record.worker_id);
  if (!before) return std::move(before).error();
  if (!*before) return record;
  Decoder decoder;
  auto known = decoder.catalog_line(**before, Requests::read);
  if (!known) return std::move(known).error();
  // The id may have been a deleted Worker's.
  if (!known->record) return record;
  record.unknown = std::move(known->record->unknown);
  if (record.create.empty()) record.create = std::move(known->record->create);
  return record;
}

}  // namespace worker_runtime::fs_store
