// status --watch: see watch.h.
#include "watch.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>

#include "streams.h"

namespace worker_runtime::cli {
namespace {

using Moment = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds least_pause{500};
/// On a terminal, so that the rate falls when nothing happens.
constexpr std::chrono::seconds renewed_after{1};
constexpr std::chrono::hours not_renewed{1};
constexpr std::uint64_t events_shown = 10;
constexpr std::size_t message_columns = 60;

/// How many events a second since it was last asked.
class Rate {
 public:
  /// None the first time.
  std::optional<double> next(std::uint64_t events) {
    const Moment now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - at_;
    std::optional<double> rate;
    if (is_known_ && passed.count() > 0)
      rate = static_cast<double>(events - events_) / passed.count();
    is_known_ = true;
    events_ = events;
    at_ = now;
    return rate;
  }

 private:
  bool is_known_ = false;
  std::uint64_t events_ = 0;
  Moment at_;
};

void pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, least_pause, [] { return false; });
}

Result<void> print_events(const Options& options, const fs_store::Reader& reader, Output& output) {
  EventQuery query;
  query.limit = events_shown;
  query.direction = Direction::newest_first;
  auto page = reader.read_events(query);
  if (!page) return std::move(page).error();
  Table table = event_table();
  for (const Event& event : page->events)
    add_row(table, event, time_text(options, event.at), message_columns);
  table.print_rows(output);
  return {};
}

std::string rate_text(std::optional<double> rate) {
  if (!rate) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", *rate);
  return std::string(text.data()) + " events a second";
}

}  // namespace

Exit watch_status(const Options& options,
                  const std::function<void(Output&, const RuntimeSummary&)>& print_summary) {
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  const StopWatch watch;
  const std::stop_token stop = watch.token();
  const bool is_screen = !options.json && is_terminal_output();
  Output output;
  Rate rate;
  for (;;) {
    auto summary = reader->summary();
    if (!summary) return report(options, summary.error());
    const std::optional<double> events_a_second = rate.next(summary->event_count);
    if (is_screen) output.write("\x1b[H\x1b[2J");
    print_summary(output, *summary);
    if (!options.json) {
      output.line("rate         " + rate_text(events_a_second) + "\n");
      auto printed = print_events(options, *reader, output);
      if (!printed) return report(options, printed.error());
      if (!is_screen) output.line("");
    }
    if (!output.flush() || stop.stop_requested()) break;
    pause(stop);
    auto happened = reader->wait_events(EventId{summary->event_count + 1},
                                        is_screen ? std::chrono::milliseconds(renewed_after)
                                                  : std::chrono::milliseconds(not_renewed),
                                        stop, 1);
    if (!happened) return report(options, happened.error());
    if (stop.stop_requested()) break;
  }
  return output.finish(Exit::done);
}

}  // namespace worker_runtime::cli
