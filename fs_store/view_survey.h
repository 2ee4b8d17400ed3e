// The slow walk that puts worker.json views right: they are never synced, so a power cut may leave
// one out of date, damaged or missing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog.h"
#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

class ViewSurvey {
 public:
  struct Renewed {
    WorkerId worker_id;
    std::string cause;
    /// Right, but of an earlier checkpoint, as a killed writer leaves it.
    bool was_behind = false;
  };

  /// Looks at the views of the next `count` records of the catalog, and makes anew those that
  /// differ. Starts over where the catalog was written anew meanwhile. `is_deleted` tells of
  /// Workers that the catalog still names: their directories must not come back.
  Result<std::vector<Renewed>> step(FileSystem& file_system, Decoder& decoder,
                                    const Catalog& catalog, std::size_t count,
                                    const std::function<bool(const WorkerId&)>& is_deleted);
  [[nodiscard]] bool done() const { return done_; }

 private:
  Lsn catalog_;
  std::uint64_t offset_ = 0;
  bool done_ = false;
};

/// Writes the view of a Worker: a checked line with its newline. Makes the directory if it is
/// missing, and answers whether it did: then sync_worker_directories() is due.
Result<bool> write_view(FileSystem& file_system, const WorkerId& worker_id, std::string_view line);

/// Whether a view that is no whole line is as a power cut leaves one that was never synced: blocks
/// that were not written read as NULs, which stand in no line, or are not there.
bool is_half_written_view(FileSystem& file_system, const std::string& path);

/// Makes the directories that write_view() made durable. A view may be lost; a Worker of the
/// catalog without a directory would be taken for one that somebody removed.
Result<void> sync_worker_directories(FileSystem& file_system);

/// Removes what a writer that was killed left beside the view, best effort: it takes room and
/// counts for nothing.
void sweep_views(FileSystem& file_system, const WorkerId& worker_id);

}  // namespace worker_runtime::fs_store
