// What recovery and repair moved aside, and the end of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

struct QuarantinedFile {
  std::string
      path;  ///< Relative to the root. A manifest says where the bytes of a repair came from.
  std::uint64_t bytes = 0;  ///< Of a directory, of all below it.
  bool operator==(const QuarantinedFile&) const = default;
};

struct QuarantineReport {
  std::vector<QuarantinedFile> files{};  ///< By name.
  bool purged = false;                   ///< They are gone.
  [[nodiscard]] std::uint64_t bytes() const;
};

struct QuarantineOptions {
  std::filesystem::path root;
  std::optional<RuntimeId> runtime_id{};
};

/// What lies in quarantine/, beside a writer too. Errors: those of Reader::open but for damage.
Result<QuarantineReport> list_quarantine(const QuarantineOptions& options);

/// Deletes it, for good and durably, and answers what it was: nobody else ever does. Beside a
/// writer too, but not beside one that is still opening or repairing, which may rely on what it has
/// just moved there: `store_locked`. A purge that was cut off, or fails (`store_io`), leaves some
/// of it; do it again.
Result<QuarantineReport> purge_quarantine(const QuarantineOptions& options);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
