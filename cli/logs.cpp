// events, transcript: the logs, streamed page by page, and followed.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

#include "arguments.h"
#include "command.h"
#include "mutation.h"
#include "output.h"
#include "posix_pager.h"
#include "streams.h"

namespace worker_runtime::cli {
namespace {

constexpr std::size_t excerpt_columns = 100;
/// A wait that shows nothing is simply begun again.
constexpr std::chrono::hours follow_wait{1};

struct LogArguments {
  std::string worker;
  std::optional<std::uint64_t> start;
  std::optional<std::uint64_t> limit;
  bool newest_first = false;
  bool follow = false;
  // Of events.
  std::string about;  // a Worker
  std::string kind;
  std::string since;
};

/// Which events are shown.
class EventFilter {
 public:
  static Result<EventFilter> make(const fs_store::Reader& reader, const LogArguments& arguments) {
    EventFilter filter;
    filter.kind_ = arguments.kind;
    filter.since_ = parse_since(arguments.since);
    if (arguments.about.empty()) return filter;
    auto worker_ref = worker_ref_in(reader, arguments.about);
    if (!worker_ref) return std::move(worker_ref).error();
    filter.worker_id_ = std::move(worker_ref->worker_id);
    return filter;
  }
  [[nodiscard]] bool is_set() const { return worker_id_ || !kind_.empty() || since_; }
  [[nodiscard]] bool shows(const Event& event) const {
    if (worker_id_ && (!event.worker_ref || event.worker_ref->worker_id != *worker_id_))
      return false;
    if (!kind_.empty() && to_string(event.kind) != kind_) return false;
    return !since_ || event.at >= *since_;
  }

