// Following a Runtime from the side: a Reader sees what a writer does, without its lock.
//
//   follow_events DIRECTORY
//
// Here the two are threads of one program. The Reader could as well be another process, such as a
// dashboard: it only needs to be able to read the files.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"

namespace wr = worker_runtime;

namespace {

template <typename T>
T must(wr::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().detail().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

constexpr int inputs = 5;

/// The program that has the Runtime open.
void work(wr::Runtime& runtime) {
  wr::CreateRequest request;
  request.intent = wr::RoleIntent{"clerk", std::nullopt};
  const wr::WorkerRef clerk = must(runtime.create_worker(request)).summary.worker_ref;
  for (int number = 1; number <= inputs; ++number) {
    must(runtime.send_input({clerk, wr::InputRole::user, "letter " + std::to_string(number)}));
  }
  must(runtime.stop_worker({clerk, "the office closes"}));
}

// [follow]
/// The program that follows: prints every event until the Worker stops. Answers how many inputs
/// it saw.
int follow(const wr::fs_store::Reader& reader) {
  int seen = 0;
  wr::EventId from{1};  // or where the last run left off: event ids are dense and last
  for (;;) {
    const wr::EventPage page = must(reader.wait_events(from, std::chrono::seconds(30)));
    if (page.events.empty()) return -1;  // nothing came for half a minute
    for (const wr::Event& event : page.events) {
      std::printf("%s %-22s %s\n", wr::to_string(event.at).c_str(),
                  wr::to_string(event.kind).data(), event.message.c_str());
      if (event.kind == wr::EventKind::worker_input_accepted) ++seen;
      if (event.kind == wr::EventKind::worker_stopped) return seen;
    }
    from = page.next;  // no event is seen twice and none is missed
  }
}
// [/follow]

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: follow_events DIRECTORY\n");
    return 2;
  }
  wr::fs_store::StoreOptions options;
  options.root = argv[1];
  options.create = true;
  wr::Runtime runtime = must(wr::fs_store::open_runtime(options));
  const wr::fs_store::Reader reader = must(wr::fs_store::Reader::open(options.root));

  std::jthread worker([&] { work(runtime); });
  const int seen = follow(reader);
  worker.join();
  if (!runtime.close()) return 1;
  return seen == inputs ? 0 : 1;
}
