// What a look at a store gathers: findings with their places, and how much was seen.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "file_system.h"
#include "line_scanner.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::fs_store {

/// Whether the line is whole and matches its checksum.
bool is_checked(const ScannedLine& line);

/// Whom a line or file belongs to that lies elsewhere.
std::string owner_text(const WorkerRef& owner);

class Findings {
 public:
  /// Both outlive it. Paths of findings are relative to the directory of `file_system`.
  Findings(const FileSystem& file_system, const VerifyOptions& options)
      : file_system_(file_system), options_(options) {}

  void saw_file() { ++report_.files; }
  void saw(std::uint64_t bytes);

  void find(Severity severity, std::string code, std::string message, const std::string& path,
            std::optional<std::uint64_t> line = {}, std::optional<std::uint64_t> offset = {});
  /// An error of a reader, which names its place.
  void find(const Error& error);
  void find_at(Severity severity, std::string code, std::string message, const std::string& path,
               const ScannedLine& line);
  /// The line fails is_checked().
  void find_bad_line(const std::string& path, const ScannedLine& line);

  [[nodiscard]] bool stop_requested() const { return options_.stop.stop_requested(); }
  VerifyReport take() { return std::move(report_); }

 private:
  /// Of one code.
  struct Notes {
    std::uint64_t listed = 0;
    std::size_t last = 0;  ///< Where the last one stands that is listed.
  };

  void add(Finding finding);
  void add_note(Finding finding);

  const FileSystem& file_system_;
  const VerifyOptions& options_;
  std::uint64_t next_progress_ = 0;
  std::size_t wrong_ = 0;  ///< Errors and warnings that are listed.
  std::map<std::string, Notes> notes_;
  VerifyReport report_;
};

}  // namespace worker_runtime::fs_store
