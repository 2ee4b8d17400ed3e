// What takes how much of the disk: see worker_runtime/fs_store/disk_use.h.
#include "worker_runtime/fs_store/disk_use.h"

#include <algorithm>
#include <utility>

#include "directory_tree.h"
#include "file_system.h"
#include "layout.h"
#include "open.h"

namespace worker_runtime::fs_store {
namespace {

void add(SpaceUse& sum, const SpaceUse& part) {
  sum.files += part.files;
  sum.bytes += part.bytes;
}

class Survey {
 public:
  Survey(FileSystem& file_system, std::stop_token stop)
      : file_system_(file_system), stop_(std::move(stop)) {}

  Result<DiskUse> run() {
    auto entries = file_system_.list("");
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      auto done = entry.name == layout::workers ? add_workers()
                                                : add_all(entry.name, use_at_top(entry.name));
      if (!done) return std::move(done).error();
    }
    std::sort(use_.workers.begin(), use_.workers.end(),
              [](const WorkerSpace& left, const WorkerSpace& right) {
                if (left.bytes() != right.bytes()) return left.bytes() > right.bytes();
                return left.worker_id < right.worker_id;
              });
    auto space = file_system_.space();
    if (!space) return std::move(space).error();
    use_.free_bytes = space->free_bytes;
    return std::move(use_);
  }

 private:
  SpaceUse& use_at_top(std::string_view name) {
    if (name == layout::log_file(layout::events) || layout::parse_log_part(name, layout::events))
      return use_.events;
    if (name == layout::runtime_json || layout::parse_catalog(name)) return use_.catalog;
    if (name == layout::journal) return use_.journal;
    if (name == layout::quarantine) return use_.quarantine;
    return use_.other;
  }

  Result<void> add_all(const std::string& path, SpaceUse& sum) {
    auto kind = file_system_.kind(path);
    if (!kind) return std::move(kind).error();
    auto space = space_of_tree(file_system_, path, kind->value_or(EntryKind::other), stop_);
    if (!space) return std::move(space).error();
    add(sum, *space);
    return {};
  }

  Result<void> add_workers() {
    auto entries = file_system_.list(std::string(layout::workers));
    if (!entries) return std::move(entries).error();
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = std::string(layout::workers) + "/" + entry.name;
      const auto worker_id = layout::parse_worker_directory(entry.name);
      const bool is_worker = entry.kind == EntryKind::directory && worker_id;
      auto done = is_worker ? add_worker(path, *worker_id) : add_all(path, use_.other);
      if (!done) return done;
    }
    return {};
  }

  Result<void> add_worker(const std::string& directory, const WorkerId& worker_id) {
    constexpr std::string_view transcript = "transcript";
    auto entries = file_system_.list(directory);
    if (!entries) return is_missing(entries.error()) ? Result<void>() : std::move(entries).error();
    WorkerSpace worker{worker_id};
    for (const DirectoryEntry& entry : *entries) {
      const bool is_log = entry.name == layout::log_file(transcript) ||
                          layout::parse_log_part(entry.name, transcript);
      auto done = add_all(directory + "/" + entry.name, is_log ? worker.transcript : worker.other);
      if (!done) return done;
    }
    add(use_.transcripts, worker.transcript);
    add(use_.views, worker.other);
    use_.workers.push_back(std::move(worker));
    return {};
  }

  FileSystem& file_system_;
  const std::stop_token stop_;
  DiskUse use_;
};

}  // namespace

SpaceUse DiskUse::total() const {
  SpaceUse sum;
  for (const SpaceUse* const part :
       {&events, &transcripts, &views, &catalog, &journal, &quarantine, &other})
    add(sum, *part);
  return sum;
}

Result<DiskUse> disk_use(const DiskUseOptions& options) {
  RuntimeId runtime_id;
  auto directory = open_existing_directory(options.root, options.runtime_id, runtime_id);
  if (!directory) return std::move(directory).error();
  return Survey(**directory, options.stop).run();
}

}  // namespace worker_runtime::fs_store
