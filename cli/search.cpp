// search: streams all transcripts, on all processors, and shows the entries that match.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "arguments.h"
#include "command.h"
#include "mutation.h"
#include "options.h"
#include "output.h"
#include "pattern.h"
#include "progress.h"
#include "streams.h"

namespace worker_runtime::cli {
namespace {

struct SearchArguments {
  std::string text;
  bool regex = false;
  bool ignore_case = false;
  std::string role;
  std::string worker;
  std::string since;
  std::optional<std::uint64_t> limit;
};

/// What an entry has to be.
struct Filter {
  Pattern pattern;
  std::optional<Role> role;
  std::optional<Timestamp> since;
};

struct Hit {
  TranscriptEntry entry;
  std::string_view where;  ///< "content", "name" or "data".
  Match match;
};

std::optional<Hit> match(const Filter& filter, TranscriptEntry&& entry) {
  if (filter.role && entry.role != *filter.role) return std::nullopt;
  if (filter.since && entry.at < *filter.since) return std::nullopt;
  std::string_view where = "content";
  auto found = filter.pattern.find(entry.content);
  if (!found && entry.name) {
    where = "name";
    found = filter.pattern.find(*entry.name);
  }
  if (!found && entry.data) {
    where = "data";
    found = filter.pattern.find(*entry.data);
  }
  if (!found) return std::nullopt;
  return Hit{std::move(entry), where, *found};
}

/// The line of the text around the match, cut to what fits on a terminal.
std::string excerpt_of(const Hit& hit) {
  constexpr std::size_t before = 40;
  constexpr std::size_t after = 80;
  const std::string& text = hit.where == "name"   ? *hit.entry.name
                            : hit.where == "data" ? *hit.entry.data
                                                  : hit.entry.content;
  const auto begin_of_line = text.rfind('\n', hit.match.offset);
  std::size_t begin = begin_of_line == std::string::npos || hit.match.offset == 0
                          ? 0
                          : std::min(begin_of_line + 1, hit.match.offset);
  const bool cut_before = hit.match.offset - begin > before;
  if (cut_before) begin = hit.match.offset - before;
  // Never in the middle of a character.
  const auto is_inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (is_inside(begin)) ++begin;
  const std::size_t match_end = hit.match.offset + hit.match.length;
  std::size_t end = std::min(text.find('\n', match_end), text.size());
  const bool cut_after = end - match_end > after;
  if (cut_after) end = match_end + after;
  while (is_inside(end)) ++end;
  const std::string_view whole = text;
  return (cut_before ? "…" : "") + printable(whole.substr(begin, hit.match.offset - begin)) +
         styled(printable(whole.substr(hit.match.offset, hit.match.length)), Style::bold) +
         printable(whole.substr(match_end, end - match_end)) + (cut_after ? "…" : "");
}

/// One search: threads take Workers in turn, and print what they find, one at a time.
class Search {
 public:
  Search(const Options& options, const fs_store::Reader& reader, const Filter& filter,
         std::uint64_t limit, std::stop_token stop, std::function<std::uint64_t()> total)
      : options_(options),
        reader_(reader),
        filter_(filter),
        left_(limit),
        stop_(std::move(stop)),
        progress_("searched", std::move(total)) {}

  Exit run(const std::vector<WorkerRef>& workers) {
    const std::size_t wanted = std::max(1U, std::thread::hardware_concurrency());
    {
      std::vector<std::jthread> threads;
      for (std::size_t one = 1; one < std::min(wanted, workers.size()); ++one)
        threads.emplace_back([&] { take_workers(workers); });
      take_workers(workers);
    }
    progress_.hide();
    return output_.finish(worst_);
  }

 private:
  void take_workers(const std::vector<WorkerRef>& workers) {
    fs_store::LineDecoder decoder;
    for (;;) {
      const std::size_t at = next_worker_++;
      if (at >= workers.size() || is_over()) return;
      search(workers[at], decoder);
    }
  }

  [[nodiscard]] bool is_over() const { return stop_.stop_requested() || is_enough_; }

  void search(const WorkerRef& worker_ref, fs_store::LineDecoder& decoder) {
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> start;
    const auto see = [&](std::uint64_t, std::string_view line) {
      bytes += line.size();
      if ((bytes & ~progress_mask) != 0) {
        tell_progress(std::exchange(bytes, 0));
        if (is_over()) return false;
      }
      if (!filter_.pattern.may_be_in_line(line)) return true;
      auto entry = decoder.entry(line);
      if (!entry) return true;  // what verify tells
      const auto hit = match(filter_, *std::move(entry));
      return !hit || show(*hit);
    };
    for (;;) {
      auto visited = reader_.visit_transcript(worker_ref, start, see);
      tell_progress(std::exchange(bytes, 0));
      if (visited || visited.error().code() == ErrorCode::worker_not_found) return;
      tell(visited.error());
      const auto behind = behind_damage(visited.error());
      if (!behind || behind == start) return;
      start = behind;
    }
  }

