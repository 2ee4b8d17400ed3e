// A log of checked lines in memory, made by a test, and what pages of it must be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checked_line.h"
#include "log_file.h"

namespace worker_runtime::fs_store {

inline constexpr Direction up = Direction::oldest_first;
inline constexpr Direction down = Direction::newest_first;

/// A checked line with its newline: {"crc":"...","<key>":<number>,"text":"xxx..."}, at least
/// `bytes` long.
inline std::string numbered_line(std::string_view key, std::uint64_t number,
                                 std::size_t bytes = 0) {
  std::string object = "{\"" + std::string(key) + "\":" + std::to_string(number) + ",\"text\":\"";
  const std::size_t others = line_head_bytes - 1 + object.size() + 3;
  object.append(bytes > others ? bytes - others : 0, static_cast<char>('a' + number % 26));
  object += "\"}";
  std::string line;
  append_checked_line(line, object);
  return line;
}

struct LineLog {
  explicit LineLog(std::uint64_t first_number = 1) : first(first_number) {}

  void add(std::size_t bytes) { lines.push_back(numbered_line("id", last() + 1, bytes)); }
  [[nodiscard]] std::uint64_t last() const { return first + lines.size() - 1; }
  [[nodiscard]] const std::string& line(std::uint64_t number) const {
    return lines[number - first];
  }
  [[nodiscard]] std::uint64_t offset(std::uint64_t number) const {
    std::uint64_t offset = 0;
    for (std::uint64_t at = first; at < number; ++at) offset += line(at).size();
    return offset;
  }
  [[nodiscard]] std::string bytes() const {
    std::string bytes;
    for (const std::string& line : lines) bytes += line;
    return bytes;
  }
  [[nodiscard]] Extent extent() const { return {first, last(), offset(last() + 1)}; }

  std::uint64_t first;
  std::vector<std::string> lines;
};

inline LineLog log_of(std::uint64_t count, std::size_t bytes, std::uint64_t first = 1) {
  LineLog log(first);
  for (std::uint64_t at = 0; at < count; ++at) log.add(bytes);
  return log;
}

}  // namespace worker_runtime::fs_store
