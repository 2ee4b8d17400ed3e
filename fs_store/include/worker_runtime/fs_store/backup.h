// Copies of a whole runtime: taken while its writer runs, kept up to date, and brought back.
//
// A backup is itself a store: the directory is a root with the one runtime under it, at rest as of
// one LSN. Every reader and `verify` work on it as on any other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

struct CopyReport {
  RuntimeId runtime_id;
  Lsn lsn;  ///< The copy holds every commit up to here, and none behind.
  std::uint64_t workers = 0;
  std::uint64_t events = 0;   ///< That are kept: what was trimmed is in no copy.
  std::uint64_t entries = 0;  ///< Of all transcripts, that are kept.
  /// Of logs, written by this run: what an earlier one has copied is not copied again.
  std::uint64_t copied_bytes = 0;
  std::string path;  ///< Of the runtime's directory, relative to the root that it lies under.
};

struct BackupOptions {
  std::filesystem::path root;
  std::optional<RuntimeId> runtime_id{};
  /// Where the backup lies: made with its parents if it is missing. Several runtimes may share it.
  std::filesystem::path directory;
  std::stop_token stop{};
  /// Called now and then, by the calling thread, with the bytes copied so far.
  std::function<void(std::uint64_t bytes)> progress{};
};

/// Copies the runtime as of the newest durable LSN, beside a writer or without one, in memory
/// bounded by the number of Workers. Every line is checked as it is copied. Into a directory that
/// has an earlier backup of the same runtime only what is new is copied; a run that was cut off is
/// gone on with. The earlier backup stays in force until the new one is durable: readers and
/// restore() see either.
///
/// Durable on return. Errors: those of Reader::open; `store_corrupt` where acknowledged data is
/// damaged (then the earlier backup stays in force); `store_full`; `store_locked` if the backup is
/// being written to; `invalid_request` where the directory holds another history under the same
/// id, or is the root itself; `closed` after a stop request.
Result<CopyReport> backup(const BackupOptions& options);

struct RestoreOptions {
  std::filesystem::path directory;            ///< What backup() wrote to, or any other root.
  std::optional<RuntimeId> runtime_id{};      ///< Which one of it; none: the only one.
  std::filesystem::path root;                 ///< Made with its parents if it is missing.
  std::optional<RuntimeId> new_runtime_id{};  ///< None: the id that it has.
  std::stop_token stop{};
  std::function<void(std::uint64_t bytes)> progress{};
};

/// Copies a runtime out of a backup to a root that has none of that id. It is verified, all of it,
/// before it gets its name: nobody ever meets half of one. The same id twice would be two
/// authorities over the same Workers: whoever restores beside a runtime that lives on gives the
/// copy another id.
///
/// Durable on return. Errors: as backup(); `invalid_request` if the root has a runtime of that id.
Result<CopyReport> restore(const RestoreOptions& options);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
