// Writing the records of a store as of an LSN, with an empty journal behind them: what repair and
// copies end with, once the logs are there.
//
// In this order: the catalog, under a name that no catalog in force has; views; a segment with a
// header alone; then the caller replaces runtime.json, and from there on the new state is in force;
// last drop_what_was_before(). A crash before that replacement leaves the state of before and files
// that count for nothing, one after it the new state and such files.
#pragma once

#include <span>

#include "catalog.h"
#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

/// A new catalog of these lines, and the views of Workers whose views differ. Durable on return,
/// but for the views, which never are.
Result<CatalogPosition> write_records_at_rest(FileSystem& file_system, Catalog& catalog,
                                              std::span<const CatalogUpdate> updates, Lsn lsn,
                                              const RuntimeId& runtime_id);

/// The segment that a writer would go on behind. Durable on return.
Result<void> begin_segment_at_rest(FileSystem& file_system, const RuntimeId& runtime_id, Lsn lsn,
                                   Epoch epoch);

/// The mark of a writer that closed at `lsn`; segments and catalogs of before go.
Result<void> drop_what_was_before(FileSystem& file_system, Catalog& catalog, Lsn lsn, Epoch epoch);

}  // namespace worker_runtime::fs_store
