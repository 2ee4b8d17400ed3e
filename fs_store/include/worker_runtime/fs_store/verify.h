// Checking every byte of a store that may be in use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "worker_runtime/history.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

/// Something that verify saw. `error` is damage; `warning` a thing that does not belong or that a
/// writer will make anew; `info` a note, such as a torn tail that the next open moves aside.
struct Finding {
  Severity severity = Severity::error;
  std::string code;  ///< Snake case, e.g. "checksum_mismatch".
  std::string message;
  std::string path;  ///< Relative to the root.
  std::optional<std::uint64_t> line{};
  std::optional<std::uint64_t> offset{};
  /// Notes of the same code that are not listed, of the last one that is: a crash may leave one for
  /// each Worker.
  std::uint64_t alike = 0;
  bool operator==(const Finding&) const = default;
};

struct VerifyReport {
  std::vector<Finding>
      findings{};  ///< At most ten notes of a code, and no more of the rest than findings_max.
  bool truncated = false;  ///< There were more errors or warnings than findings_max.
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  /// True if nothing is wrong: notes don't count, a missing or damaged view (worker.json) does.
  [[nodiscard]] bool clean() const;
};

struct VerifyOptions {
  std::filesystem::path root;
  std::optional<RuntimeId> runtime_id{};
  std::size_t findings_max = 10'000;  ///< Errors and warnings that are listed.
  std::stop_token stop{};
  /// Called now and then, by the calling thread, with the bytes checked so far.
  std::function<void(std::uint64_t done)> progress{};
};

/// Reads every file once, in bounded memory, beside a writer if there is one: then it requires
/// everything up to the LSN that was durable when it began. Errors: those of Reader::open except
/// damage, which is a finding.
Result<VerifyReport> verify(const VerifyOptions& options);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
