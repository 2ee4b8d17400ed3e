// One Worker as a file that goes anywhere: out of a store, and into the same or another Runtime.
//
// The file is JSON Lines, each a checked line: one that says what the Worker is, its transcript's
// lines as they stand in the store, and one that says that this was all.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/result.h"
#include "worker_runtime/runtime.h"
#include "worker_runtime/time.h"
#include "worker_runtime/worker.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

/// Takes one line, without its newline. An error ends the export, which answers it.
using LineSink = std::function<Result<void>(std::string_view line)>;

/// Hands all lines of the Worker's export to `sink`, in bounded memory. Beside a writer it is the
/// Worker as of one moment. Errors: those of Reader::worker_detail() and visit_transcript();
/// `worker_damaged` if what the Worker was asked to be is lost; the sink's. After an error what the
/// sink has is no whole export, which decode_export() sees.
Result<void> export_worker(const Reader& reader, const WorkerRef& worker_ref, const LineSink& sink);

/// What the file of an export holds.
struct ExportedWorker {
  WorkerRef worker_ref;  ///< Whose it is.
  WorkerStatus status = WorkerStatus::running;
  Timestamp exported_at;
  /// For Runtime::import_worker(): asks for the id that the Worker had, with no key; its origin is
  /// the Worker's last entry.
  ImportWorker worker;
};

/// Reads a whole export. Each line is checked, and that none is missing. Errors: `store_corrupt`
/// with the line, `store_version` if a newer version wrote it in a way that cannot be kept.
Result<ExportedWorker> decode_export(std::string_view text);

/// Makes a Worker of it, and ends it if it had ended, as one unit; answers the Worker as that left
/// it. Errors: those of Runtime::import_worker(). Thread-safe, durable as a batch is.
Result<WorkerDetail> import_exported(Runtime& runtime, ExportedWorker exported);

/// The text of an export, to be imported by who reads this as a request.
struct ImportExport {
  std::string exported;
  std::optional<WorkerId> worker_id{};  ///< None: the id that the Worker had.
  std::optional<std::string> idempotency_key{};
};
/// decode_export() of the text, as the Worker that is asked for. What is wrong with the text is
/// `invalid_request`: no store is damaged.
Result<ExportedWorker> decode_export(const ImportExport& request);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
