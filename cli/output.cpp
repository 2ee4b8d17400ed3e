// Output: see output.h.
#include "output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace worker_runtime::cli {
namespace {

constexpr std::size_t block_bytes = std::size_t{64} << 10U;

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

Output::~Output() { flush(); }

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= block_bytes) flush();
}

void Output::line(std::string_view text) {
  write(text);
  write("\n");
}

bool Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !failed_) {
    const ssize_t put = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      failed_ = true;
      system_error_ = errno;
    } else {
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  buffer_.clear();
  return !failed_;
}

Exit Output::finish(Exit exit) {
  flush();
  // `worker-runtime events | head` is no failure.
  if (!failed_ || system_error_ == EPIPE) return exit;
  std::fprintf(stderr, "worker-runtime: cannot write the output: %s\n",
               std::strerror(system_error_));
  return exit == Exit::done ? Exit::refused : exit;
}

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
    if (error.code() == ErrorCode::store_missing) text += "`worker-runtime init` makes one\n";
    if (error.code() == ErrorCode::store_locked)
      text += "--wait SECONDS waits for it; reading commands need no lock\n";
    if (error.code() == ErrorCode::store_corrupt)
      text += "`worker-runtime verify` lists all that is wrong\n";
  }
  std::fputs(text.c_str(), stderr);
  return exit_of(error.code());
}

void Table::print(Output& output) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t at = 0; at < row.size(); ++at)
      widths[at] = std::max(widths[at], code_points(row[at]));
  }
  bool header = true;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t at = 0; at < row.size(); ++at) {
      line += row[at];
      if (at + 1 < row.size()) line.append(widths[at] - code_points(row[at]) + 2, ' ');
    }
    output.line(header ? styled(line, Style::bold) : line);
    header = false;
  }
}

std::string printable(std::string_view text) {
  std::string safe;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
    const bool high_control =
        byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (byte == '\n') {
      safe += "\\n";
    } else if (byte == '\t') {
      safe += "\\t";
    } else if (byte < 0x20 || byte == 0x7F || high_control) {
      std::array<char, 8> escape{};
      const unsigned value = high_control ? static_cast<unsigned char>(text[++at]) : byte;
      std::snprintf(escape.data(), escape.size(), "\\x%02x", value);
      safe += escape.data();
    } else {
      safe += text[at];
    }
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

std::string styled(std::string_view text, Style style) {
  static const bool colours = ::isatty(STDOUT_FILENO) == 1 &&
                              std::getenv("NO_COLOR") == nullptr;  // NOLINT(concurrency-mt-unsafe)
  constexpr std::array<std::string_view, 5> codes{"", "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[2m"};
  const std::string_view code = codes.at(static_cast<std::size_t>(style));
  if (!colours || code.empty()) return std::string(text);
  return std::string(code).append(text).append("\x1b[0m");
}

bool is_terminal_error() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace worker_runtime::cli
