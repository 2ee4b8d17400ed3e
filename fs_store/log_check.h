// Checking one log line by line: its numbers against each other, its content against its place, and
// both against the records and the journal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

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
  /// what still waits in the journal). `path` is named in findings.
  void check_complete(const std::string& path);

 private:
  [[nodiscard]] LogWatermark end() const;
  void check_content(const std::string& path, const ScannedLine& line, std::uint64_t number,
                     bool above_watermark, Decoder& decoder);
  /// Whether the line belongs where it lies.
  bool check_owner(const std::string& path, const ScannedLine& line, Decoder& decoder);

  const LogExpectations& expected_;
  const WorkerId* const worker_id_;
  Findings& findings_;
  /// First number -> last number of the good run from there on.
  std::map<std::uint64_t, std::uint64_t> runs_;
  std::uint64_t content_bytes_ = 0;
};

}  // namespace worker_runtime::fs_store
