// Checked lines, and the scan of a file into lines.
//   - a line that checks is the one that its object makes, and its checksum is that of a
//   table-driven CRC-32C;
//   - any flipped bit is found;
//   - a number that stands in a line stands there too where the line is cut behind it;
//   - the lines of a file are those between its newlines, wherever reading begins and ends.
#include "checked_line.h"

#include <algorithm>
#include <array>

#include "line_scanner.h"
#include "support/fs_store/memory_file.h"
#include "support/target.h"

namespace worker_runtime::fuzz::checked_line {
namespace {

using fs_store::MemoryFile;

std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

void check_line_itself(std::string_view line) {
  for (const std::string_view key : {"id", "sequence", "lsn"}) {
    const auto number = fs_store::line_number(line, key);
    if (!number) continue;
    const std::string start =
        std::string(line.substr(0, fs_store::line_head_bytes)).append("\"").append(key) +
        "\":" + std::to_string(*number);
    require(line.starts_with(start), "a number stands where it was read");
    require(fs_store::line_number(line.substr(0, start.size() + 1), key) == number,
            "a number is found in a line that is cut behind it");
  }
  const auto checksum = fs_store::check_line(line);
  if (!checksum) return;
  std::string again;
  const std::string object = "{" + std::string(line.substr(fs_store::line_head_bytes));
  require(fs_store::append_checked_line(again, object) == *checksum &&
              again.size() == line.size() + 1 && again.starts_with(line),
          "a line that checks is the one that its object makes");
  require(slow_crc32c(line.substr(fs_store::line_head_bytes)) == *checksum,
          "the checksum is CRC-32C");
  require(fs_store::parse_checksum(fs_store::checksum_text(*checksum)) == checksum,
          "a checksum is read as it is written");
}

void check_flips(std::string_view input) {
  if (input.size() < 3 || input.size() > 200) return;
  const std::string object = "{" + std::string(input) + "}";
  std::string line;
  fs_store::append_checked_line(line, object);
  line.pop_back();
  require(fs_store::check_line(line).has_value(), "a line that was made checks");
  const std::size_t at = static_cast<std::uint8_t>(input[0]) % line.size();
  line[at] = static_cast<char>(line[at] ^ (1 << (input[1] & 7)));
  require(!fs_store::check_line(line), "a flipped bit is found");
}

void check_lines(std::string_view bytes, std::size_t from, std::size_t end) {
  const MemoryFile file{std::string(bytes)};
  from = std::min(from, bytes.size());
  const std::string_view seen = bytes.substr(from, end > from ? end - from : 0);
  fs_store::LineScanner scanner(file, from, end);
  std::size_t at = 0;
  std::uint64_t number = 0;
  while (at < seen.size()) {
    const std::size_t newline = seen.find('\n', at);
    const std::size_t length =
        newline == std::string_view::npos ? seen.size() - at : newline + 1 - at;
    const auto line = scanner.next();
    require(line && *line, "no line is left out");
    require((*line)->number == ++number && (*line)->offset == from + at &&
                (*line)->length == length &&
                (*line)->has_newline == (newline != std::string_view::npos) &&
                (*line)->text == seen.substr(at, length - ((*line)->has_newline ? 1 : 0)),
            "a line is what stands between two newlines");
    at += length;
  }
  const auto behind = scanner.next();
  require(behind && !*behind, "nothing comes behind the last line");
}

void check(std::string_view input) {
  check_line_itself(input);
  check_line_itself(input.substr(0, input.find('\n')));
  check_flips(input);
  check_lines(input, 0, SIZE_MAX);
  if (input.size() > 2) {
    const std::size_t from = static_cast<std::uint8_t>(input[0]);
    check_lines(input, from, from + static_cast<std::uint8_t>(input[1]));
  }
}

const Target target("checked_line", check);

}  // namespace
}  // namespace worker_runtime::fuzz::checked_line