 private:
  std::optional<WorkerId> worker_id_;
  std::string kind_;
  std::optional<Timestamp> since_;
};

Direction direction_of(const LogArguments& arguments) {
  return arguments.newest_first ? Direction::newest_first : Direction::oldest_first;
}

/// What a page was, as far as going on is concerned.
struct Printed {
  std::uint64_t items = 0;
  std::optional<std::uint64_t> next;
};

/// Page by page: all of the log, or as many items as were asked for; when it is followed, to the
/// end of the output, a signal, or an error. Prints what is readable, tells each damage on standard
/// error, and answers the last one at the end.
template <typename Query, typename PrintPage>
Exit stream(const Options& options, Output& output, Query query,
            std::optional<std::uint64_t> cursor, const std::stop_token& stop,
            PrintPage print_page) {
  Exit worst = Exit::done;
  for (;;) {
    Result<Printed> page = print_page(query, cursor);
    if (!page) {
      output.flush();
      worst = report(options, page.error());
      const auto behind = behind_damage(page.error());
      if (query.limit || !behind || behind == cursor) return output.finish(worst);
      cursor = behind;
      continue;
    }
    // A page that is bounded by bytes may hold fewer items than were asked for.
    if (query.limit) *query.limit -= std::min(*query.limit, page->items);
    if (!page->next || output.is_broken() || query.limit == 0 || stop.stop_requested())
      return output.finish(worst);
    cursor = page->next;
  }
}

/// What is followed stays on the screen, and so would what was "3 s ago" once.
std::string time_in_log(const Options& options, const LogArguments& arguments, Timestamp at) {
  return arguments.follow ? to_string(at) : time_text(options, at);
}

Exit events(const Options& options, const LogArguments& arguments) {
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  auto filter = EventFilter::make(*reader, arguments);
  if (!filter) return report(options, filter.error());
  std::optional<StopWatch> watch;
  if (arguments.follow) watch.emplace();
  const std::stop_token stop = watch ? watch->token() : std::stop_token();
  std::optional<Pager> pager;
  if (!arguments.follow) pager.emplace(options);
  Output output;
  Table table = event_table();
  EventQuery query;
  query.limit = arguments.limit;
  query.direction = direction_of(arguments);
  const auto print_page = [&](EventQuery& asked,
                              std::optional<std::uint64_t> cursor) -> Result<Printed> {
    if (cursor) asked.from = EventId{*cursor};
    EventQuery read = asked;
    // Of those that are read only some are shown, so the limit is not one of the page.
    if (filter->is_set()) read.limit = std::nullopt;
    auto page = arguments.follow ? reader->wait_events(read.from.value_or(EventId{1}), follow_wait,
                                                       stop, read.limit)
                                 : reader->read_events(read);
    if (!page) return std::move(page).error();
    std::uint64_t shown = 0;
    for (const Event& event : page->events) {
      if (shown == asked.limit) break;
      if (!filter->shows(event)) continue;
      ++shown;
      if (options.json) {
        output.json(event);
      } else {
        add_row(table, event, time_in_log(options, arguments, event.at), excerpt_columns);
      }
    }
    if (!options.json && shown > 0) table.print_rows(output);
    if (arguments.follow) output.flush();
    Printed printed{shown, std::nullopt};
    if (page->has_more || arguments.follow) printed.next = page->next.value;
    return printed;
  };
  return stream(options, output, query, arguments.start, stop, print_page);
}

void print(Output& output, const TranscriptEntry& entry, const std::string& at) {
  std::string head =
      std::to_string(entry.sequence.value) + "  " + at + "  " + std::string(to_string(entry.role));
  if (entry.name) head += "  " + printable(*entry.name);
  output.line(styled(head, Style::bold));
  // The text as it is, line by line, with nothing in it that a terminal would obey.
  std::string_view rest = entry.content;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    output.line("    " + printable(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (entry.redacted > 0) output.line(styled("    " + redaction_of(entry), Style::faint));
  if (entry.data) output.line(styled("    data " + printable(*entry.data), Style::faint));
}

Exit transcript(const Options& options, const LogArguments& arguments) {
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  auto worker_ref = worker_ref_in(*reader, arguments.worker);
  if (!worker_ref) return report(options, worker_ref.error());
  std::optional<StopWatch> watch;
  if (arguments.follow) watch.emplace();
  const std::stop_token stop = watch ? watch->token() : std::stop_token();
  std::optional<Pager> pager;
  if (!arguments.follow) pager.emplace(options);
  Output output;
  TranscriptQuery query;
  query.limit = arguments.limit;
  query.direction = direction_of(arguments);
  const auto print_page = [&](TranscriptQuery& asked,
                              std::optional<std::uint64_t> cursor) -> Result<Printed> {
    asked.start = cursor;
    auto page = arguments.follow ? reader->wait_transcript(*worker_ref, cursor.value_or(0),
                                                           follow_wait, stop, asked.limit)
                                 : reader->read_transcript(*worker_ref, asked);
    if (!page) return std::move(page).error();
    for (const TranscriptEntry& entry : page->items) {
      if (options.json) {
        output.json(entry);
      } else {
        print(output, entry, time_in_log(options, arguments, entry.at));
      }
    }
    if (arguments.follow) output.flush();
    Printed printed{page->items.size(), page->next};
    if (arguments.follow) printed.next = cursor.value_or(0) + page->items.size();
    return printed;
  };
  return stream(options, output, query, arguments.start, stop, print_page);
}

std::vector<std::string> event_kinds() {
  std::vector<std::string> kinds;
  for (const EventKind kind :
       {EventKind::runtime_started, EventKind::runtime_stopped, EventKind::worker_created,
        EventKind::worker_input_accepted, EventKind::worker_output_appended,
        EventKind::worker_stopped, EventKind::worker_cancelled, EventKind::worker_deleted})
    kinds.emplace_back(to_string(kind));
  return kinds;
}

/// What the two have in common.
void add_log_options(Command command, LogArguments& arguments) {
  command.add_number("--limit", arguments.limit, "at most so many [all]").value_name("N");
  const CommandOption newest_first =
      command.add_flag("--newest-first", arguments.newest_first, "backwards");
  command
      .add_flag("--follow", arguments.follow,
                "go on with what is new, until interrupted or at the limit")
      .excludes(newest_first);
}

}  // namespace

void add_logs(Command app, Options& options, Run& run) {
  auto of_events = std::make_shared<LogArguments>();
  const Command event_command = app.add_command("events", "show the event log");
  event_command.add_number("--from", of_events->start, "from this event on").value_name("ID");
  event_command.add_option("--worker", of_events->about, "about this worker only")
      .value_name("WORKER")
      .check(check_not_empty);
  event_command.add_option("--kind", of_events->kind, "of this kind only")
      .value_name("KIND")
      .one_of(event_kinds());
  event_command
      .add_option("--since", of_events->since, "not older than a time, or than 90s, 15m, 2h, 7d")
      .value_name("TIME")
      .check(check_since);
  add_log_options(event_command, *of_events);
  event_command.callback([&options, &run, of_events] {
    run = [&options, of_events] { return events(options, *of_events); };
  });

  auto of_worker = std::make_shared<LogArguments>();
  const Command transcript_command = app.add_command("transcript", "show a worker's transcript");
  add_worker(transcript_command, of_worker->worker);
  transcript_command.add_number("--start", of_worker->start, "from this index (sequence - 1) on")
      .value_name("N");
  add_log_options(transcript_command, *of_worker);
  transcript_command.callback([&options, &run, of_worker] {
    run = [&options, of_worker] { return transcript(options, *of_worker); };
  });
}

}  // namespace worker_runtime::cli
