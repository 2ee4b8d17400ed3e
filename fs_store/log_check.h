// Checking one log line by line: its numbers against each other, its content against its place, and
// both against the records and the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec.h"
#include "findings.h"
#include "logs.h"
#include "worker_runtime/ids.h"
#include "worker_runtime/result.h"
#include "worker_runtime/store.h"

namespace worker_runtime::fs_store {

/// What a log is checked against.
struct LogExpectations {
  const RuntimeId& runtime_id;
  const Logs& logs;    ///< As loaded: watermarks, and what the journal has behind them.
  const State* state;  ///< Null: the records are in doubt.
  bool live = false;   ///< A writer may be at the files.
  /// A power cut may have kept lines and lost their commits: the mode was not Durability::sync.
  bool may_lack_commits = false;
  /// Beside a writer, the first line that is kept by now: it may have removed parts since `logs`
  /// was loaded.
  std::function<std::uint64_t(const WorkerId* worker_id)> first_kept_now = {};
};

class LogCheck {
 public:
  /// Null id: the event log. All but `decoder` is kept and outlives it.
  LogCheck(const LogExpectations& expected, const WorkerId* worker_id, Findings& findings)
      : expected_(expected), worker_id_(worker_id), findings_(findings) {}

  /// `part` is the first number of a closed part, none of the file that is appended to.
  Result<void> check_file(const File& file, const std::string& path,
                          std::optional<std::uint64_t> part, Decoder& decoder);
  /// After all files: their runs of good numbers must meet, and reach what the records say (less
  /// what still waits in the journal).
  Result<void> check_complete(FileSystem& file_system, Decoder& decoder);

 private:
  [[nodiscard]] LogWatermark end() const;
  void tell_trimmed(const std::string& path);
  /// A writer may have closed parts since the directory was listed: lines that are missing are
  /// looked for in those that are new.
  Result<void> check_parts_closed_since(FileSystem& file_system, Decoder& decoder);
  void check_content(const std::string& path, const ScannedLine& line, std::uint64_t number,
                     bool above_watermark, Decoder& decoder);
  /// The line, or what takes its place if a crash has torn that.
  [[nodiscard]] ScannedLine as_redacted(const ScannedLine& line, std::uint64_t expected) const;
  /// The last line below the watermark must end there: readers look no further.
  void check_length(const std::string& path, const ScannedLine& line, std::uint64_t number,
                    std::uint64_t durable_bytes);
  /// Whether the line belongs where it lies.
  bool check_owner(const std::string& path, const ScannedLine& line, Decoder& decoder);

  /// The run of good numbers in a file, and the file.
  struct GoodRun {
    std::uint64_t last = 0;
    std::string path;
  };
  /// Numbers that are missing, and the file where they should be.
  struct Gap {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::string path;
  };
  [[nodiscard]] std::vector<Gap> gaps() const;
  [[nodiscard]] bool is_trimmed(const GoodRun& run) const;
  [[nodiscard]] std::uint64_t last_of_unbroken() const;
  [[nodiscard]] std::string stem() const;

  const LogExpectations& expected_;
  const WorkerId* const worker_id_;
  Findings& findings_;
  std::map<std::uint64_t, GoodRun> runs_;  // by the first number
  std::uint64_t content_bytes_ = 0;
  std::map<std::uint64_t, LinePointer> redacted_;
};

}  // namespace worker_runtime::fs_store
