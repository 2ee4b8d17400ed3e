// report: one page with everything in it, to look at or to send to somebody.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arguments.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "report_page.h"
#include "streams.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::cli {
namespace {

struct ReportArguments {
  std::string file;
  std::optional<std::uint64_t> entries;
  std::optional<std::uint64_t> events;
};

/// So many of each transcript, and of the event log, unless it is said otherwise.
constexpr std::uint64_t entries_by_default = 1'000;
constexpr std::uint64_t events_by_default = 20'000;

/// What the page holds, for who made it.
struct Included {
  std::uint64_t workers = 0;
  std::uint64_t entries = 0;
  std::uint64_t events = 0;
};

std::string is_in_report(const std::string& newest) {
  return "Only the newest " + newest + " in this report. ";
}

/// The pieces of the page's document, in order.
class ReportWriter {
 public:
  ReportWriter(const fs_store::Reader& reader, ReportPage& page, const ReportArguments& arguments,
               std::stop_token stop)
      : reader_(reader), page_(page), arguments_(arguments), stop_(std::move(stop)) {}

  Result<Included> write(const RuntimeSummary& summary) {
    text_ = R"({"version":)";
    fs_store::append_json_string(text_, version());
    text_ += R"(,"made_at":)";
    fs_store::append_json_string(text_, to_string(system_clock()()));
    text_ += R"(,"summary":)";
    fs_store::append_json(text_, summary);
    text_ += R"(,"workers":[)";
    auto done = write_workers();
    if (done) done = write_events(summary);
    if (done) done = write_diagnostics();
    text_ += "}";
    if (done) done = flush();
    if (!done) return std::move(done).error();
    return included_;
  }

 private:
  Result<void> flush() {
    progress_.show(written_ += text_.size());
    auto written = page_.write(text_);
    text_.clear();
    if (stop_.stop_requested()) return Error(ErrorCode::closed, "interrupted: there is no report");
    return written;
  }

  Result<void> write_workers() {
    ListQuery query;
    do {
      auto page = reader_.list_workers(query);
      if (!page) return std::move(page).error();
      for (const WorkerSummary& worker : page->workers) {
        auto done = write_worker(worker.worker_ref);
        if (!done) return done;
      }
      query.after = page->next_after;
    } while (query.after);
    text_ += "]";
    return {};
  }

  Result<void> write_worker(const WorkerRef& worker_ref) {
    auto detail = reader_.worker_detail(worker_ref);
    // Deleted since the list was made.
    if (!detail && detail.error().code() == ErrorCode::worker_not_found) return {};
    if (!detail) return std::move(detail).error();
    if (included_.workers++ > 0) text_ += ",";
    fs_store::append_json(text_, *detail);
    text_.pop_back();  // the object goes on
    text_ += R"(,"transcript":[)";
    std::string note;
    auto done = write_entries(*detail, note);
    if (!done) return done;
    text_ += "]";
    if (!note.empty()) {
      text_ += R"(,"transcript_note":)";
      fs_store::append_json_string(text_, note);
    }
    text_ += "}";
    return flush();
  }

  /// The newest entries, oldest first; damage is passed over, and noted.
  Result<void> write_entries(const WorkerDetail& detail, std::string& note) {
    const std::uint64_t all = detail.summary.transcript_len;
    const std::uint64_t first_kept = detail.summary.first_sequence.value - 1;
    const std::uint64_t wanted = arguments_.entries.value_or(entries_by_default);
    const std::uint64_t start = std::max(first_kept, all - std::min(all, wanted));
    if (first_kept > 0) note += "Entries up to " + std::to_string(first_kept) + " were trimmed. ";
    if (start > first_kept) note += is_in_report(counted(all - start, "entry is", "entries are"));
    bool is_first = true;
    TranscriptQuery query;
    for (query.start = start; query.start && *query.start < all;) {
      auto page = reader_.read_transcript(detail.summary.worker_ref, query);
      if (!page) {
        if (page.error().code() == ErrorCode::worker_not_found) return {};
        if (page.error().code() != ErrorCode::store_corrupt) return std::move(page).error();
        note += page.error().message() + ". ";
        query.start = behind_damage(page.error());
        continue;
      }
      for (const TranscriptEntry& entry : page->items) {
        if (!is_first) text_ += ",";
        is_first = false;
        ++included_.entries;
        fs_store::append_json(text_, entry);
      }
      query.start = page->next;
      auto flushed = flush();
      if (!flushed) return flushed;
    }
    return {};
  }

