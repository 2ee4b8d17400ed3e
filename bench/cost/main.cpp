// What an operation costs its caller in heap allocations, and under
//   valgrind --tool=callgrind --toggle-collect=measured
// in instructions: figures that nothing else on the machine disturbs.
//
//   bench_cost memory|DIRECTORY send_input|append_output COUNT
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/runtime.h"

namespace wr = worker_runtime;

namespace {

thread_local std::uint64_t allocations = 0;  // of this thread

template <typename T>
T must(wr::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().detail().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

struct Request {
  std::string_view operation;
  wr::WorkerRef worker_ref;
  std::string content;
};

void perform(wr::Runtime& runtime, const Request& request) {
  if (request.operation == "send_input") {
    must(runtime.send_input({request.worker_ref, wr::InputRole::user, request.content}));
  } else {
    wr::AppendOutput output;
    output.worker_ref = request.worker_ref;
    output.content = request.content;
    must(runtime.append_output(std::move(output)));
  }
}

wr::Runtime open(const std::string& place) {
  if (place == "memory") return must(wr::Runtime::in_memory(*wr::RuntimeId::parse("bench")));
  wr::fs_store::StoreOptions options;
  options.root = place;
  options.create = true;
  return must(wr::fs_store::open_runtime(options));
}

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): this is how it is done
void* operator new(std::size_t bytes) {
  ++allocations;
  void* const place = std::malloc(bytes);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t /*bytes*/) noexcept { std::free(place); }
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

// Named, so that it can be told to callgrind.
extern "C" [[gnu::noinline]] void measured(wr::Runtime& runtime, const Request& request,
                                           std::uint64_t count) {
  for (std::uint64_t number = 0; number < count; ++number) perform(runtime, request);
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_cost memory|DIRECTORY send_input|append_output COUNT\n");
    return 2;
  }
  wr::Runtime runtime = open(argv[1]);
  wr::CreateRequest create;
  create.intent = wr::TaskIntent{"measure"};
  const Request request{argv[2], must(runtime.create_worker(create)).summary.worker_ref,
                        std::string(300, 'x')};
  const std::uint64_t count = std::strtoull(argv[3], nullptr, 10);
  for (int number = 0; number < 100; ++number) perform(runtime, request);  // buffers have grown
  const std::uint64_t before = allocations;
  measured(runtime, request, count);
  std::printf("{\"allocations\":%.2f}\n",
              static_cast<double>(allocations - before) / static_cast<double>(count));
  return runtime.close() ? 0 : 1;
}
