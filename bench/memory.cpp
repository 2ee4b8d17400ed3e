// What an operation costs where nothing is written: the domain, the queue and the state alone.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "worker_runtime/runtime.h"

namespace {

namespace wr = worker_runtime;

/// The inputs go to the Workers, `range` of them, in turn.
void send_input_in_memory(benchmark::State& state) {
  auto opened = wr::Runtime::in_memory(*wr::RuntimeId::parse("bench"));
  if (!opened) std::abort();
  wr::Runtime runtime = std::move(*opened);
  std::vector<wr::WorkerRef> workers;
  for (std::int64_t number = 0; number < state.range(0); ++number) {
    wr::CreateRequest request;
    request.intent = wr::TaskIntent{"measure"};
    auto created = runtime.create_worker(request);
    if (!created) std::abort();
    workers.push_back(created->summary.worker_ref);
  }
  const std::string content(300, 'x');
  std::size_t next = 0;
  while (state.KeepRunning()) {
    auto accepted = runtime.send_input({workers[next], wr::InputRole::user, content});
    next = (next + 7919) % workers.size();  // a prime, so that neighbours are not met together
    if (!accepted) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(send_input_in_memory)->Arg(1)->Arg(1000)->Arg(100000);

/// What the memory of such a history costs by itself: a copy of the text, kept.
void keep_text_in_memory(benchmark::State& state) {
  std::deque<std::string> kept;
  const std::string content(300, 'x');
  while (state.KeepRunning()) benchmark::DoNotOptimize(kept.emplace_back(content));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(keep_text_in_memory);

}  // namespace
