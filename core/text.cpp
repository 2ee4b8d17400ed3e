// UTF-8, white space and control characters: see text.h.
#include "worker_runtime/text.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace worker_runtime {
namespace {

/// Length of the well-formed sequence at the start of `text`, 0 if there is none. Table 3-7 of the
/// Unicode Standard: the second byte's range depends on the first.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto continues = [&](std::size_t at, unsigned low = 0x80, unsigned high = 0xBF) {
    return at < text.size() && byte(at) >= low && byte(at) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first > 0xF4) return 0;
  const unsigned low = first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
  return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
}

/// The code point of a well-formed sequence.
char32_t decode(std::string_view sequence) {
  const auto bits = [&](std::size_t at, unsigned mask) {
    return static_cast<char32_t>(static_cast<unsigned char>(sequence[at]) & mask);
  };
  switch (sequence.size()) {
    case 1:
      return bits(0, 0x7F);
    case 2:
      return bits(0, 0x1F) << 6U | bits(1, 0x3F);
    case 3:
      return bits(0, 0x0F) << 12U | bits(1, 0x3F) << 6U | bits(2, 0x3F);
    default:
      return bits(0, 0x07) << 18U | bits(1, 0x3F) << 12U | bits(2, 0x3F) << 6U | bits(3, 0x3F);
  }
}

/// The 25 code points of the property White_Space.
bool is_white_space(char32_t point) {
  return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 || point == 0xA0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
         point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

bool is_control(char32_t point) { return point <= 0x1F || (point >= 0x7F && point <= 0x9F); }

/// Calls `visit` with each code point of valid UTF-8 until it answers false.
template <typename Visit>
void each_point(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0 || !visit(decode(text.substr(0, length)))) return;
    text.remove_prefix(length);
  }
}

template <std::size_t bytes>
bool is_ascii(const char* text) {
  std::array<std::uint64_t, bytes / 8> words{};
  std::memcpy(words.data(), text, bytes);
  std::uint64_t all = 0;
  for (const std::uint64_t word : words) all |= word;
  return (all & 0x8080808080808080U) == 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    // Blocks that are ASCII at a time: most text is.
    while (text.size() >= 32 && is_ascii<32>(text.data())) text.remove_prefix(32);
    while (text.size() >= 8 && is_ascii<8>(text.data())) text.remove_prefix(8);
    if (text.empty()) return true;
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_blank(std::string_view text) {
  bool blank = true;
  each_point(text, [&](char32_t point) { return blank = is_white_space(point); });
  return blank;
}

bool has_control(std::string_view text) {
  bool found = false;
  each_point(text, [&](char32_t point) { return !(found = is_control(point)); });
  return found;
}

bool has_outer_white_space(std::string_view text) {
  if (text.empty()) return false;
  if (is_white_space(decode(text.substr(0, sequence_length(text))))) return true;
  std::size_t last = text.size() - 1;
  while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0U) == 0x80U) --last;
  return is_white_space(decode(text.substr(last)));
}

}  // namespace worker_runtime
