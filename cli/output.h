// Output: JSON lines for programs, tables for people, errors for both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/result.h"

namespace worker_runtime::cli {

/// Standard output, in blocks. A reader that went away ends the output quietly; any other failure
/// is told.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  void write(std::string_view text);
  void line(std::string_view text);
  template <typename Value>
  void json(const Value& value) {
    std::string text;
    fs_store::append_json(text, value);
    line(text);
  }
  /// False once nothing more can be written.
  bool flush();
  /// What the output means for the end of the run: `exit`, or refused if it could not be written.
  Exit finish(Exit exit);
  [[nodiscard]] bool is_broken() const { return system_error_ != 0; }

 private:
  std::string buffer_;
  int system_error_ = 0;
};

/// Prints the error on standard error, as JSON or for people, and answers the exit code it means.
Exit report(const Options& options, const Error& error);

/// Says that standard output could not be written, and why.
void report_output(int system_error);

/// A table with a header, printed page by page: columns as wide as their widest cell so far, the
/// last one open.
class Table {
 public:
  explicit Table(std::vector<std::string> header)
      : rows_{std::move(header)}, widths_(rows_.front().size()) {}
  /// As many cells as the header has.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// Prints what was added since the last time, and the header the first time.
  void print_rows(Output& output);

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
  bool header_printed_ = false;
};

/// "1 entry", "2 entries".
std::string counted(std::uint64_t count, std::string_view one, std::string_view more);

/// One line of text that is safe on a terminal: control characters, and bytes that are no valid
/// UTF-8, are shown as escapes.
std::string printable(std::string_view text);
/// The same, cut to `columns` code points.
std::string excerpt(std::string_view text, std::size_t columns);

/// Whether people look at standard output; as it was when the program began.
bool is_terminal_output();

/// A time as it reads best: on a terminal how long ago it was, "5 min ago"; else, and with --utc,
/// as it is, in UTC.
std::string time_text(const Options& options, Timestamp at);

/// The columns of a table of events, and the row of one.
Table event_table();
void add_row(Table& table, const Event& event, std::string at, std::size_t message_columns);

/// Whether standard error is a terminal.
bool is_terminal_error();

enum class Style : std::uint8_t { plain, bold, good, bad, faint };
/// With colour only on a terminal and without NO_COLOR.
std::string styled(std::string_view text, Style style);

/// "[redacted: 12 bytes]": what is shown in the place of a content that is not there any more.
std::string redaction_of(const TranscriptEntry& entry);

}  // namespace worker_runtime::cli
