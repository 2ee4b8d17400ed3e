// What takes how much of the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

struct SpaceUse {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  ///< The lengths of the files, without what the file system adds.
  bool operator==(const SpaceUse&) const = default;
};

struct WorkerSpace {
  WorkerId worker_id;
  SpaceUse transcript{};
  SpaceUse other{};  ///< worker.json, and whatever else lies in its directory.
  [[nodiscard]] std::uint64_t bytes() const { return transcript.bytes + other.bytes; }
};

/// By what it is for; and by Worker.
struct DiskUse {
  SpaceUse events{};
  SpaceUse transcripts{};
  SpaceUse views{};       ///< worker.json, and whatever else lies in Workers' directories.
  SpaceUse catalog{};     ///< And runtime.json.
  SpaceUse journal{};     ///< Laid-out space included.
  SpaceUse quarantine{};  ///< Deleted by nobody but the operator.
  SpaceUse other{};       ///< What is no part of a store.
  std::vector<WorkerSpace> workers{};  ///< The largest first.
  std::uint64_t free_bytes = 0;        ///< Of the file system.
  [[nodiscard]] SpaceUse total() const;
};

struct DiskUseOptions {
  std::filesystem::path root;
  std::optional<RuntimeId> runtime_id{};
  std::stop_token stop{};
};

/// Looks at every file's length, beside a writer too, and reads none. Errors: those of Reader::open
/// but for damage, which is not looked at; `closed` after a stop request.
Result<DiskUse> disk_use(const DiskUseOptions& options);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
