// Long histories: pages of a log of a gigabyte beside the same lines in SQLite, readers beside a
// writer, recovery of a full journal, and many Workers beside bare directories. Prints JSON;
// bench/run.py makes tables of it.
//
//   bench_histories [--directory DIR] [--entries N] [--workers N] [--seconds S]
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "contenders.h"
#include "measured.h"
#include "table.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/lines.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::bench {
namespace {

constexpr std::uint64_t page = 256;

struct Arguments {
  std::string directory = ".";
  std::uint64_t entries = 2'200'000;  // a gigabyte
  std::uint64_t workers = 100'000;
  double seconds = 10;
};

fs_store::StoreOptions options(const std::filesystem::path& root, Durability durability) {
  fs_store::StoreOptions made;
  made.root = root;
  made.create = true;
  made.durability = durability;
  return made;
}

WorkerRef create_one(Runtime& runtime) {
  CreateRequest request;
  request.intent = TaskIntent{"measure"};
  return must(runtime.create_worker(std::move(request))).summary.worker_ref;
}

void send_many(Runtime& runtime, const WorkerRef& worker_ref, std::uint64_t count) {
  InFlight in_flight;
  for (std::uint64_t number = 0; number < count; ++number) {
    in_flight.wait_until_below(1000);
    in_flight.begin();
    SendInput input{worker_ref, InputRole::user, std::string(cli::content_bytes, 'x')};
    runtime.submit(std::move(input), [&](const Result<Answer>& answer) {
      if (!answer) fail(answer.error().detail());
      in_flight.end();
    });
  }
  in_flight.wait_until_below(1);
}

// ---- pages

/// Pages in turns, ours and SQLite's, at the same random places: medians, in microseconds.
struct Pages {
  double ours = 0;
  double sqlite = 0;
};

Pages measure_pages(std::uint64_t lines, const std::function<void(std::uint64_t from)>& ours,
                    const std::function<void(std::uint64_t from)>& sqlite) {
  constexpr std::size_t turns = 400;
  std::mt19937_64 random(1);
  std::vector<double> times_of_ours;
  std::vector<double> times_of_sqlite;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    const std::uint64_t from = random() % (lines - page) + 1;
    times_of_ours.push_back(microseconds([&] { ours(from); }));
    times_of_sqlite.push_back(microseconds([&] { sqlite(from); }));
  }
  return {middle_of(times_of_ours), middle_of(times_of_sqlite)};
}

void print_pages(const char* log, const char* how, const Pages& pages, bool is_last = false) {
  std::printf("{\"what\":\"%s, %s\",\"us\":%.1f,\"sqlite_us\":%.1f}%s\n", log, how, pages.ours,
              pages.sqlite, is_last ? "" : ",");
}

void expect(bool is_right) {
  if (!is_right) fail("a page is not what it should be");
}

/// One log and its lines in SQLite.
struct History {
  const char* name;
  std::function<std::size_t(std::uint64_t from)> read_page;  ///< How many lines.
  std::function<void(std::uint64_t from, const fs_store::LineVisitor& visitor)> visit;
  std::function<void(std::string_view line)> decode;
};

void measure_history(const std::filesystem::path& place, const History& history,
                     std::uint64_t lines, bool is_last) {
  Table table(place / (std::string(history.name) + ".db"));
  table.begin();
  history.visit(1, [&](std::uint64_t number, std::string_view line) {
    table.add(number, line);
    return true;
  });
  table.end();
  const auto as_values = [&](std::uint64_t from) { expect(history.read_page(from) == page); };
  const auto as_decoded_rows = [&](std::uint64_t from) {
    std::uint64_t seen = 0;
    table.read(from, page, [&](std::string_view line) {
      history.decode(line);
      ++seen;
    });
    expect(seen == page);
  };
  print_pages(history.name, "decoded", measure_pages(lines, as_values, as_decoded_rows));
  std::size_t bytes = 0;
  const auto as_lines = [&](std::uint64_t from) {
    std::uint64_t seen = 0;
    history.visit(from, [&](std::uint64_t, std::string_view line) {
      bytes += line.size();
      return ++seen < page;
    });
    expect(seen == page);
  };
  const auto as_rows = [&](std::uint64_t from) {
    table.read(from, page, [&](std::string_view line) { bytes += line.size(); });
  };
  print_pages(history.name, "as lines", measure_pages(lines, as_lines, as_rows), is_last);
  expect(bytes > 0);
}

