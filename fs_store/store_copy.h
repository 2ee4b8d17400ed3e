// Copying the state that a View shows into another directory: a store at rest as of the view's LSN.
//
//   1. what the target has already, from an earlier copy or from one that was cut off, is kept
//   2. the logs are copied behind that, line by line, each checked
//   3. the mark says where the earlier copy ends: beside its segment there is now another, and
//      commits are missing in between. Then the records, as store_at_rest.h has it; all of it is
//      synced, views too; runtime.json puts it in force
//   4. what the earlier copy had and this one has not goes: Workers deleted since, trimmed parts
//
// The logs may be longer than an earlier copy's records say until step 3 is done: a crash before
// leaves the earlier copy in force for everybody who reads it, and the next run goes on.
//
// A copy under another runtime id names that one in every line.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "catalog.h"
#include "file_system.h"
#include "logs.h"
#include "reader_view.h"
#include "worker_runtime/fs_store/backup.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

struct CopyOptions {
  std::stop_token stop{};
  std::function<void(std::uint64_t bytes)> progress{};
  /// As a store has by default: a part is the least that retention gives back.
  std::uint64_t part_bytes = std::uint64_t{256} << 20U;
};

class StoreCopy {
 public:
  /// The caller has the target's lock.
  StoreCopy(FileSystem& target, RuntimeId runtime_id, CopyOptions options);

  /// Looks at what is there. To be called once, first.
  Result<void> begin();
  /// Copies what the view shows; nobody else uses the view meanwhile. After an error it may be
  /// called again, with a newer view: what is copied stays. `invalid_request` if the target holds
  /// another history than the view.
  Result<CopyReport> copy(const View& source);

 private:
  struct Source;

  Result<void> copy_logs(const Source& source);
  Result<void> copy_log(const Source& source, const WorkerId* worker_id, std::uint64_t last);
  Result<LogWatermark> end_of(const Source& source, const WorkerId* worker_id, std::uint64_t last);
  Result<void> take_up(const Source& source, const WorkerId* worker_id, std::uint64_t last);
  Result<void> check_same_history(const Source& source, const WorkerId* worker_id,
                                  const LogWatermark& end) const;
  Result<void> push(const Source& source, const WorkerId* worker_id, std::string_view line);
  Result<void> extend_if(bool due);

  Result<void> mark_the_end() const;
  Result<CatalogPosition> write_records(const Source& source);
  Result<std::vector<CatalogUpdate>> catalog_lines(const Source& source) const;
  Result<void> put_in_force(const Source& source, CatalogPosition catalog);
  Result<void> drop_the_gone(const Source& source);

  FileSystem& target_;
  const RuntimeId runtime_id_;
  const CopyOptions options_;
  Logs logs_;
  Catalog catalog_;
  std::optional<RuntimeSnapshot> before_;  // what is in force in the target
  bool has_events_ = false;                // the end of its event log is known
  std::unordered_set<WorkerId> resumed_;   // those of these transcripts too
  std::uint64_t copied_bytes_ = 0;
};

}  // namespace worker_runtime::fs_store
