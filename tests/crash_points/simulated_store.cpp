// A Runtime with fs-store on a simulated disk: see simulated_store.h.
#include "simulated_store.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "checked_line.h"
#include "fs_store.h"
#include "layout.h"
#include "open.h"
#include "repair_directory.h"
#include "store_lock.h"
#include "support/domain.h"
#include "verify_directory.h"

namespace worker_runtime::testing {
namespace {

/// The highest number in any part of the log `stem` in a directory.
std::uint64_t last_of(const DiskState& state, const DiskNode* directory, std::string_view stem,
                      std::string_view key) {
  std::uint64_t last = 0;
  if (directory == nullptr) return last;
  for (const auto& [name, id] : directory->seen_entries) {
    if (!name.starts_with(stem)) continue;
    std::istringstream lines(state.nodes.at(id).seen.text());
    for (std::string line; std::getline(lines, line);)
      last = std::max(last, fs_store::line_number(line, key).value_or(0));
  }
  return last;
}

/// Whether the view of the Worker is the last line that the catalogs have of it.
bool is_renewed(const DiskState& state, const DiskNode* directory, const std::string& view_path,
                const WorkerId& worker_id) {
  const std::string member = "\"worker_id\":\"" + worker_id.text() + '"';
  std::string newest;
  for (const auto& [name, id] : directory->seen_entries) {
    if (!name.starts_with("catalog.") || fs_store::layout::is_temporary(name)) continue;
    std::istringstream lines(state.nodes.at(id).seen.text());
    for (std::string line; std::getline(lines, line);) {
      const auto lsn = fs_store::line_number(line, "lsn");
      if (line.find(member) < line.find("\"create\"") &&
          (newest.empty() || lsn >= fs_store::line_number(newest, "lsn"))) {
        newest = line;
      }
    }
  }
  const DiskNode* const view = state.find(view_path);
  return newest.empty() || (view != nullptr && view->seen.text() == newest + '\n');
}

bool is_quiet(const DiskState& state, const Runtime& runtime, const SimulatedStore& store) {
  const auto summary = runtime.summary();
  const auto workers = runtime.list_workers();
  if (!summary || !workers) return false;
  if (summary->store->journal_bytes >= store.checkpoint_bytes) return false;
  const DiskNode* const directory = state.find(fs_store::runtime_path(store.runtime_id));
  // Of a log that is trimmed altogether no file may be left.
  if (summary->first_event_id.value <= summary->event_count &&
      last_of(state, directory, "events.", "id") != summary->event_count) {
    return false;
  }
  return std::all_of(
      workers->workers.begin(), workers->workers.end(), [&](const WorkerSummary& worker) {
        const std::string path = fs_store::runtime_path(store.runtime_id) + "/workers/" +
                                 worker.worker_ref.worker_id.text();
        return is_renewed(state, directory, path + "/worker.json", worker.worker_ref.worker_id) &&
               (worker.first_sequence.value > worker.transcript_len ||
                last_of(state, state.find(path), "transcript.", "sequence") ==
                    worker.transcript_len);
      });
}

}  // namespace

bool wait_until_quiet(const SimulatedDisk& disk, const Runtime& runtime,
                      const SimulatedStore& store) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_quiet(disk.state(), runtime, store)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

RuntimeOptions simulated_runtime_options() {
  RuntimeOptions options;
  options.clock = ManualClock().clock();
  return options;
}

Result<Runtime> open_simulated(SimulatedDisk& disk, const SimulatedStore& store) {
  fs_store::StoreOptions options;
  options.runtime_id = store.runtime_id;
  options.create = store.create;
  options.extend_interval = std::chrono::hours(store.logs_follow ? 0 : 1);
  options.checkpoint_interval = std::chrono::hours(1);
  options.checkpoint_bytes = store.checkpoint_bytes;
  options.durability = store.durability;
  options.sync_interval = std::chrono::hours(1);
  options.log_part_bytes = store.log_part_bytes;
  const auto root = disk.root();
  RuntimeId found;
  auto directory = fs_store::open_runtime_directory(*root, options, found);
  if (!directory) return std::move(directory).error();
  auto lock = fs_store::take_store_lock(**directory, found, std::chrono::milliseconds(0));
  if (!lock) return std::move(lock).error();
  if (store.distortion) *directory = store.distortion(std::move(*directory));
  return Runtime::open(
      std::make_unique<fs_store::FsStore>(options, found, std::move(*directory), std::move(*lock),
                                          std::nullopt, store.sizes, store.views_at_a_time),
      simulated_runtime_options());
}

Result<fs_store::RepairReport> repair_simulated(SimulatedDisk& disk) {
  auto directory = disk.root()->directory(fs_store::runtime_path(runtime_id("main")));
  if (!directory) return std::move(directory).error();
  fs_store::RepairOptions options;
  options.mode = fs_store::RepairMode::apply;
  return fs_store::repair_directory(**directory, runtime_id("main"), options);
}

Result<fs_store::VerifyReport> verify_simulated(SimulatedDisk& disk, const RuntimeId& runtime_id) {
  fs_store::StoreOptions options;
  options.runtime_id = runtime_id;
  const auto root = disk.root();
  RuntimeId found;
  auto directory = fs_store::open_runtime_directory(*root, options, found);
  if (!directory) return std::move(directory).error();
  return fs_store::verify_directory(**directory, found, {});
}

}  // namespace worker_runtime::testing
