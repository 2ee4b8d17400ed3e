// bench: what a durable input costs on this disk, beside the least that it could cost.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "arguments.h"
#include "command.h"
#include "contenders.h"
#include "load.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "streams.h"

namespace worker_runtime::cli {
namespace {

/// The limit and the store take turns: a disk that drifts does so for both.
constexpr std::size_t turns = 5;
/// What the submissions in flight are compared with.
constexpr std::size_t reference_callers = 64;
constexpr std::size_t callers_max = 1024;
constexpr std::size_t in_flight_max = 100'000;

struct BenchArguments {
  std::optional<std::uint64_t> callers;
  std::optional<std::uint64_t> in_flight;
  double seconds = 2;
};

struct Row {
  const Contender* contender = nullptr;
  Load load;
  std::size_t limit = 0;  // the row that it is compared with
  Measured measured{};
};

/// The rows of a run, each limit before what is compared with it.
std::vector<Row> rows_of(const BenchArguments& arguments, const Contender& limit,
                         const Contender& store) {
  std::vector<std::size_t> callers{1, 8, reference_callers};
  std::vector<std::size_t> in_flight{64, 1024};
  if (arguments.callers || arguments.in_flight) {
    callers.clear();
    in_flight.clear();
  }
  if (arguments.callers) callers.push_back(*arguments.callers);
  if (arguments.in_flight) in_flight.push_back(*arguments.in_flight);
  std::vector<Row> rows;
  std::optional<std::size_t> reference;
  for (const std::size_t count : callers) {
    if (count == reference_callers) reference = rows.size();
    const std::size_t at = rows.size();
    rows.push_back({&limit, {count, 1}, at});
    rows.push_back({&store, {count, 1}, at});
  }
  if (!in_flight.empty() && !reference) {
    reference = rows.size();
    rows.push_back({&limit, {reference_callers, 1}, *reference});
  }
  for (const std::size_t count : in_flight) rows.push_back({&store, {1, count}, *reference});
  return rows;
}

double ratio_of(const Row& row, const std::vector<Row>& rows) {
  const double limit = rows[row.limit].measured.per_second();
  return limit == 0 ? 0 : row.measured.per_second() / limit;
}

std::string decimal(double value, int digits) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string name_of(const Row& row) {
  return row.load.in_flight > 1 ? "submit" : row.contender->name;
}

std::string json_of(const std::vector<Row>& rows) {
  std::string text = R"({"results":[)";
  for (const Row& row : rows) {
    if (text.back() == '}') text += ',';
    const Latencies& latencies = row.measured.latencies;
    text += R"({"name":")" + name_of(row) + R"(","callers":)" + std::to_string(row.load.callers) +
            R"(,"in_flight":)" + std::to_string(row.load.callers * row.load.in_flight) +
            R"(,"ops_per_second":)" + decimal(row.measured.per_second(), 0) + R"(,"p50_us":)" +
            decimal(latencies.microseconds(0.5), 1) + R"(,"p99_us":)" +
            decimal(latencies.microseconds(0.99), 1) + R"(,"p999_us":)" +
            decimal(latencies.microseconds(0.999), 1) + R"(,"ratio_to_limit":)" +
            decimal(ratio_of(row, rows), 3) + '}';
  }
  return text + "]}";
}

void print(Output& output, const std::vector<Row>& rows) {
  Table table(
      {"WHAT", "CALLERS", "IN FLIGHT", "A SECOND", "P50 US", "P99 US", "P99.9 US", "OF THE LIMIT"});
  for (const Row& row : rows) {
    const Latencies& latencies = row.measured.latencies;
    table.add({name_of(row), std::to_string(row.load.callers),
               std::to_string(row.load.callers * row.load.in_flight),
               decimal(row.measured.per_second(), 0), decimal(latencies.microseconds(0.5), 0),
               decimal(latencies.microseconds(0.99), 0), decimal(latencies.microseconds(0.999), 0),
               decimal(ratio_of(row, rows), 2)});
  }
  table.print_rows(output);
  output.line(
      "limit: a file laid out ahead, one write and one fdatasync for all callers that wait; " +
      std::to_string(record_bytes) + " bytes a record");
}

/// Where the store is, or would be: its disk is the one to measure.
std::filesystem::path measured_directory(const Options& options) {
  std::error_code ignored;
  std::filesystem::path root = root_of(options);
  while (!root.empty() && !std::filesystem::is_directory(root, ignored)) root = root.parent_path();
  return root.empty() ? "." : root;
}

Exit measure(const Options& options, const std::vector<Row>& rows, const StopWatch& stop) {
  Output output;
  if (stop.token().stop_requested()) {
    std::fputs("worker-runtime: interrupted; nothing was measured\n", stderr);
    return Exit::refused;
  }
  if (options.json) {
    output.line(json_of(rows));
  } else {
    print(output, rows);
  }
  return output.finish(Exit::done);
}

Exit bench(const Options& options, const BenchArguments& arguments) {
  auto scratch = Scratch::make(measured_directory(options));
  if (!scratch) return report(options, scratch.error());
  auto limit = limit_contender(scratch->path());
  if (!limit) return report(options, limit.error());
  auto store = store_contender(scratch->path());
  if (!store) return report(options, store.error());
  const StopWatch stop;
  std::vector<Row> rows = rows_of(arguments, *limit, *store);
  const std::chrono::nanoseconds slice(std::llround(arguments.seconds * 1e9 / turns));
  const auto all_seconds = static_cast<std::uint64_t>(
      std::llround(arguments.seconds * static_cast<double>(rows.size())));
  Progress progress(
      "measured", [&] { return all_seconds; }, ProgressUnit::seconds);
  std::uint64_t slices = 0;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (Row& row : rows) {
      if (stop.token().stop_requested()) break;
      progress.show(all_seconds * slices++ / (turns * rows.size()));
      if (!run_load(*row.contender, row.load, slice, row.measured)) {
        progress.hide();
        return report(options, Error(ErrorCode::store_io,
                                     "a write of " + name_of(row) + " failed: is the disk full?"));
      }
    }
  }
  progress.hide();
  return measure(options, rows, stop);
}

void add_count(Command command, const char* name, std::optional<std::uint64_t>& value,
               std::uint64_t most, const char* description) {
  command.add_number(name, value, description)
      .value_name("N")
      .check([most](const std::string& text) {
        const auto number = parse_number(text);
        return number && *number >= 1 && *number <= most
                   ? std::string()
                   : "wanted 1 to " + std::to_string(most) + ", not " + text;
      });
}

}  // namespace

void add_bench(Command app, Options& options, Run& run) {
  const auto arguments = std::make_shared<BenchArguments>();
  const Command command =
      app.add_command("bench", "measure what a durable input costs on this disk");
  add_count(command, "--callers", arguments->callers, callers_max,
            "threads that wait for each input [1, 8 and 64 in turn]");
  add_count(command, "--in-flight", arguments->in_flight, in_flight_max,
            "submissions of one thread on their way [64 and 1024]");
  command.add_option("--seconds", arguments->seconds, "time for each row [2]")
      .value_name("SECONDS")
      .check(check_seconds);
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] { return bench(options, *arguments); };
  });
}

}  // namespace worker_runtime::cli
