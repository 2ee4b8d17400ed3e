// Escaping of JSON strings.
#include "json_writer.h"

#include <simdjson.h>

#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {

namespace {

bool needs_escape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

constexpr std::uint64_t high_bits = 0x8080808080808080U;

std::uint64_t block_at(const char* bytes) {
  std::uint64_t block = 0;
  std::memcpy(&block, bytes, sizeof block);
  return block;
}

/// True if one of the eight bytes needs an escape.
bool block_needs_escape(std::uint64_t block) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  // A byte that equals c is zero in block ^ c; taking 1 from a zero byte borrows into its high bit.
  const std::uint64_t quote = block ^ (ones * '"');
  const std::uint64_t backslash = block ^ (ones * '\\');
  const std::uint64_t found = ((block - ones * 0x20) & ~block) | ((quote - ones) & ~quote) |
                              ((backslash - ones) & ~backslash);
  return (found & high_bits) != 0;
}

/// The length of the start of `text` that is written as it is; with `refused` high_bits, it is
/// ASCII.
std::size_t plain_length(std::string_view text, std::uint64_t refused) {
  const auto is_plain_block = [&](std::uint64_t block) {
    return (block & refused) == 0 && !block_needs_escape(block);
  };
  const auto is_plain_byte = [&](unsigned char byte) {
    return (byte & refused) == 0 && !needs_escape(byte);
  };
  std::size_t length = 0;
  while (length + 8 <= text.size() && is_plain_block(block_at(text.data() + length))) length += 8;
  // What is less than a block is looked at as one that overlaps the block before it.
  if (length > 0 && length + 8 > text.size() &&
      is_plain_block(block_at(text.data() + text.size() - 8))) {
    return text.size();
  }
  while (length < text.size() && is_plain_byte(static_cast<unsigned char>(text[length]))) ++length;
  return length;
}

void write_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += "0123456789abcdef"[c >> 4U];
      out += "0123456789abcdef"[c & 0xFU];
  }
}

void write_valid(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t length = plain_length(text, 0);
    out.append(text.data(), length);
    if (length == text.size()) return;
    write_escape(out, static_cast<unsigned char>(text[length]));
    text.remove_prefix(length + 1);
  }
}

/// The length of the well-formed sequence that `text` begins with; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length > text.size() || !simdjson::validate_utf8(text.data(), length)) return 0;
  return length;
}

void write_with_replacements(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      write_valid(out, text.substr(0, length));
      text.remove_prefix(length);
    }
  }
}

void write_any(std::string& out, std::string_view text) {
  if (simdjson::validate_utf8(text)) {
    write_valid(out, text);
  } else {
    write_with_replacements(out, text);
  }
}

}  // namespace

void write_json_string(std::string& out, std::string_view text) {
  out += '"';
  // Most text is ASCII, and need not be looked at as UTF-8.
  const std::size_t ascii = plain_length(text, high_bits);
  out += text.substr(0, ascii);
  text.remove_prefix(ascii);
  if (!text.empty()) write_any(out, text);
  out += '"';
}

void append_json_string(std::string& out, std::string_view text) { write_json_string(out, text); }

}  // namespace worker_runtime::fs_store
