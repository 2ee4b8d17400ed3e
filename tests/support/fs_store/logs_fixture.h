// Logs in a directory of a test's own, with lines of a model.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layout.h"
#include "logs.h"
#include "support/fs_store/files_fixture.h"
#include "support/fs_store/line_log.h"

namespace worker_runtime::fs_store {

class LogsTest : public FilesTest {
 protected:
  static constexpr Direction up = Direction::oldest_first;
  static constexpr Direction down = Direction::newest_first;
  static constexpr std::uint64_t one_part = std::uint64_t{1} << 40U;

  static std::string event(std::uint64_t number, std::size_t bytes = 100) {
    return numbered_line("id", number, bytes);
  }
  static std::string entry(std::uint64_t number, std::size_t bytes = 100) {
    return numbered_line("sequence", number, bytes);
  }
  static std::string events(std::uint64_t first, std::uint64_t last, std::size_t bytes = 100) {
    std::string text;
    for (std::uint64_t number = first; number <= last; ++number) text += event(number, bytes);
    return text;
  }
  static std::string entries(std::uint64_t first, std::uint64_t last, std::size_t bytes = 100) {
    std::string text;
    for (std::uint64_t number = first; number <= last; ++number) text += entry(number, bytes);
    return text;
  }
  static void push_events(Logs& logs, std::uint64_t first, std::uint64_t last,
                          std::size_t bytes = 100) {
    for (std::uint64_t number = first; number <= last; ++number)
      logs.push_event(event(number, bytes));
  }
  static void push_entries(Logs& logs, const WorkerId& worker_id, std::uint64_t first,
                           std::uint64_t last, std::size_t bytes = 100) {
    for (std::uint64_t number = first; number <= last; ++number)
      logs.push_entry(worker_id, entry(number, bytes));
  }
  /// Events first..last in a file that is known to hold them.
  void put_events(Logs& logs, std::uint64_t first, std::uint64_t last) const {
    const std::string text = events(first, last);
    put("events.jsonl", text);
    logs.set_events({first, text.size(), last});
  }
  void put_entries(Logs& logs, const WorkerId& worker_id, std::uint64_t last) const {
    const std::string text = entries(1, last);
    put(layout::log_file(layout::transcript(worker_id)), text);
    logs.set_transcript(worker_id, {1, text.size(), last});
  }

  struct Page {
    Result<void> done;
    std::vector<std::uint64_t> numbers;
    std::string text;  ///< The lines as they came, with their newlines.
  };
  static Page read(const Logs& logs, const WorkerId* worker_id, const PageRange& range,
                   std::size_t enough = SIZE_MAX) {
    Page page;
    const LineVisitor visitor = [&](std::uint64_t number, std::string_view line) {
      page.numbers.push_back(number);
      page.text.append(line).append("\n");
      return page.numbers.size() < enough;
    };
    page.done = worker_id == nullptr ? logs.read_events(range, visitor)
                                     : logs.read_transcript(*worker_id, range, visitor);
    return page;
  }
  static PageRange range(std::uint64_t first, std::uint64_t last, Direction direction = up) {
    return {first, last, direction, 1'000'000, UINT64_MAX};
  }
  static std::vector<std::uint64_t> numbers(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t at = std::min(from, to); at <= std::max(from, to); ++at)
      numbers.push_back(at);
    if (from > to) std::reverse(numbers.begin(), numbers.end());
    return numbers;
  }

  const WorkerId w_ = testing::worker_id("w");
};

}  // namespace worker_runtime::fs_store
