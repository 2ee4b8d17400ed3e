// Paths of a store: see layout.h.
#include "layout.h"

#include <charconv>
#include <random>

namespace worker_runtime::fs_store::layout {
namespace {

constexpr std::string_view reserve_prefix = "reserve.";
constexpr std::string_view upper_hex = "0123456789ABCDEF";
constexpr std::string_view temporary_suffix = ".tmp";

bool is_plain(char byte, bool first) {
  return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || (byte == '.' && !first);
}

std::string hex16(std::uint64_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t place = 16; place > 0 && number != 0; number >>= 4U)
    text[--place] = digits[number & 15U];
  return text;
}

std::optional<std::uint64_t> parse_hex16(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (problem != std::errc() || end != text.data() + text.size() || hex16(number) != text)
    return std::nullopt;
  return number;
}

/// The 16 hex digits between `head` and ".jsonl".
std::optional<std::uint64_t> parse_numbered(std::string_view name, std::string_view head) {
  constexpr std::string_view tail = ".jsonl";
  if (name.size() != head.size() + 16 + tail.size() || !name.starts_with(head) ||
      !name.ends_with(tail)) {
    return std::nullopt;
  }
  return parse_hex16(name.substr(head.size(), 16));
}

std::string join(std::string_view first, std::string_view second) {
  return std::string(first).append("/").append(second);
}

/// Process ids repeat in containers, so names are drawn; whoever makes the file insists that it is
/// new.
std::uint64_t drawn_number() {
  std::random_device random;
  return (std::uint64_t{random()} << 32U) ^ random();
}

}  // namespace

std::string encode_id(std::string_view id) {
  std::string name;
  name.reserve(id.size());
  for (const char byte : id) {
    if (is_plain(byte, name.empty())) {
      name += byte;
    } else {
      const auto value = static_cast<unsigned char>(byte);
      name += '%';
      name += upper_hex[value >> 4U];
      name += upper_hex[value & 15U];
    }
  }
  return name;
}

std::optional<std::string> decode_id(std::string_view name) {
  std::string id;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (name[at] != '%') {
      id += name[at];
      continue;
    }
    if (at + 2 >= name.size()) return std::nullopt;
    const std::size_t high = upper_hex.find(name[at + 1]);
    const std::size_t low = upper_hex.find(name[at + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    id += static_cast<char>(high * 16 + low);
    at += 2;
  }
  // One id, one name: "%41" is not another way to write "A".
  if (id.empty() || encode_id(id) != name) return std::nullopt;
  return id;
}

std::string runtime_directory(const RuntimeId& runtime_id) {
  return join(runtimes, encode_id(runtime_id.text()));
}

std::string unfinished_runtime(const RuntimeId& runtime_id) {
  return join(runtimes, temporary("." + encode_id(runtime_id.text())));
}

std::string catalog(Lsn lsn) { return "catalog." + hex16(lsn.value) + ".jsonl"; }

std::optional<Lsn> parse_catalog(std::string_view name) {
  const auto number = parse_numbered(name, "catalog.");
  return number ? std::optional(Lsn{*number}) : std::nullopt;
}

std::string segment(Lsn first_lsn) { return join(journal, hex16(first_lsn.value)) + ".jsonl"; }

std::optional<Lsn> parse_segment(std::string_view name) {
  const auto number = parse_numbered(name, "");
  return number ? std::optional(Lsn{*number}) : std::nullopt;
}

std::string reserve(std::size_t index) {
  return join(journal, reserve_prefix) + std::to_string(index);
}

bool is_reserve(std::string_view name) {
  return name.size() == reserve_prefix.size() + 1 && name.starts_with(reserve_prefix) &&
         name.back() >= '0' && name.back() <= '9';
}

std::string worker_directory(const WorkerId& worker_id) {
  return join(workers, encode_id(worker_id.text()));
}
std::optional<WorkerId> parse_worker_directory(std::string_view name) {
  const auto text = decode_id(name);
  if (!text) return std::nullopt;
  auto worker_id = WorkerId::parse(*text);
  return worker_id ? std::optional(*std::move(worker_id)) : std::nullopt;
}

std::string worker_json(const WorkerId& worker_id) {
  return worker_directory(worker_id) + "/worker.json";
}
std::string transcript(const WorkerId& worker_id) {
  return worker_directory(worker_id) + "/transcript";
}

std::string log_file(std::string_view stem) { return std::string(stem) + ".jsonl"; }

std::string log_part(std::string_view stem, std::uint64_t first) {
  return std::string(stem) + "." + hex16(first) + ".jsonl";
}

std::optional<std::uint64_t> parse_log_part(std::string_view name, std::string_view stem_name) {
  return parse_numbered(name, std::string(stem_name) + ".");
}

std::string quarantined(std::string_view name, std::uint64_t offset) {
  return join(quarantine, name) + "." + hex16(offset) + "." + hex16(drawn_number());
}

std::string drawn_name() { return hex16(drawn_number()); }

std::string temporary(std::string_view path) {
  return std::string(path) + "." + drawn_name() + std::string(temporary_suffix);
}

bool is_temporary(std::string_view name) {
  constexpr std::size_t drawn_size = 16;
  if (!name.ends_with(temporary_suffix)) return false;
  name.remove_suffix(temporary_suffix.size());
  if (name.size() < drawn_size + 2) return false;
  return name[name.size() - drawn_size - 1] == '.' &&
         parse_hex16(name.substr(name.size() - drawn_size)).has_value();
}

}  // namespace worker_runtime::fs_store::layout