void measure_reads(const std::filesystem::path& place, std::uint64_t entries) {
  auto runtime = must(fs_store::open_runtime(options(place / "reads", Durability::none)));
  const WorkerRef worker_ref = create_one(runtime);
  send_many(runtime, worker_ref, entries);
  must(runtime.checkpoint());
  const auto reader = must(fs_store::Reader::open(place / "reads"));
  fs_store::LineDecoder decoder;
  // What is decoded is kept, as a page keeps it.
  std::vector<TranscriptEntry> decoded_entries(page);
  std::vector<Event> decoded_events(page);
  std::size_t next = 0;
  std::puts("\"pages\":[");
  measure_history(
      place,
      {"entries",
       [&](std::uint64_t from) {
         TranscriptQuery query;
         query.start = from - 1;
         return must(runtime.read_transcript(worker_ref, query)).items.size();
       },
       [&](std::uint64_t from, const fs_store::LineVisitor& visitor) {
         must(reader.visit_transcript(worker_ref, from - 1, visitor));
       },
       [&](std::string_view line) { decoded_entries[next++ % page] = must(decoder.entry(line)); }},
      entries, false);
  measure_history(
      place,
      {"events",
       [&](std::uint64_t from) {
         EventQuery query;
         query.from = EventId{from};
         return must(runtime.read_events(query)).events.size();
       },
       [&](std::uint64_t from, const fs_store::LineVisitor& visitor) {
         must(reader.visit_events(EventId{from}, visitor));
       },
       [&](std::string_view line) { decoded_events[next++ % page] = must(decoder.event(line)); }},
      entries, true);
  std::puts("],");
  if (!runtime.close()) fail("close");
}

// ---- readers beside a writer

double processor_seconds_of_thread() {
  rusage used{};
  if (::getrusage(RUSAGE_THREAD, &used) != 0) fail("getrusage");
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

using Work = std::function<void(std::mt19937_64& random)>;

/// Threads that do a piece of work again and again, and rest so long that together they take half
/// of a processor.
class HalfAProcessor {
 public:
  explicit HalfAProcessor(Work work) : work_(std::move(work)) {
    for (std::size_t thread = 0; thread < count; ++thread) {
      threads_.emplace_back([this, thread](const std::stop_token& stop) {
        std::mt19937_64 random(thread);
        const auto begun = std::chrono::steady_clock::now();
        std::uint64_t done = 0;
        while (!stop.stop_requested()) {
          work_(random);
          ++done;
          const double due = processor_seconds_of_thread() / (0.5 / count);
          std::this_thread::sleep_until(
              begun + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                          std::chrono::duration<double>(due)));
        }
        pieces_ += done;
        processor_ms_ += static_cast<std::uint64_t>(processor_seconds_of_thread() * 1000);
      });
    }
  }
  /// Once they have ended: pieces that were done, and milliseconds of processor time.
  std::pair<std::uint64_t, std::uint64_t> stop() {
    threads_.clear();
    return {pieces_, processor_ms_};
  }

 private:
  static constexpr std::size_t count = 16;
  const Work work_;
  std::atomic<std::uint64_t> pieces_{0};
  std::atomic<std::uint64_t> processor_ms_{0};
  std::vector<std::jthread> threads_;
};

/// About as long as a page takes, without anything of the store.
void compute(std::mt19937_64& random) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(500);
  std::uint64_t sum = 0;
  while (std::chrono::steady_clock::now() < until) {
    for (int number = 0; number < 1000; ++number) sum += random();
  }
  const volatile std::uint64_t kept = sum;  // so that it is not left out
  static_cast<void>(kept);
}

/// Inputs a second of one caller, in mode `sync`.
double write_for(Runtime& runtime, const WorkerRef& worker_ref, double seconds) {
  const auto begun = std::chrono::steady_clock::now();
  const auto passed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  std::uint64_t done = 0;
  for (; passed() < seconds; ++done)
    must(runtime.send_input({worker_ref, InputRole::user, std::string(cli::content_bytes, 'x')}));
  return static_cast<double>(done) / passed();
}

