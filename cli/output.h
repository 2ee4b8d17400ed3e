// Output: JSON lines for programs, tables for people, errors for both.
#pragma once

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
  [[nodiscard]] bool is_broken() const { return failed_; }

 private:
  std::string buffer_;
  bool failed_ = false;
  int system_error_ = 0;
};

/// Prints the error on standard error, as JSON or for people, and answers the exit code it means.
Exit report(const Options& options, const Error& error);

/// A table with a header; columns as wide as their widest cell, the last one open.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  void print(Output& output) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// One line of text that is safe on a terminal: control characters are shown as escapes.
std::string printable(std::string_view text);
/// The same, cut to `columns` code points.
std::string excerpt(std::string_view text, std::size_t columns);

enum class Style : std::uint8_t { plain, bold, good, bad, faint };
/// With colour only on a terminal and without NO_COLOR.
std::string styled(std::string_view text, Style style);

bool is_terminal_error();

}  // namespace worker_runtime::cli
