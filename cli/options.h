// What every command has in common: where the store is, how output looks, and how a run ends.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/result.h"
#include "worker_runtime/runtime.h"

namespace worker_runtime::cli {

class Command;

/// The exit codes. docs/CLI.md lists them.
enum class Exit : int {
  done = 0,
  refused = 1,
  usage = 2,
  damaged = 3,
  locked = 4,
  full = 5,
};
Exit exit_of(ErrorCode code);

/// Where a read that ended at damage goes on: behind it, if anything is readable there.
std::optional<std::uint64_t> behind_damage(const Error& error);

/// Options that stand before or behind any command.
struct Options {
  std::optional<std::string> root;
  std::optional<std::string> runtime;
  bool json = false;
  bool utc = false;

  // Of commands that write.
  std::string durability;
  std::vector<std::string> limits;  // LIMIT=N
  double wait_seconds = 0;
  std::string log;  // the least level of what is told on standard error; empty: nothing
};

/// `--root`, else $WORKER_RUNTIME_ROOT, else ./.worker-runtime.
std::filesystem::path root_of(const Options& options);
Result<std::optional<RuntimeId>> runtime_of(const Options& options);

/// Whether a runtime is made where none is.
enum class Create : std::uint8_t { yes, no };
/// How a store is opened for writing. `invalid_request` for a runtime id that is none.
Result<fs_store::StoreOptions> store_options(const Options& options, Create create);
/// Takes the lock and opens.
Result<Runtime> open_for_writing(const Options& options, Create create,
                                 std::optional<std::string> display_name = {});
Result<RuntimeOptions> runtime_options(const Options& options);
Result<fs_store::Reader> open_for_reading(const Options& options);

/// The worker that a command is about.
void add_worker(Command command, std::string& worker);
/// `--key`.
void add_key(Command command, std::optional<std::string>& key);
/// Adds the options of commands that write.
void add_writer_options(Command command, Options& options);

/// A command is run once the line is parsed; it prints its own output.
using Run = std::function<Exit()>;

void add_init(Command app, Options& options, Run& run);
void add_mutations(Command app, Options& options, Run& run);
void add_fork(Command app, Options& options, Run& run);
void add_export(Command app, Options& options, Run& run);
void add_create(Command app, Options& options, Run& run);
void add_reads(Command app, Options& options, Run& run);
void add_logs(Command app, Options& options, Run& run);
void add_pipe(Command app, Options& options, Run& run);
void add_verify(Command app, Options& options, Run& run);
void add_repair(Command app, Options& options, Run& run);
void add_retention(Command app, Options& options, Run& run);
void add_backup(Command app, Options& options, Run& run);
void add_report(Command app, Options& options, Run& run);
void add_search(Command app, Options& options, Run& run);
void add_quarantine(Command app, Options& options, Run& run);
void add_disk(Command app, Options& options, Run& run);
void add_bench(Command app, Options& options, Run& run);
void add_metrics(Command app, Options& options, Run& run);
void add_completion(Command app, Options& options, Run& run);

}  // namespace worker_runtime::cli
