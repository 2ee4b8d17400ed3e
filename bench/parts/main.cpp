// What the parts of a durable input cost by themselves: planning, applying, encoding, checking, and
// on the way back a page of a log. All in memory.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checked_line.h"
#include "codec.h"
#include "log_file.h"
#include "log_lines.h"
#include "plan.h"
#include "state.h"
#include "support/fs_store/memory_file.h"

namespace worker_runtime::fs_store {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) std::abort();
  return *std::move(result);
}

void must(Result<void> result) {
  if (!result) std::abort();
}

/// A state with one Worker, and inputs of 300 bytes for it, planned and applied as a group does.
class OneWorker {
 public:
  OneWorker() : state_(record()), head_(state_.implementation()) {
    CreateRequest create;
    create.intent = TaskIntent{"measure"};
    create.worker_id = worker_ref_.worker_id;
    plan_and_apply(create, {});
  }

  /// What the next input changes.
  const Commit& plan_input() {
    plan_one(SendInput{worker_ref_, InputRole::user, content_}, head_.find(worker_ref_.worker_id));
    return commit_;
  }
  void expand(Expansion& expansion) const { head_.expand(commit_.changes.front(), expansion); }
  void apply() {
    must(head_.apply(commit_.changes.front(), commit_.lsn));
    head_.set_lsn(commit_.lsn);
  }
  void end_group() {
    head_.merge_into(state_.implementation());
    head_.reset();
  }

 private:
  static RuntimeRecord record() {
    RuntimeRecord record;
    record.runtime_id = must(RuntimeId::parse("bench"));
    return record;
  }
  void plan_one(Mutation operation, const WorkerState* worker) {
    commit_.lsn = head_.runtime().lsn.next();
    commit_.changes.clear();
    PlanContext context;
    context.at = Timestamp{1'795'000'000'000'000 + static_cast<std::int64_t>(commit_.lsn.value)};
    context.worker = worker;
    benchmark::DoNotOptimize(must(plan(head_, operation, context, commit_.changes)));
  }
  void plan_and_apply(Mutation operation, const WorkerState* worker) {
    plan_one(std::move(operation), worker);
    apply();
    end_group();
  }

  State state_;
  Head head_;
  Commit commit_;
  const WorkerRef worker_ref_{must(RuntimeId::parse("bench")), must(WorkerId::parse("worker"))};
  const std::string content_ = std::string(300, 'x');
};

constexpr int group = 64;

void plan_and_apply(benchmark::State& state) {
  OneWorker worker;
  int planned = 0;
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(worker.plan_input());
    worker.apply();
    if (++planned % group == 0) worker.end_group();
  }
}
BENCHMARK(plan_and_apply);

/// The lines for the logs, and the record of the journal that repeats them.
class Encoded {
 public:
  void encode(const OneWorker& worker, const Commit& commit) {
    Expansion expansion;
    worker.expand(expansion);
    lines_.clear();
    changes_.clear();
    object_.clear();
    record_.clear();
    append_log_lines(lines_, expansion.events, runtime_id_);
    encode_changes(changes_, commit, lines_);
    fs_store::encode(object_, RecordHead{commit.lsn, Epoch{1}, commit.lsn, 0}, changes_);
    append_checked_line(record_, object_);
  }
  [[nodiscard]] const std::string& entry() const { return lines_.back().line; }
  [[nodiscard]] const std::string& record() const { return record_; }

 private:
  const RuntimeId runtime_id_ = must(RuntimeId::parse("bench"));
  std::vector<LogLine> lines_;
  std::string changes_;
  std::string object_;
  std::string record_;
};

void encode_commit(benchmark::State& state) {
  OneWorker worker;
  const Commit& commit = worker.plan_input();
  Encoded encoded;
  while (state.KeepRunning()) {
    encoded.encode(worker, commit);
    benchmark::DoNotOptimize(encoded.record().data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(encoded.record().size()));
}
BENCHMARK(encode_commit);

Encoded encoded_input() {
  OneWorker worker;
  const Commit& commit = worker.plan_input();
  Encoded encoded;
  encoded.encode(worker, commit);
  return encoded;
}

void checksum(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
  while (state.KeepRunning()) benchmark::DoNotOptimize(crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->Arg(500)->Arg(65536);

void check_entry_line(benchmark::State& state) {
  const std::string line = encoded_input().entry();
  while (state.KeepRunning()) benchmark::DoNotOptimize(check_line(without_newline(line)));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(check_entry_line);

void decode_entry(benchmark::State& state) {
  const std::string line = encoded_input().entry();
  Decoder decoder;
  while (state.KeepRunning()) benchmark::DoNotOptimize(must(decoder.entry(without_newline(line))));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(decode_entry);

void decode_record(benchmark::State& state) {
  const std::string line = encoded_input().record();
  Decoder decoder;
  while (state.KeepRunning()) benchmark::DoNotOptimize(must(decoder.record(without_newline(line))));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(decode_record);

/// A log of 100,000 entries.
std::string log_of_entries() {
  OneWorker worker;
  Encoded encoded;
  std::string bytes;
  for (int number = 0; number < 100'000; ++number) {
    encoded.encode(worker, worker.plan_input());
    bytes += encoded.entry();
    worker.apply();
    worker.end_group();
  }
  return bytes;
}

void any_page_of_256(benchmark::State& state) {
  const MemoryFile log(log_of_entries());
  Decoder decoder;
  const Extent extent{1, 100'000, must(log.size())};
  std::uint64_t start = 1;
  while (state.KeepRunning()) {
    start = (start + 7919) % 99'000 + 1;  // a prime, so that neighbours are not met together
    std::uint64_t left = 256;
    const auto visit = [&](std::uint64_t /*number*/, std::string_view line) {
      benchmark::DoNotOptimize(must(decoder.entry(line)));
      return --left > 0;
    };
    if (must(visit_lines(log, extent, {"sequence", start}, visit)) || left != 0) std::abort();
  }
}
BENCHMARK(any_page_of_256);

}  // namespace
}  // namespace worker_runtime::fs_store
