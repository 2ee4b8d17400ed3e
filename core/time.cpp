// RFC 3339, with microseconds and in UTC only.
#include "worker_runtime/time.h"

#include <algorithm>
#include <chrono>

namespace worker_runtime {
namespace {

using Days = std::chrono::sys_days;
constexpr std::int64_t microseconds_per_day = std::int64_t{86'400} * 1'000'000;

constexpr std::int64_t start_of(int year) {
  return Days(std::chrono::year{year} / 1 / 1).time_since_epoch().count() * microseconds_per_day;
}

void put(TimestampText& text, std::size_t at, std::size_t digits, std::uint32_t number) {
  for (std::size_t place = digits; place > 0; --place, number /= 10) {
    text[at + place - 1] = static_cast<char>('0' + number % 10);
  }
}

/// -1 if the text is not digits alone.
std::int64_t get(std::string_view text, std::size_t at, std::size_t digits) {
  std::int64_t number = 0;
  for (const char digit : text.substr(at, digits)) {
    if (digit < '0' || digit > '9') return -1;
    number = number * 10 + (digit - '0');
  }
  return number;
}

constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";

}  // namespace

TimestampText text_of(Timestamp time) {
  const std::int64_t microseconds =
      std::clamp(time.microseconds, start_of(0), start_of(10'000) - 1);
  const std::int64_t days =
      microseconds / microseconds_per_day - (microseconds % microseconds_per_day < 0 ? 1 : 0);
  const std::int64_t of_day = microseconds - days * microseconds_per_day;
  const std::chrono::year_month_day date{Days(std::chrono::days(days))};
  const auto seconds = static_cast<std::uint32_t>(of_day / 1'000'000);
  TimestampText text{};
  form.copy(text.data(), text.size());
  put(text, 0, 4, static_cast<std::uint32_t>(static_cast<int>(date.year())));
  put(text, 5, 2, static_cast<unsigned>(date.month()));
  put(text, 8, 2, static_cast<unsigned>(date.day()));
  put(text, 11, 2, seconds / 3600);
  put(text, 14, 2, seconds / 60 % 60);
  put(text, 17, 2, seconds % 60);
  put(text, 20, 6, static_cast<std::uint32_t>(of_day % 1'000'000));
  return text;
}

std::string to_string(Timestamp time) {
  const TimestampText text = text_of(time);
  return {text.data(), text.size()};
}

Result<Timestamp> parse_timestamp(std::string_view text) {
  const Error wrong(ErrorCode::invalid_request,
                    "not a time of the form 2026-11-24T10:00:00.000000Z");
  if (text.size() != form.size()) return wrong;
  for (std::size_t at = 0; at < form.size(); ++at) {
    if (form[at] != '0' && text[at] != form[at]) return wrong;
  }
  const std::int64_t year = get(text, 0, 4);
  const std::int64_t month = get(text, 5, 2);
  const std::int64_t day = get(text, 8, 2);
  const std::int64_t hour = get(text, 11, 2);
  const std::int64_t minute = get(text, 14, 2);
  const std::int64_t second = get(text, 17, 2);
  const std::int64_t fraction = get(text, 20, 6);
  if (std::min({year, month, day, hour, minute, second, fraction}) < 0) return wrong;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return wrong;
  const std::int64_t days = Days(date).time_since_epoch().count();
  return Timestamp{days * microseconds_per_day + ((hour * 60 + minute) * 60 + second) * 1'000'000 +
                   fraction};
}

}  // namespace worker_runtime
