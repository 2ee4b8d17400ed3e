// What is good in the files of one log, wherever it stands: for repair.
//
// A survey reads every file of the log and keeps runs of good lines: where each begins and ends,
// and its numbers. So its memory is that of the damage, not of the log. A number counts once, where
// it is met first, closed parts before the file that is appended to. Lines from elsewhere (the
// journal, or made of what other files know) can be added. What the log should be is then told as
// parts, each of which is right as it is or has to be written anew.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file_system.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

struct NumberRange {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  [[nodiscard]] std::uint64_t count() const { return last + 1 - first; }
};

class LogSurvey {
 public:
  /// Sees each line that checks, with a number that was not met before. Whether it belongs here.
  using Judge = std::function<bool(std::uint64_t number, std::string_view line)>;
  /// Makes a checked line, without its newline, of one that does not check; none if it can't be.
  using Reseal = std::function<std::optional<std::string>(
      const std::string& path, std::uint64_t number_in_file, std::string_view line)>;

  /// `stem` as in layout::log_file(); `key` is "id" or "sequence".
  LogSurvey(std::string stem, std::string_view key) : stem_(std::move(stem)), key_(key) {}

  /// Reads all files of the log. A missing directory has none.
  Result<void> scan(FileSystem& file_system, const Judge& judge, const Reseal& reseal);
  /// A good line from elsewhere, without its newline. Ignored if the number is known.
  void add_line(std::uint64_t number, std::string line);

  [[nodiscard]] bool has(std::uint64_t number) const;
  /// The highest number known; 0 if there is none.
  [[nodiscard]] std::uint64_t last() const;
  /// The numbers up to `last` that are not known.
  [[nodiscard]] std::vector<NumberRange> gaps(std::uint64_t last) const;
  /// Good lines up to number `last`, in order; gaps are passed over.
  Result<void> visit(FileSystem& file_system, NumberRange numbers, const Judge& visitor) const;

  /// A part as it should be.
  struct Part {
    std::string path;
    NumberRange numbers;
    bool is_right = false;  ///< The file holds exactly this.
    bool exists = false;
    std::uint64_t bad_lines = 0;  ///< Bytes that belong to nothing, counted as lines.
    std::uint64_t bytes = 0;      ///< Of the file, if it is right.
  };
  /// The parts of the log if it ends with number `last`; `current_first` is what the records say of
  /// the file that is appended to. Nothing if there is no file and no line.
  [[nodiscard]] std::vector<Part> parts(std::uint64_t last,
                                        std::optional<std::uint64_t> current_first) const;
  /// Files of the log that are none of these parts.
  [[nodiscard]] std::vector<std::string> others(const std::vector<Part>& parts) const;

 private:
  struct Run {
    std::uint64_t last = 0;
    std::size_t file = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  struct ScannedFile {
    std::string path;
    std::optional<std::uint64_t> named;  ///< The first number in a closed part's name.
    std::uint64_t size = 0;
    std::uint64_t bad_lines = 0;
    std::uint64_t first_good = 0;
  };

  Result<void> scan_file(FileSystem& file_system, const Judge& judge, const Reseal& reseal);
  [[nodiscard]] bool is_right(const Part& part, const ScannedFile& file, std::size_t index) const;

  const std::string stem_;
  const std::string_view key_;
  std::vector<ScannedFile> files_;              // in the order of their numbers
  std::map<std::uint64_t, Run> runs_;           // by first number; they don't overlap
  std::map<std::uint64_t, std::string> lines_;  // from elsewhere
};

}  // namespace worker_runtime::fs_store
