// Views of Workers: see view_survey.h.
#include "view_survey.h"

#include <string_view>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "line_scanner.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {

Result<bool> write_view(FileSystem& file_system, const WorkerId& worker_id, std::string_view line) {
  bool made_directory = false;
  const std::string path = layout::worker_json(worker_id);
  auto file = file_system.open(path, OpenMode::create_new);
  if (!file && is_missing(file.error())) {
    for (const std::string& directory :
         {std::string(layout::workers), layout::worker_directory(worker_id)}) {
      auto there = file_system.kind(directory);
      if (!there) return std::move(there).error();
      if (*there) continue;
      auto made = file_system.make_directory(directory);
      if (!made) return std::move(made).error();
      made_directory = true;
    }
    file = file_system.open(path, OpenMode::create_new);
  }
  // Where it is there already, it is replaced as a whole, so that nobody reads half of it.
  auto written =
      file ? (*file)->write(0, line) : replace_file(file_system, path, line, Durable::no);
  if (!written) return std::move(written).error();
  return made_directory;
}

bool is_half_written_view(FileSystem& file_system, const std::string& path) {
  const auto content = read_small_file(file_system, path, view_bytes_max);
  if (!content) return false;
  const std::string_view written =
      std::string_view(*content).substr(0, content->find_last_not_of('\0') + 1);
  constexpr std::string_view head = R"({"crc":")";
  if (!written.starts_with(head.substr(0, written.size()))) return false;
  constexpr std::size_t sector = 512;
  for (std::size_t at = 0; at < written.size(); at += sector) {
    if (written.substr(at, sector).find_first_not_of('\0') == std::string_view::npos) return true;
  }
  // All of it but the newline, which is another byte: that was written, and changed.
  return !written.ends_with('\n') && !check_line(without_newline(written));
}

Result<void> sync_worker_directories(FileSystem& file_system) {
  auto synced = file_system.sync_directory(std::string(layout::workers));
  return synced ? file_system.sync_directory("") : synced;
}

void sweep_views(FileSystem& file_system, const WorkerId& worker_id) {
  const std::string directory = layout::worker_directory(worker_id);
  auto entries = file_system.list(directory);
  if (!entries) return;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::file || !entry.name.starts_with("worker.json.") ||
        !layout::is_temporary(entry.name)) {
      continue;
    }
    static_cast<void>(file_system.remove_file(directory + "/" + entry.name).has_value());
  }
}

Result<std::vector<ViewSurvey::Renewed>> ViewSurvey::step(
    FileSystem& file_system, Decoder& decoder, const Catalog& catalog, std::size_t count,
    const std::function<bool(const WorkerId&)>& is_deleted) {
  std::vector<Renewed> renewed;
  bool made_directories = false;
  if (catalog_ != catalog.position().lsn) {
    catalog_ = catalog.position().lsn;
    offset_ = 0;
  }
  LineScanner lines(catalog.file(), offset_, catalog.position().bytes);
  for (std::size_t seen = 0; seen < count; ++seen) {
    auto next = lines.next();
    if (!next) return std::move(next).error();
    if (!*next) {
      done_ = true;
      break;
    }
    const ScannedLine& line = **next;
    const std::uint64_t offset = std::exchange(offset_, line.offset + line.length);
    const auto checksum = check_line(line.text);
    if (offset == 0 || !checksum) continue;  // the header
    auto decoded = decoder.catalog_line(line.text, Requests::skip);
    if (!decoded || !decoded->record) continue;
    const WorkerId& worker_id = decoded->record->record.worker_id;
    const auto place = catalog.place(worker_id);
    if (!place || place->offset != offset) continue;  // not in force any more
    auto view = read_snapshot(file_system, layout::worker_json(worker_id), view_bytes_max);
    if (view && check_line(*view) == checksum) continue;
    bool was_behind = false;
    if (view) {
      // A crash before the checkpoint's end leaves a view that is newer than the catalog: that one
      // is right. One behind it leaves views that are older.
      auto known = decoder.catalog_line(*view, Requests::skip);
      if (known && known->record && known->record->record.worker_id == worker_id) {
        if (known->record->record.lsn > decoded->record->record.lsn) continue;
        was_behind = known->record->record.lsn < decoded->record->record.lsn;
      }
    }
    if (is_deleted(worker_id)) continue;
    // The renewal that an earlier open began may have been killed.
    sweep_views(file_system, worker_id);
    auto written = write_view(file_system, worker_id, std::string(line.text) + "\n");
    if (!written) return std::move(written).error();
    made_directories = made_directories || *written;
    renewed.push_back(
        {worker_id, view ? "it was out of date" : view.error().message(), was_behind});
  }
  if (made_directories) {
    auto synced = sync_worker_directories(file_system);
    if (!synced) return std::move(synced).error();
  }
  return renewed;
}

}  // namespace worker_runtime::fs_store
