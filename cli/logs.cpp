// events, transcript: the logs, streamed page by page.
#include <memory>

#include <CLI/CLI.hpp>

#include "mutation.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

constexpr std::size_t excerpt_columns = 100;

struct Arguments {
  std::string worker;
  std::optional<std::uint64_t> start;
  std::optional<std::uint64_t> limit;
  bool newest_first = false;
};

Direction direction_of(const Arguments& arguments) {
  return arguments.newest_first ? Direction::newest_first : Direction::oldest_first;
}

/// Where a page that ended before damage goes on: behind the damage, if anything is readable there.
std::optional<std::uint64_t> behind_damage(const Error& error) {
  const auto* const fields = error.get<FileFields>();
  return error.code() == ErrorCode::store_corrupt && fields != nullptr ? fields->next_readable
                                                                       : std::nullopt;
}

/// Prints what is readable, tells each damage on standard error, and answers the first one at the
/// end.
template <typename ReadPage>
Exit stream(const Options& options, Output& output, bool whole, ReadPage read_page) {
  std::optional<std::uint64_t> cursor;
  Exit worst = Exit::done;
  for (;;) {
    Result<std::optional<std::uint64_t>> next = read_page(cursor);
    if (!next) {
      output.flush();
      worst = report(options, next.error());
      const auto behind = behind_damage(next.error());
      if (!whole || !behind || behind == cursor) return output.finish(worst);
      cursor = behind;
      continue;
    }
    if (!whole || !*next || output.is_broken()) return output.finish(worst);
    cursor = **next;
  }
}

void print(Output& output, const Options& options, const std::vector<Event>& events) {
  Table table({"ID", "AT", "KIND", "WORKER", "MESSAGE"});
  for (const Event& event : events) {
    if (options.json) {
      output.json(event);
      continue;
    }
    table.add({std::to_string(event.id.value), to_string(event.at),
               event.kind == EventKind::unknown ? printable(event.unknown_kind)
                                                : std::string(to_string(event.kind)),
               event.worker_ref ? printable(event.worker_ref->worker_id.text()) : "-",
               excerpt(event.message, excerpt_columns)});
  }
  if (!table.empty()) table.print(output);
}

Exit events(const Options& options, const Arguments& arguments) {
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  Output output;
  return stream(options, output, !arguments.limit,
                [&](std::optional<std::uint64_t> cursor) -> Result<std::optional<std::uint64_t>> {
                  EventQuery query;
                  if (!cursor) cursor = arguments.start;
                  if (cursor) query.from = EventId{*cursor};
                  query.limit = arguments.limit;
                  query.direction = direction_of(arguments);
                  auto page = reader->read_events(query);
                  if (!page) return std::move(page).error();
                  print(output, options, page->events);
                  if (!page->has_more) return std::optional<std::uint64_t>();
                  return std::optional(page->next.value);
                });
}

void print(Output& output, const Options& options, const std::vector<TranscriptEntry>& entries) {
  for (const TranscriptEntry& entry : entries) {
    if (options.json) {
      output.json(entry);
      continue;
    }
    std::string head = std::to_string(entry.sequence.value) + "  " + to_string(entry.at) + "  " +
                       std::string(to_string(entry.role));
    if (entry.name) head += "  " + printable(*entry.name);
    output.line(styled(head, Style::bold));
    // The text as it is, line by line, with nothing in it that a terminal would obey.
    std::string_view rest = entry.content;
    for (;;) {
      const std::size_t newline = rest.find('\n');
      output.line("    " + printable(rest.substr(0, newline)));
      if (newline == std::string_view::npos) break;
      rest.remove_prefix(newline + 1);
    }
    if (entry.data) output.line(styled("    data " + printable(*entry.data), Style::faint));
  }
}

Exit transcript(const Options& options, const Arguments& arguments) {
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  auto summary = reader->summary();
  if (!summary) return report(options, summary.error());
  auto worker_ref = worker_ref_of(summary->runtime_id, arguments.worker);
  if (!worker_ref) return report(options, worker_ref.error());
  Output output;
  return stream(options, output, !arguments.limit,
                [&](std::optional<std::uint64_t> cursor) -> Result<std::optional<std::uint64_t>> {
                  TranscriptQuery query;
                  query.start = cursor ? cursor : arguments.start;
                  query.limit = arguments.limit;
                  query.direction = direction_of(arguments);
                  auto page = reader->read_transcript(*worker_ref, query);
                  if (!page) return std::move(page).error();
                  print(output, options, page->items);
                  return page->next;
                });
}

}  // namespace

void add_logs(CLI::App& app, Options& options, Run& run) {
  auto of_events = std::make_shared<Arguments>();
  CLI::App* const event_command = app.add_subcommand("events", "show the event log");
  event_command->add_option("--from", of_events->start, "from this event on")->type_name("ID");
  event_command->add_option("--limit", of_events->limit, "at most so many [all]")->type_name("N");
  event_command->add_flag("--newest-first", of_events->newest_first, "backwards");
  event_command->callback([&options, &run, of_events] {
    run = [&options, of_events] { return events(options, *of_events); };
  });

  auto of_worker = std::make_shared<Arguments>();
  CLI::App* const transcript_command =
      app.add_subcommand("transcript", "show a worker's transcript");
  transcript_command->add_option("WORKER", of_worker->worker, "the worker's id")->required();
  transcript_command->add_option("--start", of_worker->start, "from this index (sequence - 1) on")
      ->type_name("N");
  transcript_command->add_option("--limit", of_worker->limit, "at most so many [all]")
      ->type_name("N");
  transcript_command->add_flag("--newest-first", of_worker->newest_first, "backwards");
  transcript_command->callback([&options, &run, of_worker] {
    run = [&options, of_worker] { return transcript(options, *of_worker); };
  });
}

}  // namespace worker_runtime::cli
