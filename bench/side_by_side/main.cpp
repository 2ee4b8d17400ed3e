// This store beside the limit of the disk and beside the stores that its users would else take, all
// in one run, in turns. Prints JSON; bench/run.py makes tables and pictures of it.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "contenders.h"
#include "peers.h"

namespace worker_runtime::bench {

std::string key_of(char kind, std::uint64_t number) {
  std::string key(9, kind);
  for (std::size_t at = 8; at > 0; --at, number >>= 8U) key[at] = static_cast<char>(number & 0xffU);
  return key;
}

namespace {

/// The limit and the store take turns with all others: a disk that drifts does so for all.
constexpr std::size_t turns = 5;

struct Row {
  std::string name;
  const cli::Contender* contender = nullptr;
  cli::Load load;
  cli::Measured measured{};
  std::uint64_t device_bytes = 0;
};

/// Bytes written to all disks since the machine started. Only disks, no parts of them.
std::uint64_t device_bytes_written() {
  std::ifstream file("/proc/diskstats");
  std::uint64_t sectors = 0;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string major;
    std::string minor;
    std::string name;
    words >> major >> minor >> name;
    if (!std::filesystem::exists("/sys/block/" + name) || name.starts_with("loop")) continue;
    std::uint64_t value = 0;
    for (int field = 0; field < 7; ++field) words >> value;  // the seventh: sectors written
    sectors += value;
  }
  return sectors * 512;
}

void run_slice(Row& row, std::chrono::nanoseconds slice) {
  // What others left to be written is theirs.
  ::sync();
  const std::uint64_t before = device_bytes_written();
  if (!cli::run_load(*row.contender, row.load, slice, row.measured)) fail(row.name + " failed");
  ::sync();
  row.device_bytes += device_bytes_written() - before;
}

void print(const std::vector<Row>& rows) {
  std::puts("{\"rows\":[");
  for (const Row& row : rows) {
    const auto& latencies = row.measured.latencies;
    std::printf(R"({"name":"%s","callers":%zu,"in_flight":%zu,"operations":%llu,)"
                R"("ops_per_second":%.0f,"p50_us":%.1f,"p90_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,)"
                R"("device_bytes":%.0f})"
                "%s\n",
                row.name.c_str(), row.load.callers, row.load.callers * row.load.in_flight,
                static_cast<unsigned long long>(row.measured.operations), row.measured.per_second(),
                latencies.microseconds(0.5), latencies.microseconds(0.9),
                latencies.microseconds(0.99), latencies.microseconds(0.999),
                static_cast<double>(row.device_bytes) /
                    std::max(1.0, static_cast<double>(row.measured.operations)),
                &row == &rows.back() ? "" : ",");
  }
  std::puts("]}");
}

struct Arguments {
  std::string directory = ".";
  std::string only;
  std::uint64_t operations = 0;
  double seconds = 5;
};

/// So many commits of one caller, for strace to count its calls.
void run_some(const cli::Contender& contender, std::uint64_t operations) {
  for (std::uint64_t number = 0; number < operations; ++number) {
    if (!contender.commit()) fail(contender.name + " failed");
  }
}

int run(const Arguments& arguments) {
  const cli::Scratch scratch = must(cli::Scratch::make(arguments.directory));
  const auto& place = scratch.path();
  const auto wanted = [&](const char* name) {
    return arguments.only.empty() || arguments.only == name;
  };
  std::vector<cli::Contender> peers;
  if (wanted("limit")) peers.push_back(must(cli::limit_contender(place)));
  if (wanted("worker-runtime")) {
    peers.push_back(must(cli::store_contender(place)));
    peers.back().name = "worker-runtime";
  }
  if (wanted("LevelDB")) peers.push_back(make_leveldb(place));
  if (wanted("RocksDB")) peers.push_back(make_rocksdb(place));
  if (wanted("SQLite")) peers.push_back(make_sqlite(place));
  if (wanted("LMDB")) peers.push_back(make_lmdb(place));
  if (arguments.operations > 0) {
    run_some(peers.at(0), arguments.operations);
    return 0;
  }
  if (wanted("pipe")) peers.push_back(make_pipe(place));
  std::vector<Row> rows;
  for (const std::size_t callers : std::array<std::size_t, 3>{1, 8, 64}) {
    for (const cli::Contender& peer : peers) {
      if (peer.commit) rows.push_back({peer.name, &peer, {callers, 1}});
    }
  }
  for (const std::size_t in_flight : std::array<std::size_t, 2>{64, 1024}) {
    for (const cli::Contender& peer : peers) {
      if (peer.submit) rows.push_back({peer.name, &peer, {1, in_flight}});
    }
  }
  const std::chrono::nanoseconds slice(std::llround(arguments.seconds * 1e9 / turns));
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (Row& row : rows) run_slice(row, slice);
  }
  print(rows);
  return 0;
}

}  // namespace
}  // namespace worker_runtime::bench

int main(int argc, char** argv) {
  namespace bench = worker_runtime::bench;
  bench::Arguments arguments;
  CLI::App app("This store, the limit of the disk, and other stores, side by side.");
  app.add_option("--directory", arguments.directory, "on the disk to measure");
  app.add_option("--seconds", arguments.seconds, "for each row, in five turns");
  app.add_option("--only", arguments.only, "one of them");
  app.add_option("--operations", arguments.operations,
                 "so many commits of one caller, and no times");
  return bench::parse_and_run(app, argc, argv, [&] { return bench::run(arguments); });
}
