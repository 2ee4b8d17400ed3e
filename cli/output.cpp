// Output: see output.h.
#include "output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "streams.h"
#include "suggestion.h"

namespace worker_runtime::cli {
namespace {

constexpr std::size_t flushed_bytes = std::size_t{64} << 10U;

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

/// Bytes of the UTF-8 sequence that `text` begins with; 0 if it begins with none. Overlong forms
/// may pass: they do a terminal no harm.
std::size_t sequence_bytes(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte < 0x80) return 1;
  if (byte < 0xC2 || byte > 0xF4) return 0;
  const std::size_t length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  const auto continues = [](char next) {
    return (static_cast<unsigned char>(next) & 0xC0U) == 0x80U;
  };
  return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length),
                     continues)
             ? length
             : 0;
}

}  // namespace

Output::~Output() { flush(); }

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= flushed_bytes) flush();
}

void Output::line(std::string_view text) {
  write(text);
  write("\n");
}

bool Output::flush() {
  if (system_error_ == 0) system_error_ = write_output(buffer_);
  buffer_.clear();
  return system_error_ == 0;
}

Exit Output::finish(Exit exit) {
  flush();
  // `worker-runtime events | head` is no failure.
  if (system_error_ == 0 || system_error_ == EPIPE) return exit;
  report_output(system_error_);
  return exit == Exit::done ? Exit::refused : exit;
}

void report_output(int system_error) {
  std::fprintf(stderr, "worker-runtime: cannot write the output: %s\n",
               std::generic_category().message(system_error).c_str());
}

namespace {

/// A line about the Worker that was meant, if one is near.
std::string suggestion_for(const Options& options, const Error& error) {
  // The id that nobody has stands at the end of the message.
  constexpr std::string_view before = "there is no worker ";
  if (!error.message().starts_with(before)) return {};
  const std::string nearest = nearest_worker(options, error.message().substr(before.size()));
  return nearest.empty() ? "" : "did you mean " + printable(nearest) + "?\n";
}

}  // namespace

Exit report(const Options& options, const Error& error) {
  std::string text;
  if (options.json) {
    text = "{\"error\":";
    fs_store::append_json(text, error);
    text += "}\n";
  } else {
    text = "worker-runtime: " + std::string(to_string(error.code())) + ": " +
           printable(error.message()) + "\n";
    if (const auto* const ambiguous = error.get<AmbiguousFields>()) {
      text += "runtimes:";
      for (const std::string& runtime : ambiguous->runtimes) text += " " + printable(runtime);
      text += "\nname one with --runtime ID\n";
    }
    if (error.code() == ErrorCode::worker_not_found) text += suggestion_for(options, error);
    if (error.code() == ErrorCode::store_missing) {
      text += error.get<FileFields>() != nullptr
                  ? "`worker-runtime repair --plan` shows what can be mended\n"
                  : "`worker-runtime init` makes one\n";
    }
    if (error.code() == ErrorCode::store_locked)
      text +=
          "most commands that write wait for it with --wait SECONDS; those that read need no "
          "lock\n";
    if (error.code() == ErrorCode::store_corrupt)
      text += "`worker-runtime verify` lists all that is wrong\n";
  }
  std::fputs(text.c_str(), stderr);
  return exit_of(error.code());
}

void Table::print_rows(Output& output) {
  for (const auto& row : rows_) {
    for (std::size_t at = 0; at < row.size(); ++at)
      widths_[at] = std::max(widths_[at], code_points(row[at]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t at = 0; at < row.size(); ++at) {
      line += row[at];
      if (at + 1 < row.size()) line.append(widths_[at] - code_points(row[at]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    output.line(header_printed_ ? line : styled(line, Style::bold));
    header_printed_ = true;
  }
  rows_.clear();
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view more) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : more);
}

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t length = sequence_bytes(text);
    // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
    const bool high_control =
        length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    if (byte == '\n') {
      safe += "\\n";
    } else if (byte == '\t') {
      safe += "\\t";
    } else if (length == 0 || byte < 0x20 || byte == 0x7F || high_control) {
      const unsigned value = high_control ? static_cast<unsigned char>(text[1]) : byte;
      constexpr std::string_view digits = "0123456789abcdef";
      safe += "\\x";
      safe += digits[value >> 4U];
      safe += digits[value & 0xFU];
    } else {
      safe += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return safe;
}

std::string excerpt(std::string_view text, std::size_t columns) {
  // Four bytes are the most that a code point has: no need to look at a whole long text.
  std::string safe = printable(text.substr(0, columns * 4 + 4));
  std::size_t end = 0;
  for (std::size_t count = 0; end < safe.size(); ++end) {
    if ((static_cast<unsigned char>(safe[end]) & 0xC0U) == 0x80U) continue;
    if (count++ == columns) break;
  }
  if (end == safe.size() && text.size() <= columns * 4 + 4) return safe;
  return safe.substr(0, end) + "…";
}

bool is_terminal_output() {
  // A pager takes the place of the terminal later.
  static const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  return is_terminal;
}

std::string time_text(const Options& options, Timestamp at) {
  constexpr std::int64_t second = 1'000'000;
  constexpr std::int64_t minute = 60 * second;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  const std::int64_t passed = system_clock()().microseconds - at.microseconds;
  // What lies ahead is for who knows why; what is long ago, for the calendar.
  if (options.utc || !is_terminal_output() || passed < 0 || passed >= 30 * day)
    return to_string(at);
  if (passed < minute) return std::to_string(passed / second) + " s ago";
  if (passed < hour) return std::to_string(passed / minute) + " min ago";
  if (passed < day) return std::to_string(passed / hour) + " h ago";
  return std::to_string(passed / day) + " d ago";
}

bool is_terminal_error() { return ::isatty(STDERR_FILENO) == 1; }

std::string styled(std::string_view text, Style style) {
  static const bool colours =
      is_terminal_output() && std::getenv("NO_COLOR") == nullptr;  // NOLINT(concurrency-mt-unsafe)
  constexpr std::array<std::string_view, 5> codes{"", "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[2m"};
  const std::string_view code = codes.at(static_cast<std::size_t>(style));
  if (!colours || code.empty()) return std::string(text);
  return std::string(code).append(text).append("\x1b[0m");
}

Table event_table() { return Table({"ID", "AT", "KIND", "WORKER", "MESSAGE"}); }

void add_row(Table& table, const Event& event, std::string at, std::size_t message_columns) {
  table.add({std::to_string(event.id.value), std::move(at),
             event.kind == EventKind::unknown ? printable(event.unknown_kind)
                                              : std::string(to_string(event.kind)),
             event.worker_ref ? printable(event.worker_ref->worker_id.text()) : "-",
             excerpt(event.message, message_columns)});
}

std::string redaction_of(const TranscriptEntry& entry) {
  return "[redacted: " + std::to_string(entry.redacted) + " bytes]";
}

}  // namespace worker_runtime::cli
