// The seam between a Runtime and what keeps its commits, the diagnostics they share, and the store
// in memory.
//
// A Runtime calls the mutating functions (restore, append, sync, check_worker, close) from one
// thread at a time; checkpoint() too from one thread at a time, but beside append, sync and
// check_worker; the reading ones from any number of threads at the same time as all of those.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker_runtime/commit.h"
#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/options.h"
#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime {

/// The newest diagnostics of each severity, and the count of all. Thread-safe.
class DiagnosticLog {
 public:
  explicit DiagnosticLog(std::uint64_t kept_each = Limits{}.diagnostics_kept);

  /// Adds one and gives it its id.
  void raise(Timestamp at, Severity severity, std::string code, std::string message,
             std::optional<WorkerRef> worker_ref = std::nullopt);

  /// As raise(), but only once for a lasting condition: not while one of the same code and Worker
  /// is there that was raised by raise_once() and not cleared since.
  void raise_once(Timestamp at, Severity severity, std::string code, std::string message,
                  std::optional<WorkerRef> worker_ref = std::nullopt);
  /// The condition has passed; the next raise_once() is a new one.
  void clear(std::string_view code, const std::optional<WorkerRef>& worker_ref = std::nullopt);

  /// In id order, from the first above `after`, at most `count`.
  [[nodiscard]] std::vector<Diagnostic> read(std::uint64_t after, std::size_t count) const;
  /// All ever raised.
  [[nodiscard]] std::uint64_t total() const;

  void set_kept_each(std::uint64_t kept_each);

  /// Who is told what is raised and cleared from here on.
  void set_log(Log log);
  /// Tells the log something that is no diagnostic.
  void tell(LogLevel level, std::string_view line) const;

  /// For stores: everything kept, and the same put back.
  [[nodiscard]] std::vector<Diagnostic> snapshot() const;
  void restore(std::vector<Diagnostic> diagnostics, std::uint64_t total);

 private:
  void add(Diagnostic diagnostic);
  void add_and_tell(Diagnostic diagnostic, bool is_lasting);

  mutable std::mutex mutex_;
  std::uint64_t kept_each_;
  std::uint64_t total_ = 0;
  // by severity; oldest first, trimmed when twice too long
  std::array<std::vector<Diagnostic>, 3> kept_;
  std::set<std::pair<std::string, std::optional<WorkerRef>>> lasting_;
  std::shared_ptr<const Log> log_;  // null: nobody is told
};

/// A Worker whose files are damaged, and the cause in one clause.
struct DamagedWorker {
  WorkerId worker_id;
  std::string cause;
};

/// What a store gives back at open.
struct Restored {
  State state;  ///< As of the last commit.
  std::shared_ptr<DiagnosticLog> diagnostics;
  Epoch epoch;
  std::vector<DamagedWorker> damaged{};
};

/// How a store is doing. Shown in the summary.
struct StoreHealth {
  enum class Condition : std::uint8_t { ok, full, failed };
  Condition state = Condition::ok;
  std::optional<std::string> detail{};
  std::uint64_t free_bytes = 0;
  std::uint64_t journal_bytes = 0;
  Lsn durable_lsn;
  Lsn checkpoint_lsn;
  std::optional<std::string> recovered{};  ///< What the last recovery did.
  bool operator==(const StoreHealth&) const = default;
};
std::string_view to_string(StoreHealth::Condition condition);

/// Which part of a log a page shows: entries first..last (never empty, and all committed), walked
/// in `direction`, at most `items` of them and `bytes` of text, but always at least one.
struct PageRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  Direction direction = Direction::oldest_first;
  std::uint64_t items = 256;
  std::uint64_t bytes = std::uint64_t{4} << 20U;
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  /// Without close(): nothing more is written.
  virtual ~Store() = default;

  /// "memory", "fs_store", ...
  [[nodiscard]] virtual std::string_view backend() const = 0;
  [[nodiscard]] virtual Durability durability() const = 0;

  /// Called once, before anything else.
  virtual Result<Restored> restore() = 0;

  /// Takes a commit into the group that the next sync() makes durable. Refuses it, and only it,
  /// with nothing changed: `store_full`, `limit_exceeded` (commit_bytes of `limits`),
  /// `invalid_request` (an id that the store can't hold), `store_failed`. `events` are the expanded
  /// events of the commit.
  virtual Result<void> append(const Commit& commit, std::span<const ExpandedEvent> events,
                              const Limits& limits) = 0;

  /// Makes the group durable. `after` and `changed` are the records as the group leaves them: what
  /// a checkpoint writes. An empty group only hands over `after`. On `store_failed` the outcome is
  /// unknown until reopened, and every later call fails alike; on any other error nothing happened.
  virtual Result<void> sync(const RuntimeRecord& after, std::span<const ChangedWorker> changed) = 0;

  /// Looks whether the Worker's files can take another entry, at the first call for the Worker at
  /// least. None: they can. `worker_damaged` or `store_corrupt`: the Worker is damaged, the message
  /// tells the cause. Any other error fails the operation that asked.
  virtual std::optional<Error> check_worker(const WorkerId& worker_id) = 0;

  /// What is committed and durable. A page ends before damage; one that would start on it is
  /// `store_corrupt`, with `next_readable` as an event id / a sequence. A page ends before what a
  /// trim let go; one that would start there is `cursor_expired`, with the first number that is
  /// kept.
  virtual Result<std::vector<Event>> read_events(const PageRange& range) const = 0;
  virtual Result<std::vector<TranscriptEntry>> read_transcript(const WorkerId& worker_id,
                                                               const PageRange& range) const = 0;
  /// An entry of a Worker that has it, also one of the group that is being made.
  virtual Result<TranscriptEntry> read_entry(const WorkerId& worker_id,
                                             Sequence sequence) const = 0;
  /// The entries first..last of a Worker that carry a key, in order.
  virtual Result<std::vector<KeyedEntry>> read_keyed_entries(const WorkerId& worker_id,
                                                             Sequence first,
                                                             Sequence last) const = 0;
  virtual Result<CreateRequest> read_create_request(const WorkerId& worker_id) const = 0;

  /// Now, and waits for it. Answers the LSN that it stands for.
  virtual Result<Lsn> checkpoint() = 0;

  /// Checkpoint, release everything. After a failure nothing more is written.
  virtual Result<void> close() = 0;

  /// None for stores that have nothing to tell, such as memory.
  [[nodiscard]] virtual std::optional<StoreHealth> health() const = 0;
};

/// Keeps everything in memory, for as long as the Runtime lives.
std::unique_ptr<Store> make_memory_store(RuntimeId runtime_id);

}  // namespace worker_runtime

#pragma GCC visibility pop
