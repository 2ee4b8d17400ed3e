// The one line format of every file: {"crc":"9ae0daaf",<rest of one JSON object>\n
//
// The checksum is CRC-32C (Castagnoli) as eight lower-case hex digits. It covers the bytes after
// the first comma up to, not with, the newline. So a line is plain JSON for any tool, and no
// flipped bit goes unseen. The number that a file is ordered by stands right behind the checksum:
// `"id":17,`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace worker_runtime::fs_store {

/// {"crc":"9ae0daaf",
inline constexpr std::size_t line_head_bytes = 18;

std::uint32_t crc32c(std::string_view bytes);

/// Appends the checked line, newline included, of a JSON object `{...}` with at least one member.
/// Answers its checksum.
std::uint32_t append_checked_line(std::string& out, std::string_view object);

/// The checksum of a line (without its newline), if it is a checked line that matches; none
/// otherwise.
std::optional<std::uint32_t> check_line(std::string_view line);

/// The number of a line, e.g. of key "id"; none if it does not stand where it must. Reads only the
/// first bytes: the line may be cut behind the number's comma, and need not have been checked.
std::optional<std::uint64_t> line_number(std::string_view line, std::string_view key);

/// A line less the newline that it ends with.
inline std::string_view without_newline(std::string_view line) {
  return line.substr(0, line.size() - 1);
}

/// 8 lower-case hex digits <-> a checksum.
std::string checksum_text(std::uint32_t checksum);
std::optional<std::uint32_t> parse_checksum(std::string_view text);

}  // namespace worker_runtime::fs_store