void measure_readers(const std::filesystem::path& place, const Arguments& arguments) {
  auto runtime = must(fs_store::open_runtime(options(place / "reads", Durability::sync)));
  const WorkerRef written = create_one(runtime);
  const WorkerRef read{written.runtime_id, *WorkerId::parse("worker-00000001")};
  const Work read_page = [&](std::mt19937_64& random) {
    TranscriptQuery query;
    query.start = random() % (arguments.entries - page);
    expect(must(runtime.read_transcript(read, query)).items.size() == page);
  };
  constexpr int turns = 5;
  const double seconds = arguments.seconds / turns;
  double alone = 0;
  double beside = 0;
  double beside_others = 0;
  std::uint64_t pages = 0;
  std::uint64_t processor_ms = 0;
  for (int turn = 0; turn < turns; ++turn) {
    alone += write_for(runtime, written, seconds) / turns;
    HalfAProcessor readers(read_page);
    beside += write_for(runtime, written, seconds) / turns;
    const auto did = readers.stop();
    pages += did.first;
    processor_ms += did.second;
    const HalfAProcessor others(compute);
    beside_others += write_for(runtime, written, seconds) / turns;
  }
  std::printf(
      "\"readers\":{\"alone_per_second\":%.0f,\"beside_per_second\":%.0f,"
      "\"beside_others_per_second\":%.0f,\"pages_per_second\":%.0f,\"processors\":%.2f},\n",
      alone, beside, beside_others, static_cast<double>(pages) / arguments.seconds,
      static_cast<double>(processor_ms) / 1000 / arguments.seconds);
  if (!runtime.close()) fail("close");
}

// ---- recovery

/// A process that died just before its checkpoint at 64 MiB of journal, which is when it is due.
void measure_recovery(const std::filesystem::path& place) {
  const std::filesystem::path root = place / "recovery";
  constexpr std::uint64_t full = std::uint64_t{64} << 20U;
  {
    fs_store::StoreOptions without_checkpoints = options(root, Durability::none);
    without_checkpoints.checkpoint_bytes = 2 * full;
    auto runtime = must(fs_store::open_runtime(std::move(without_checkpoints)));
    const WorkerRef worker_ref = create_one(runtime);
    while (must(runtime.summary()).store->journal_bytes < full)
      send_many(runtime, worker_ref, 1000);
  }
  std::uint64_t inputs = 0;
  const double opening_us = microseconds([&] {
    const auto runtime = must(fs_store::open_runtime(options(root, Durability::none)));
    inputs = must(runtime.summary()).transcript_entry_count;
  });
  std::printf("\"recovery\":{\"inputs\":%llu,\"ms\":%.0f},\n",
              static_cast<unsigned long long>(inputs), opening_us / 1000);
}

// ---- many Workers

void measure_creation(const std::filesystem::path& place, std::uint64_t workers) {
  const std::filesystem::path bare = place / "bare";
  const double bare_us = microseconds([&] {
    std::filesystem::create_directories(bare);
    const std::string line(300, 'x');
    for (std::uint64_t number = 0; number < workers; ++number) {
      const std::filesystem::path directory = bare / std::to_string(number);
      std::filesystem::create_directory(directory);
      std::ofstream(directory / "worker.json") << line;
    }
  });
  const double ours_us = microseconds([&] {
    auto runtime = must(fs_store::open_runtime(options(place / "many", Durability::sync)));
    for (std::uint64_t done = 0; done < workers;) {
      std::vector<Mutation> batch;
      for (; batch.size() < 64 && done < workers; ++done) {
        CreateRequest request;
        request.intent = TaskIntent{"measure"};
        batch.emplace_back(std::move(request));
      }
      must(runtime.batch(std::move(batch)));
    }
    if (!runtime.close()) fail("close");
  });
  std::printf("\"creation\":{\"workers\":%llu,\"s\":%.2f,\"bare_s\":%.2f}}\n",
              static_cast<unsigned long long>(workers), ours_us / 1e6, bare_us / 1e6);
}

int run(const Arguments& arguments) {
  const cli::Scratch scratch = must(cli::Scratch::make(arguments.directory));
  std::puts("{");
  measure_reads(scratch.path(), arguments.entries);
  measure_readers(scratch.path(), arguments);
  measure_recovery(scratch.path());
  measure_creation(scratch.path(), arguments.workers);
  return 0;
}

}  // namespace
}  // namespace worker_runtime::bench

int main(int argc, char** argv) {
  namespace bench = worker_runtime::bench;
  bench::Arguments arguments;
  CLI::App app("Long histories, readers beside a writer, recovery, many Workers.");
  app.add_option("--directory", arguments.directory, "on the disk to measure");
  app.add_option("--entries", arguments.entries, "of the transcript that is read");
  app.add_option("--workers", arguments.workers, "that are created");
  app.add_option("--seconds", arguments.seconds, "for readers beside a writer");
  return bench::parse_and_run(app, argc, argv, [&] { return bench::run(arguments); });
}
