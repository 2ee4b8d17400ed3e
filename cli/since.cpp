// Points in time as people write them on a command line.
#include <array>
#include <utility>

#include "arguments.h"
#include "worker_runtime/time.h"

namespace worker_runtime::cli {

std::optional<Timestamp> parse_since(std::string_view text) {
  constexpr std::array<std::pair<char, std::int64_t>, 4> units{
      {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}}};
  if (text.empty()) return std::nullopt;
  for (const auto& [unit, seconds] : units) {
    if (text.back() != unit) continue;
    const auto number = parse_number(text.substr(0, text.size() - 1));
    // A thousand years of seconds: more than that is a slip.
    if (!number || *number > 31'536'000'000) return std::nullopt;
    const std::int64_t now = system_clock()().microseconds;
    const std::int64_t back = static_cast<std::int64_t>(*number) * seconds;
    if (back > (now - timestamp_min.microseconds) / 1'000'000) return timestamp_min;
    return Timestamp{now - back * 1'000'000};
  }
  // What is left out is the beginning: of the day, of the second.
  constexpr std::string_view whole = "0000-00-00T00:00:00.000000Z";
  std::string full(text);
  if (full.size() > 10 && full.back() == 'Z') full.pop_back();
  if (full.size() != 10 && full.size() != 16 && full.size() != 19 && full.size() != 26)
    return std::nullopt;
  full += whole.substr(full.size());
  auto time = parse_timestamp(full);
  return time ? std::optional(*time) : std::nullopt;
}

std::string check_since(const std::string& text) {
  return parse_since(text) ? "" : "wanted a time such as 2026-11-24, or 2h, not " + text;
}

}  // namespace worker_runtime::cli