  /// False: enough.
  bool show(const Hit& hit) {
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return false;
    progress_.hide();
    if (options_.json) {
      output_.json(hit.entry);
    } else {
      output_.line(styled(printable(hit.entry.worker_ref.worker_id.text()) + ":" +
                              std::to_string(hit.entry.sequence.value),
                          Style::good) +
                   "  " + to_string(hit.entry.at) + "  " + std::string(to_string(hit.entry.role)) +
                   (hit.where == "content" ? "" : "  in " + std::string(hit.where)) + "  " +
                   excerpt_of(hit));
    }
    is_enough_ = --left_ == 0 || !output_.flush();
    return !is_enough_;
  }

  void tell(const Error& error) {
    const std::lock_guard lock(mutex_);
    progress_.hide();
    output_.flush();
    worst_ = report(options_, error);
  }

  void tell_progress(std::uint64_t bytes) {
    searched_ += bytes;
    const std::lock_guard lock(mutex_);
    progress_.show(searched_);
  }

  static constexpr std::uint64_t progress_mask = (std::uint64_t{1} << 22U) - 1;

  const Options& options_;
  const fs_store::Reader& reader_;
  const Filter& filter_;
  std::uint64_t left_;  // guarded by mutex_, as progress_, output_ and worst_
  const std::stop_token stop_;
  std::mutex mutex_;
  Progress progress_;
  Output output_;
  Exit worst_ = Exit::done;
  std::atomic<std::size_t> next_worker_ = 0;
  std::atomic<std::uint64_t> searched_ = 0;
  std::atomic<bool> is_enough_ = false;
};

Result<std::vector<WorkerRef>> workers_of(const fs_store::Reader& reader,
                                          const std::string& wanted) {
  std::vector<WorkerRef> workers;
  if (!wanted.empty()) {
    auto worker_ref = worker_ref_in(reader, wanted);
    if (!worker_ref) return std::move(worker_ref).error();
    auto there = reader.worker_detail(*worker_ref);
    if (!there) return std::move(there).error();
    workers.push_back(std::move(*worker_ref));
    return workers;
  }
  ListQuery query;
  do {
    auto page = reader.list_workers(query);
    if (!page) return std::move(page).error();
    for (WorkerSummary& worker : page->workers) workers.push_back(std::move(worker.worker_ref));
    query.after = page->next_after;
  } while (query.after);
  return workers;
}

Exit search(const Options& options, const SearchArguments& arguments) {
  auto pattern = Pattern::compile(arguments.text,
                                  arguments.regex ? PatternKind::expression : PatternKind::text,
                                  arguments.ignore_case ? Letters::any_case : Letters::as_written);
  if (!pattern) return report(options, pattern.error());
  Filter filter{*std::move(pattern), {}, {}};
  for (const Role role : {Role::user, Role::system, Role::assistant, Role::tool}) {
    if (arguments.role == to_string(role)) filter.role = role;
  }
  filter.since = parse_since(arguments.since);
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  auto workers = workers_of(*reader, arguments.worker);
  if (!workers) return report(options, workers.error());
  const StopWatch stop;
  const auto total = [&]() -> std::uint64_t {
    if (!arguments.worker.empty()) return 0;
    return bytes_of_store(root_of(options), runtime_of(options).value()).transcripts;
  };
  return Search(options, *reader, filter, arguments.limit.value_or(UINT64_MAX), stop.token(), total)
      .run(*workers);
}

}  // namespace

void add_search(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<SearchArguments>();
  const Command command =
      app.add_command("search", "show the entries of all transcripts that contain a text");
  command.add_option("TEXT", arguments->text, "in content, name or data")
      .value_name("")
      .required()
      .check(check_not_empty);
  command.add_flag("--regex", arguments->regex, "TEXT is a regular expression, of RE2");
  command.add_flag("--ignore-case", arguments->ignore_case, "large letters are small ones");
  command.add_option("--role", arguments->role, "of this role only")
      .value_name("ROLE")
      .one_of({"user", "system", "assistant", "tool"});
  command.add_option("--worker", arguments->worker, "of this worker only")
      .value_name("WORKER")
      .check(check_not_empty);
  command
      .add_option("--since", arguments->since,
                  "not older than a time, 2026-11-24 or 2026-11-24T10:00:00Z, or than 90s, 15m, "
                  "2h, 7d")
      .value_name("TIME")
      .check(check_since);
  command.add_number("--limit", arguments->limit, "at most so many [all]").value_name("N");
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] { return search(options, *arguments); };
  });
}

}  // namespace worker_runtime::cli
