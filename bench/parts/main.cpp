// What the parts of a durable input cost by themselves: planning, applying, encoding, checking, and
// on the way back a page of a log. All in memory.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checked_line.h"
#include "codec.h"
#include "file_system.h"
#include "log_file.h"
#include "log_lines.h"
#include "plan.h"
#include "state.h"

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
void encode_commit(benchmark::State& state) {
  OneWorker worker;
  const Commit& commit = worker.plan_input();
  Expansion expansion;
  worker.expand(expansion);
  std::vector<LogLine> lines;
  std::string changes;
  std::string object;
  std::string record;
  while (state.KeepRunning()) {
    lines.clear();
    changes.clear();
    object.clear();
    record.clear();
    append_log_lines(lines, expansion.events, must(RuntimeId::parse("bench")));
    encode_changes(changes, commit, lines);
    encode(object, RecordHead{commit.lsn, Epoch{1}, commit.lsn, 0}, changes);
    benchmark::DoNotOptimize(append_checked_line(record, object));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(record.size()));
}
BENCHMARK(encode_commit);

/// A line of a transcript, and of the journal.
struct Lines {
  std::string entry;
  std::string record;
};

Lines lines_of_an_input() {
  OneWorker worker;
  const Commit& commit = worker.plan_input();
  Expansion expansion;
  worker.expand(expansion);
  std::vector<LogLine> lines;
  append_log_lines(lines, expansion.events, must(RuntimeId::parse("bench")));
  std::string changes;
  encode_changes(changes, commit, lines);
  std::string object;
  encode(object, RecordHead{commit.lsn, Epoch{1}, commit.lsn, 0}, changes);
  Lines made{lines.back().line, ""};
  append_checked_line(made.record, object);
  return made;
}

void checksum(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
  while (state.KeepRunning()) benchmark::DoNotOptimize(crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->Arg(500)->Arg(65536);

void check_entry_line(benchmark::State& state) {
  const std::string line = lines_of_an_input().entry;
  while (state.KeepRunning()) benchmark::DoNotOptimize(check_line(without_newline(line)));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(check_entry_line);

void decode_entry(benchmark::State& state) {
  const std::string line = lines_of_an_input().entry;
  Decoder decoder;
  while (state.KeepRunning()) benchmark::DoNotOptimize(must(decoder.entry(without_newline(line))));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(decode_entry);

void decode_record(benchmark::State& state) {
  const std::string line = lines_of_an_input().record;
  Decoder decoder;
  while (state.KeepRunning()) benchmark::DoNotOptimize(must(decoder.record(without_newline(line))));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(decode_record);

/// A log of 100,000 entries as bytes in memory.
class LogInMemory final : public File {
 public:
  LogInMemory() {
    OneWorker worker;
    std::vector<LogLine> lines;
    for (int number = 0; number < 100'000; ++number) {
      worker.plan_input();
      Expansion expansion;
      worker.expand(expansion);
      lines.clear();
      append_log_lines(lines, expansion.events, must(RuntimeId::parse("bench")));
      bytes_ += lines.back().line;
      worker.apply();
      worker.end_group();
    }
  }
  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    return std::string_view(bytes_).substr(offset).copy(to.data(), to.size());
  }
  Result<void> write(std::uint64_t, std::string_view) override { std::abort(); }
  Result<void> sync() override { return {}; }
  void begin_writeback(std::uint64_t, std::uint64_t) override {}
  void keep_in_place() override {}
  Result<void> truncate(std::uint64_t) override { std::abort(); }
  [[nodiscard]] Result<std::uint64_t> size() const override { return bytes_.size(); }
  [[nodiscard]] FileIdentity identity() const override { return {}; }

 private:
  std::string bytes_;
};

void any_page_of_256(benchmark::State& state) {
  const LogInMemory log;
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
