// Escaping of JSON strings.
#include "json_writer.h"

#include <simdjson.h>

#include <algorithm>

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

/// The length of the start of `text` that is written as it is.
std::size_t plain_length(std::string_view text) {
  std::size_t length = 0;
  while (length + 8 <= text.size() && !block_needs_escape(block_at(text.data() + length)))
    length += 8;
  while (length < text.size() && !needs_escape(static_cast<unsigned char>(text[length]))) ++length;
  return length;
}

/// Whether `text` is written as it is, and all of it ASCII: then it need not be looked at as UTF-8.
bool is_plain_ascii(std::string_view text) {
  const auto is_plain = [](std::uint64_t block) {
    return (block & high_bits) == 0 && !block_needs_escape(block);
  };
  if (text.size() < sizeof(std::uint64_t)) {
    return std::all_of(text.begin(), text.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x80 && !needs_escape(byte);
    });
  }
  // The last block overlaps the one before it, so that no bytes are left over.
  const char* const last = text.data() + text.size() - sizeof(std::uint64_t);
  for (const char* bytes = text.data(); bytes < last; bytes += sizeof(std::uint64_t)) {
    if (!is_plain(block_at(bytes))) return false;
  }
  return is_plain(block_at(last));
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
    const std::size_t length = plain_length(text);
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

}  // namespace

void write_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (is_plain_ascii(text)) {
    out += text;
  } else if (simdjson::validate_utf8(text)) {
    write_valid(out, text);
  } else {
    write_with_replacements(out, text);
  }
  out += '"';
}

void append_json_string(std::string& out, std::string_view text) { write_json_string(out, text); }

}  // namespace worker_runtime::fs_store