  Result<void> write_events(const RuntimeSummary& summary) {
    text_ += R"(,"events":[)";
    std::string note;
    const std::uint64_t last = summary.event_count;
    const std::uint64_t wanted = arguments_.events.value_or(events_by_default);
    const std::uint64_t first_kept = summary.first_event_id.value;
    const std::uint64_t first = std::max(first_kept, last + 1 - std::min(last, wanted));
    if (first_kept > 1)
      note += "Events up to " + std::to_string(first_kept - 1) + " were trimmed. ";
    if (first > first_kept)
      note += is_in_report(counted(last + 1 - first, "event is", "events are"));
    bool is_first = true;
    EventQuery query;
    for (query.from = EventId{first}; query.from && query.from->value <= last;) {
      auto page = reader_.read_events(query);
      if (!page) {
        if (page.error().code() != ErrorCode::store_corrupt) return std::move(page).error();
        note += page.error().message() + ". ";
        const auto behind = behind_damage(page.error());
        query.from = behind ? std::optional(EventId{*behind}) : std::nullopt;
        continue;
      }
      for (const Event& event : page->events) {
        if (!is_first) text_ += ",";
        is_first = false;
        ++included_.events;
        fs_store::append_json(text_, event);
      }
      query.from = page->events.empty() ? std::nullopt : std::optional(page->next);
      auto flushed = flush();
      if (!flushed) return flushed;
    }
    text_ += "]";
    if (note.empty()) return {};
    text_ += R"(,"events_note":)";
    fs_store::append_json_string(text_, note);
    return {};
  }

  Result<void> write_diagnostics() {
    text_ += R"(,"diagnostics":[)";
    bool is_first = true;
    for (std::uint64_t after = 0;;) {
      auto page = reader_.diagnostics(after);
      if (!page) return std::move(page).error();
      for (const Diagnostic& diagnostic : page->diagnostics) {
        if (!is_first) text_ += ",";
        is_first = false;
        fs_store::append_json(text_, diagnostic);
        after = diagnostic.id;
      }
      if (page->diagnostics.empty()) break;
    }
    text_ += "]";
    return {};
  }

  const fs_store::Reader& reader_;
  ReportPage& page_;
  const ReportArguments& arguments_;
  std::stop_token stop_;
  std::string text_;
  Progress progress_{"read"};
  std::uint64_t written_ = 0;
  Included included_;
};

Exit make_report(const Options& options, const ReportArguments& arguments) {
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  auto summary = reader->summary();
  if (!summary) return report(options, summary.error());
  const std::string title =
      printable(summary->display_name.value_or(summary->runtime_id.text())) + " - worker-runtime";
  const StopWatch stop;
  auto page = ReportPage::create(arguments.file, title);
  if (!page) return report(options, page.error());
  auto included = ReportWriter(*reader, *page, arguments, stop.token()).write(*summary);
  if (!included) return report(options, included.error());
  auto bytes = page->finish();
  if (!bytes) return report(options, bytes.error());
  Output output;
  if (options.json) {
    std::string text = R"({"path":)";
    fs_store::append_json_string(text, arguments.file);
    text += R"(,"bytes":)" + std::to_string(*bytes) + R"(,"workers":)" +
            std::to_string(included->workers) + R"(,"entries":)" +
            std::to_string(included->entries) + R"(,"events":)" + std::to_string(included->events) +
            "}";
    output.line(text);
  } else {
    output.line("made " + printable(arguments.file) + ": " +
                counted(included->workers, "worker", "workers") + ", " +
                counted(included->entries, "entry", "entries") + ", " +
                counted(included->events, "event", "events") + ", " + std::to_string(*bytes) +
                " bytes; open it in a browser");
  }
  return output.finish(Exit::done);
}

}  // namespace

void add_report(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<ReportArguments>();
  const Command command = app.add_command("report", "make one page to look at, or to send");
  command.add_option("-o,--output", arguments->file, "where the page goes")
      .value_name("FILE.html")
      .required()
      .check(check_not_empty);
  command
      .add_number("--entries", arguments->entries, "the newest so many of each transcript [1000]")
      .value_name("N");
  command.add_number("--events", arguments->events, "the newest so many events [20000]")
      .value_name("N");
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] { return make_report(options, *arguments); };
  });
}

}  // namespace worker_runtime::cli
