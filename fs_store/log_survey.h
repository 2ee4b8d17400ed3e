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

#include "codec.h"
#include "file_system.h"
#include "line_scanner.h"
#include "worker_runtime/result.h"

namespace worker_runtime::fs_store {

struct NumberRange {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  [[nodiscard]] std::uint64_t count() const { return last + 1 - first; }
};

class LogSurvey {
 public:
  /// Whether a line belongs to the log; one that a power cut may have left without its commit does
  /// not, but is no damage.
  enum class Verdict : std::uint8_t { belongs, is_foreign, is_uncommitted };
  /// Sees each line that checks, with a number that was not met before.
  using Judge = std::function<Verdict(std::uint64_t number, std::string_view line)>;
  /// Sees good lines in order. False: enough.
  using Visitor = std::function<bool(std::uint64_t number, std::string_view line)>;
  /// Makes a checked line, without its newline, of one that does not check; none if it can't be.
  using Reseal = std::function<std::optional<std::string>(
      const std::string& path, std::uint64_t number_in_file, std::string_view line)>;

  /// `stem` as in layout::log_file(); `key` is "id" or "sequence".
  LogSurvey(std::string stem, std::string_view key) : stem_(std::move(stem)), key_(key) {}

  /// What the records say of the log.
  struct Recorded {
    LogWatermark end;
    std::uint64_t first_kept = 1;
    /// By number, without newlines: what is good in the place of a line, whatever a crash has left
    /// there of both. The file has to be written anew with it.
    std::map<std::uint64_t, std::string> redacted;
  };
  /// Reads all files of the log. A missing directory has none.
  Result<void> scan(FileSystem& file_system, Recorded recorded, const Judge& judge,
                    const Reseal& reseal);
  /// Whether the log has all up to the end that scan() was told, as it should be, and what stands
  /// behind is no more than a crash may leave.
  [[nodiscard]] bool is_healthy() const { return is_healthy_; }
  /// A good line from elsewhere, without its newline. Ignored if the number is known.
  void add_line(std::uint64_t number, std::string line);

  /// What is below is trimmed, and missed by nobody: the log begins with the part that has
  /// `first_kept`. (scan() calls it.)
  void trim(std::uint64_t first_kept);
  /// The first number that a file begins with; 1 if there is none. Where no record tells what was
  /// trimmed, that is what is kept.
  [[nodiscard]] std::uint64_t first_of_files() const;

  [[nodiscard]] bool has(std::uint64_t number) const;
  /// The highest number known; 0 if there is none.
  [[nodiscard]] std::uint64_t last() const;
  /// The numbers up to `last` that are not known.
  [[nodiscard]] std::vector<NumberRange> gaps(std::uint64_t last) const;
  /// Good lines up to number `last`, in order; gaps are passed over.
  Result<void> visit(FileSystem& file_system, NumberRange numbers, const Visitor& visitor) const;

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
  [[nodiscard]] std::vector<Part> parts(std::uint64_t last, std::uint64_t current_first) const;
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
    std::optional<std::uint64_t> named = {};  ///< The first number in a closed part's name.
    std::uint64_t size = 0;
    std::uint64_t bad_lines = 0;
    std::uint64_t first_good = 0;
  };

  Result<void> scan_file(FileSystem& file_system, std::uint64_t end_number, const Judge& judge,
                         const Reseal& reseal);
  [[nodiscard]] const std::string* redacted(const ScannedLine& line) const;
  [[nodiscard]] bool is_right(const Part& part, const ScannedFile& file, std::size_t index) const;
  [[nodiscard]] bool is_whole_up_to(const LogWatermark& end) const;

  const std::string stem_;
  const std::string_view key_;
  std::vector<ScannedFile> files_;  // in the order of their numbers
  LogWatermark recorded_end_;
  std::uint64_t begin_ = 1;                     // the first number that should be there
  std::map<std::uint64_t, Run> runs_;           // by first number; they don't overlap
  std::map<std::uint64_t, std::string> lines_;  // from elsewhere
  std::map<std::uint64_t, std::string> redacted_;
  bool has_strays_ = false;                  // lines that check, and are known or foreign
  bool is_out_of_order_ = false;             // good lines with a gap between them
  std::optional<std::uint64_t> end_offset_;  // behind the last line of the end that was told
  bool is_healthy_ = false;
};

}  // namespace worker_runtime::fs_store
