// Lines of logs and catalog as values, in pages: for the store and for readers without its lock.
//
// A page ends before damage; one that would start on it is `store_corrupt`. What decides about keys
// is never cut short: a damaged entry there is an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog.h"
#include "codec.h"
#include "logs.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"
#include "worker_runtime/store.h"

namespace worker_runtime::fs_store {

Result<std::vector<Event>> read_event_page(const Logs& logs, const PageRange& range);
Result<std::vector<TranscriptEntry>> read_transcript_page(const Logs& logs,
                                                          const WorkerRef& worker_ref,
                                                          const PageRange& range);
/// The entries from `first` to `last` that carry an idempotency key.
Result<std::vector<KeyedEntry>> read_keyed_entries(const Logs& logs, const WorkerId& worker_id,
                                                   Sequence first, Sequence last);
/// The create request of a Worker that the catalog has.
Result<CreateRequest> read_create(const Catalog& catalog, Decoder& decoder,
                                  const WorkerId& worker_id);

/// Whether the Worker's transcript can be continued: the file is as long as it was acknowledged to
/// be, its last line checks, and the ids in that line are the Worker's (they are the authority, not
/// the directory's name). None if it can; else the cause, as text.
Result<std::optional<std::string>> check_transcript(const Logs& logs, const WorkerRef& worker_ref);

}  // namespace worker_runtime::fs_store
