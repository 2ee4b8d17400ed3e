// The line format of every file: a checksum in front of the members of one JSON object.
#include "checked_line.h"

#include <isa-l/crc.h>

#include <array>
#include <cassert>
#include <cstring>
#include <limits>

namespace worker_runtime::fs_store {

namespace {

constexpr std::string_view head_start = R"({"crc":")";
constexpr std::string_view head_end = R"(",)";
constexpr std::size_t checksum_digits = 8;
static_assert(head_start.size() + checksum_digits + head_end.size() == line_head_bytes);

void put_checksum(char* digits, std::uint32_t checksum) {
  for (std::size_t i = checksum_digits; i-- > 0; checksum >>= 4U) {
    digits[i] = "0123456789abcdef"[checksum & 0xFU];
  }
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  // ISA-L takes the length as an int; its function is the plain register without the final
  // inversion. It does not write through the pointer.
  constexpr std::size_t chunk_max = std::size_t{1} << 30U;
  std::uint32_t state = ~std::uint32_t{0};
  while (!bytes.empty()) {
    const std::string_view chunk = bytes.substr(0, chunk_max);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(chunk.data()));
    state = crc32_iscsi(data, static_cast<int>(chunk.size()), state);
    bytes.remove_prefix(chunk.size());
  }
  return ~state;
}

std::uint32_t append_checked_line(std::string& out, std::string_view object) {
  assert(object.size() > 2 && object.front() == '{' && object.back() == '}');
  const std::string_view covered = object.substr(1);
  const std::uint32_t checksum = crc32c(covered);
  std::array<char, line_head_bytes> head;
  std::memcpy(head.data(), head_start.data(), head_start.size());
  put_checksum(head.data() + head_start.size(), checksum);
  std::memcpy(head.data() + head_start.size() + checksum_digits, head_end.data(), head_end.size());
  out.reserve(out.size() + head.size() + covered.size() + 1);
  out.append(head.data(), head.size());
  out.append(covered);
  out += '\n';
  return checksum;
}

std::optional<std::uint32_t> check_line(std::string_view line) {
  if (line.size() <= line_head_bytes || line.substr(0, head_start.size()) != head_start ||
      line.substr(head_start.size() + checksum_digits, head_end.size()) != head_end ||
      line.back() != '}') {
    return std::nullopt;
  }
  const auto stored = parse_checksum(line.substr(head_start.size(), checksum_digits));
  if (!stored || *stored != crc32c(line.substr(line_head_bytes))) return std::nullopt;
  return stored;
}

std::optional<std::uint64_t> line_number(std::string_view line, std::string_view key) {
  // {"crc":"9ae0daaf","id":17,
  if (line.size() < line_head_bytes || line.substr(0, head_start.size()) != head_start) {
    return std::nullopt;
  }
  line.remove_prefix(line_head_bytes);
  if (line.size() < key.size() + 3 || line.front() != '"' || line.substr(1, key.size()) != key ||
      line.substr(key.size() + 1, 2) != "\":") {
    return std::nullopt;
  }
  line.remove_prefix(key.size() + 3);
  std::uint64_t number = 0;
  std::size_t digits = 0;
  for (; digits < line.size() && line[digits] >= '0' && line[digits] <= '9'; ++digits) {
    const auto digit = static_cast<std::uint64_t>(line[digits] - '0');
    if (number > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  // Without what ends the number, more digits might follow where the line was cut.
  const bool ended = digits < line.size() && (line[digits] == ',' || line[digits] == '}');
  if (!ended || digits == 0 || (line[0] == '0' && digits > 1)) return std::nullopt;
  return number;
}

std::string checksum_text(std::uint32_t checksum) {
  std::string text(checksum_digits, '0');
  put_checksum(text.data(), checksum);
  return text;
}

std::optional<std::uint32_t> parse_checksum(std::string_view text) {
  if (text.size() != checksum_digits) return std::nullopt;
  std::uint32_t checksum = 0;
  for (const char c : text) {
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint32_t>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    checksum = (checksum << 4U) | digit;
  }
  return checksum;
}

}  // namespace worker_runtime::fs_store
