// What operations cost as Workers and histories grow: with durability `none`, so that the disk does
// not hide it. Prints JSON; bench/run.py makes tables and pictures of it.
//
//   bench_growth [--directory DIR] [--events N]...     --open ROOT is for the program itself
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "contenders.h"
#include "measured.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::bench {
namespace {

class Grown {
 public:
  explicit Grown(const std::filesystem::path& root)
      : root_(root), runtime_(open(root, Durability::none)) {}

  static Runtime open(const std::filesystem::path& root, Durability durability) {
    fs_store::StoreOptions options;
    options.root = root;
    options.create = true;
    options.durability = durability;
    return must(fs_store::open_runtime(std::move(options)));
  }

  /// All but the calls that are measured.
  void grow(std::uint64_t workers, std::uint64_t events) {
    while (refs_.size() < workers) {
      std::vector<Mutation> batch;
      for (std::uint64_t more = std::min<std::uint64_t>(1000, workers - refs_.size()); more > 0;
           --more) {
        CreateRequest request;
        request.intent = TaskIntent{"measure"};
        batch.emplace_back(std::move(request));
      }
      for (Answer& answer : must(runtime_.batch(std::move(batch))))
        refs_.push_back(std::get<WorkerDetail>(answer).summary.worker_ref);
    }
    const std::uint64_t known = must(runtime_.summary()).event_count;
    InFlight in_flight;
    for (std::uint64_t more = events - std::min(events, known); more > 0; --more) {
      in_flight.wait_until_below(1000);
      in_flight.begin();
      runtime_.submit(input(), [&](const Result<Answer>& answer) {
        if (!answer) fail(answer.error().detail());
        in_flight.end();
      });
    }
    in_flight.wait_until_below(1);
    must(runtime_.checkpoint());
  }

  SendInput input() {
    next_ = (next_ + 7919) % refs_.size();  // a prime, so that neighbours are not met together
    return {refs_[next_], InputRole::user, std::string(cli::content_bytes, 'x')};
  }

  std::string measure() {
    const std::uint64_t last = must(runtime_.summary()).event_count;
    std::uint64_t place = 0;
    const auto events_from = [&](std::uint64_t from) {
      EventQuery query;
      query.from = EventId{std::max<std::uint64_t>(from, 1)};
      if (must(runtime_.read_events(query)).events.empty()) fail("a page is empty");
    };
    std::string row;
    const auto send = [&] { must(runtime_.send_input(input())); };
    const std::size_t begin = next_;
    add(row, "first_send_us", median(2000, send));
    next_ = begin;  // the same Workers
    add(row, "send_us", median(2000, send));
    add(row, "detail_us", median(500, [&] { must(runtime_.worker_detail(input().worker_ref)); }));
    add(row, "list_us", median(200, [&] { must(runtime_.list_workers()); }));
    add(row, "tail_page_us", median(200, [&] { events_from(last > 256 ? last - 256 : 1); }));
    add(row, "page_us", median(200, [&] {
          place = (place + 611'953) % last;
          events_from(place);
        }));
    add(row, "transcript_us",
        median(200, [&] { must(runtime_.read_transcript(input().worker_ref)); }));
    add(row, "checkpoint_us", microseconds([&] { must(runtime_.checkpoint()); }));
    if (!runtime_.close()) fail("close");
    return row;
  }

  static void add(std::string& row, const char* name, double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), ",\"%s\":%.1f", name, value);
    row += text.data();
  }

 private:
  const std::filesystem::path root_;
  Runtime runtime_;
  std::vector<WorkerRef> refs_;
  std::size_t next_ = 0;
};

// ---- opening, each time in a process of its own

int open_once(const std::string& root) {
  const double time = microseconds([&] {
    const Runtime runtime = Grown::open(root, Durability::sync);
    static_cast<void>(must(runtime.summary()));
  });
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:"))
      std::printf("%.1f %.1f\n", time / 1000, std::strtod(line.c_str() + 6, nullptr) / 1024);
  }
  return 0;
}

/// Milliseconds and MiB: the best of five.
std::pair<double, double> measure_open(const std::filesystem::path& root) {
  std::pair<double, double> best{1e9, 1e9};
  for (int attempt = 0; attempt < 5; ++attempt) {
    const std::string command = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string out = root.string() + ".open";
    std::array<std::string, 3> words{command, "--open", root.string()};
    std::array<char*, 4> line{words[0].data(), words[1].data(), words[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t process = 0;
    if (::posix_spawn(&process, line[0], &actions, nullptr, line.data(), environ) != 0)
      fail("spawn");
    posix_spawn_file_actions_destroy(&actions);
    ::waitpid(process, nullptr, 0);
    std::ifstream told(out);
    std::pair<double, double> one;
    told >> one.first >> one.second;
    best = {std::min(best.first, one.first), std::min(best.second, one.second)};
  }
  return best;
}

void measure(const std::filesystem::path& directory, const char* grows, std::uint64_t workers,
             std::uint64_t events, bool is_last) {
  const std::filesystem::path root =
      directory / (std::to_string(workers) + "-" + std::to_string(events));
  std::string row;
  {
    Grown grown(root);
    grown.grow(workers, events);
    row = grown.measure();
  }
  // Behind a writer that syncs, as a user has it.
  if (!Grown::open(root, Durability::sync).close()) fail("close");
  const auto [open_ms, open_mib] = measure_open(root);
  Grown::add(row, "open_ms", open_ms);
  Grown::add(row, "open_mib", open_mib);
  std::printf("{\"grows\":\"%s\",\"workers\":%llu,\"events\":%llu%s}%s\n", grows,
              static_cast<unsigned long long>(workers), static_cast<unsigned long long>(events),
              row.c_str(), is_last ? "" : ",");
  std::fflush(stdout);
  std::filesystem::remove_all(root);
}

int run(const std::string& directory, std::vector<std::uint64_t> events) {
  const cli::Scratch scratch = must(cli::Scratch::make(directory));
  if (events.empty()) events = {1000, 100'000, 1'000'000};
  std::puts("[");
  for (const std::uint64_t workers : {1ULL, 1000ULL, 100'000ULL})
    measure(scratch.path(), "workers", workers, workers + 10'000, false);
  for (const std::uint64_t count : events)
    measure(scratch.path(), "events", std::min<std::uint64_t>(1000, count / 2), count,
            count == events.back());
  std::puts("]");
  return 0;
}

}  // namespace
}  // namespace worker_runtime::bench

int main(int argc, char** argv) {
  namespace bench = worker_runtime::bench;
  std::string directory = ".";
  std::string root;
  std::vector<std::uint64_t> events;
  CLI::App app("What operations cost as Workers and histories grow.");
  app.add_option("--directory", directory, "on the disk to measure");
  app.add_option("--events", events, "lengths of histories [1000, 100000, 1000000]");
  app.add_option("--open", root, "opens a store and says what that cost");
  return bench::parse_and_run(app, argc, argv, [&] {
    return root.empty() ? bench::run(directory, events) : bench::open_once(root);
  });
}
