// What a durable input costs, beside what the disk itself costs for the same bytes: a file laid out
// ahead, one write and one fdatasync for each group, and nothing else.
//
// tidy-allow-file(posix-file-call): the limit is measured with the system calls alone
//
// WORKER_RUNTIME_BENCH_DIRECTORY names a directory on the disk to measure; else the current one.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "worker_runtime/fs_store/fs_store.h"

namespace {

namespace wr = worker_runtime;

const std::string content(300, 'x');

/// A directory of the measurement's own, removed with it.
class Scratch {
 public:
  Scratch() {
    // Read before any other thread runs.
    const char* const given = std::getenv("WORKER_RUNTIME_BENCH_DIRECTORY");
    std::string form = std::string(given != nullptr ? given : ".") + "/bench-XXXXXX";
    if (mkdtemp(form.data()) == nullptr) std::abort();
    path_ = form;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A store with one Worker, in sync mode.
struct Bench {
  Bench() {
    wr::fs_store::StoreOptions options;
    options.root = scratch.path();
    options.create = true;
    auto opened = wr::fs_store::open_runtime(options);
    if (!opened) std::abort();
    runtime.emplace(std::move(*opened));
    wr::CreateRequest request;
    request.intent = wr::TaskIntent{"measure"};
    auto created = runtime->create_worker(request);
    if (!created) std::abort();
    worker_ref = created->summary.worker_ref;
  }
  Scratch scratch;
  std::optional<wr::Runtime> runtime;
  wr::WorkerRef worker_ref;
};

std::unique_ptr<Bench> shared_bench;

void limit_write_and_fdatasync(benchmark::State& state) {
  const Scratch scratch;
  // 600 bytes: about what an event and an entry of this size come to in the journal.
  const std::string record(600, 'x');
  constexpr off_t size = 64 << 20;
  const int file = ::open((scratch.path() / "limit").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string block(1 << 20, '\n');
  for (off_t at = 0; at < size; at += static_cast<off_t>(block.size())) {
    if (::pwrite(file, block.data(), block.size(), at) < 0) std::abort();
  }
  if (::fsync(file) != 0) std::abort();
  off_t offset = 0;
  while (state.KeepRunning()) {
    if (::pwrite(file, record.data(), record.size(), offset) < 0) std::abort();
    if (::fdatasync(file) != 0) std::abort();
    offset = (offset + static_cast<off_t>(record.size())) % (size - 4096);
  }
  static_cast<void>(::close(file));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(limit_write_and_fdatasync)->UseRealTime()->Unit(benchmark::kMicrosecond);

void send_input_sync(benchmark::State& state) {
  if (state.thread_index() == 0) shared_bench = std::make_unique<Bench>();
  while (state.KeepRunning()) {
    auto accepted =
        shared_bench->runtime->send_input({shared_bench->worker_ref, wr::InputRole::user, content});
    if (!accepted) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) shared_bench.reset();
}
BENCHMARK(send_input_sync)
    ->Threads(1)
    ->Threads(8)
    ->Threads(64)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

/// One thread that keeps `range` submissions in flight.
void submit_sync(benchmark::State& state) {
  const Bench bench;
  auto& runtime = const_cast<wr::Runtime&>(*bench.runtime);
  const auto in_flight = static_cast<std::size_t>(state.range(0));
  while (state.KeepRunning()) {
    std::promise<void> last;
    for (std::size_t number = 1; number <= in_flight; ++number) {
      runtime.submit(wr::SendInput{bench.worker_ref, wr::InputRole::user, content},
                     [&last, is_last = number == in_flight](const wr::Result<wr::Answer>& answer) {
                       if (!answer) std::abort();
                       if (is_last) last.set_value();
                     });
    }
    last.get_future().wait();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(in_flight));
}
BENCHMARK(submit_sync)->Arg(64)->Arg(1024)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
