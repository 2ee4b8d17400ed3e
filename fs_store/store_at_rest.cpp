// The records of a store at rest: see store_at_rest.h.
#include "store_at_rest.h"

#include <string>
#include <utility>

#include "codec.h"
#include "journal_reader.h"
#include "layout.h"
#include "snapshot.h"
#include "view_survey.h"

namespace worker_runtime::fs_store {

Result<CatalogPosition> write_records_at_rest(FileSystem& file_system, Catalog& catalog,
                                              std::span<const CatalogUpdate> updates, Lsn lsn,
                                              const RuntimeId& runtime_id) {
  auto position = catalog.update(updates, lsn, runtime_id, true);
  if (!position) return position;
  bool made_directories = false;
  for (const CatalogUpdate& update : updates) {
    if (update.tombstone) continue;
    auto view = read_snapshot(file_system, layout::worker_json(update.worker_id), view_bytes_max);
    if (view && *view + "\n" == update.line) continue;
    auto written = write_view(file_system, update.worker_id, update.line);
    if (!written) return std::move(written).error();
    made_directories = made_directories || *written;
  }
  if (made_directories) {
    auto synced = sync_worker_directories(file_system);
    if (!synced) return std::move(synced).error();
  }
  return position;
}

Result<void> begin_segment_at_rest(FileSystem& file_system, const RuntimeId& runtime_id, Lsn lsn,
                                   Epoch epoch) {
  const Lsn first = lsn.next();
  std::string object;
  encode(object, SegmentHeader{first, runtime_id, epoch, Durability::sync, 0});
  return write_snapshot(file_system, layout::segment(first), object);
}

Result<void> drop_what_was_before(FileSystem& file_system, Catalog& catalog, Lsn lsn, Epoch epoch) {
  const std::string mark =
      durable_mark_text({lsn, epoch, DurableMark::Writer::closed, Durability::sync});
  auto done = replace_file(file_system, std::string(layout::durable), mark, Durable::yes);
  if (!done) return done;
  const std::string journal(layout::journal);
  auto entries = file_system.list(journal);
  if (!entries) return std::move(entries).error();
  for (const DirectoryEntry& entry : *entries) {
    const auto first = layout::parse_segment(entry.name);
    if (!first || *first == lsn.next()) continue;
    auto removed = file_system.remove_file(journal + "/" + entry.name);
    if (!removed) return removed;
  }
  return catalog.remove_old();
}

}  // namespace worker_runtime::fs_store
