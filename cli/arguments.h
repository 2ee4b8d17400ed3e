// What is written on the line as values, and the checks of it.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker_runtime/time.h"

namespace worker_runtime::cli {

/// The two sides of NAME=TEXT. None without an equals sign.
struct Assignment {
  std::string name;
  std::string value;
};
inline std::optional<Assignment> split_assignment(const std::string& text, std::size_t equals) {
  if (equals == std::string::npos) return std::nullopt;
  return Assignment{text.substr(0, equals), text.substr(equals + 1)};
}

inline std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return {};
  return value;
}

/// NAME=N, split at the last equals sign: names may hold one.
struct NumberAssignment {
  std::string name;
  std::uint64_t value = 0;
};
inline std::optional<NumberAssignment> parse_number_assignment(const std::string& text) {
  auto split = split_assignment(text, text.rfind('='));
  const auto value = split ? parse_number(split->value) : std::nullopt;
  if (!value) return std::nullopt;
  return NumberAssignment{std::move(split->name), *value};
}

/// Checks of what is written on the line: what they refuse is a usage error.
inline std::string check_number_assignment(const std::string& text) {
  return parse_number_assignment(text) ? "" : "wanted NAME=NUMBER, not " + text;
}
inline std::string check_assignment(const std::string& text) {
  return text.find('=') == std::string::npos ? "wanted NAME=TEXT, not " + text : "";
}
inline std::string check_number(const std::string& text) {
  return parse_number(text) ? "" : "wanted a number, not " + text;
}
inline bool is_number_up_to(const std::string& text, double most) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return is_number && value >= 0 && value <= most;
}
inline std::string check_seconds(const std::string& text) {
  return is_number_up_to(text, 86400) ? "" : "wanted seconds up to 86400, not " + text;
}
inline std::string check_days(const std::string& text) {
  return is_number_up_to(text, 1'000'000) ? "" : "wanted days up to 1000000, not " + text;
}
/// A time, "2026-11-24" or "2026-11-24T10:00Z" or more exact; or so long ago, "90s", "15m", "2h",
/// "7d". None if it is neither.
std::optional<Timestamp> parse_since(std::string_view text);
std::string check_since(const std::string& text);

inline std::string check_not_empty(const std::string& text) {
  return text.empty() ? "must not be empty" : "";
}

}  // namespace worker_runtime::cli
