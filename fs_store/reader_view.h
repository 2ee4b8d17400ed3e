// What a reader without the lock holds of a store: the state as of a durable LSN, loaded once as
// recovery does, and then carried on commit by commit as the writer's mark moves.
//
// Which LSN that is:
//   - beside a writer, the one in journal/durable, which it overwrites after each sync; without
//     that mark, the one that the journal itself proves;
//   - after a writer that failed, the mark too: what came behind it may be in the page cache alone;
//   - else all that the journal holds, which is synced before any of it is shown.
//
// A view is carried on as long as the same writer goes on and no checkpoint has dropped a segment
// that the view was loaded from: the lines that wait for their logs stay bounded that way, as they
// do for the writer. Otherwise another one is loaded.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "catalog.h"
#include "codec.h"
#include "file_system.h"
#include "journal_reader.h"
#include "journal_tail.h"
#include "logs.h"
#include "recovery.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"
#include "worker_runtime/store.h"

namespace worker_runtime::fs_store {

/// A writer may drop a segment, a catalog or a Worker's directory between two steps of a read.
bool may_pass(const Error& error);

class View {
 public:
  /// Again and again for a while, where a writer moves files under it.
  static Result<std::shared_ptr<View>> load(FileSystem& file_system, const RuntimeId& runtime_id);

  enum class Standing : std::uint8_t {
    current,  ///< It shows all that may be shown.
    lost,     ///< Another one must be loaded.
  };
  /// Looks where the writer is and goes on to there. One thread at a time.
  Result<Standing> advance();

  /// Runs `ask` on what is loaded, with nothing changing meanwhile: to be left before files are
  /// read. Lines of what it saw are in logs(), unless their Worker was deleted since.
  template <typename Ask>
  auto with_loaded(Ask ask) const {
    const std::lock_guard lock(mutex_);
    return ask(static_cast<const Loaded&>(*loaded_));
  }

  // Constant, or synchronised by themselves.
  [[nodiscard]] const Logs& logs() const { return logs_; }
  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  [[nodiscard]] const DiagnosticLog& diagnostics() const { return *diagnostics_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] Durability durability() const { return durability_; }
  /// Whether a writer was there when it was loaded.
  [[nodiscard]] bool is_live() const { return live_; }

 private:
  View(FileSystem& file_system, const RuntimeId& runtime_id);
  Result<void> load();
  [[nodiscard]] LoadLimits limits() const;
  Result<void> sync_journal();
  /// Whether no checkpoint has dropped a segment that it was loaded from.
  [[nodiscard]] bool has_its_segments() const;
  Result<Standing> follow(Lsn last);

  FileSystem& file_system_;
  const RuntimeId runtime_id_;
  Logs logs_;
  Catalog catalog_;

  // Constant once loaded.
  bool live_ = false;
  std::optional<DurableMark> mark_;  // as found by load()
  std::unique_ptr<DiagnosticLog> diagnostics_;
  Epoch epoch_;
  Durability durability_ = Durability::sync;
  Lsn oldest_segment_;

  JournalPlace place_;  // owned by who calls advance()

  mutable std::mutex mutex_;  // guards what follows
  std::optional<Loaded> loaded_;
};

}  // namespace worker_runtime::fs_store
