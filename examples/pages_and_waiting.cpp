// Reading page by page, in both directions, and waiting for what comes next.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "worker_runtime/runtime.h"

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

std::uint64_t count_all(const wr::Runtime& runtime, const wr::WorkerRef& worker_ref) {
  std::uint64_t count = 0;
  // [transcript]
  wr::TranscriptQuery query;
  query.start = 0;  // the index of an entry: its sequence - 1
  query.limit = 100;
  while (query.start) {
    const wr::TranscriptPage page = must(runtime.read_transcript(worker_ref, query));
    for (const wr::TranscriptEntry& entry : page.items) {
      if (entry.role == wr::Role::user) ++count;
    }
    query.start = page.next;  // none at the end
  }
  // [/transcript]
  return count;
}

std::uint64_t count_newest_first(const wr::Runtime& runtime) {
  std::uint64_t count = 0;
  // [newest]
  wr::EventQuery query;
  query.direction = wr::Direction::newest_first;  // without `from`: begins with the last event
  for (bool more = true; more;) {
    const wr::EventPage page = must(runtime.read_events(query));
    count += page.events.size();
    query.from = page.next;
    more = page.has_more;
  }
  // [/newest]
  return count;
}

std::uint64_t count_workers(const wr::Runtime& runtime) {
  std::uint64_t count = 0;
  // [list]
  wr::ListQuery query;
  query.status = wr::StatusFilter::running;
  do {
    const wr::WorkerPage page = must(runtime.list_workers(query));
    for (const wr::WorkerSummary& worker : page.workers) {
      if (!worker.damaged) ++count;
    }
    query.after = page.next_after;
  } while (query.after);
  // [/list]
  return count;
}

// [wait]
void follow(const wr::Runtime& runtime, wr::EventId from, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto page = runtime.wait_events(from, std::chrono::seconds(30), stop);
    if (!page) return;  // `closed`, when the Runtime was closed meanwhile
    for (const wr::Event& event : page->events) std::printf("%s\n", event.message.c_str());
    from = page->next;  // empty pages too: at the timeout it is the same cursor
  }
}
// [/wait]

void print_diagnostics(const wr::Runtime& runtime) {
  // [diagnostics]
  const wr::DiagnosticPage page = must(runtime.diagnostics());
  for (const wr::Diagnostic& diagnostic : page.diagnostics) {
    std::printf("%s %s %s\n", wr::to_string(diagnostic.severity).data(), diagnostic.code.c_str(),
                diagnostic.message.c_str());
  }
  // [/diagnostics]
}

}  // namespace

int main() {
  wr::Runtime runtime = must(wr::Runtime::in_memory(must(wr::RuntimeId::parse("example"))));
  const std::jthread follower(
      [&runtime](const std::stop_token& stop) { follow(runtime, wr::EventId{1}, stop); });

  wr::CreateRequest request;
  request.intent = wr::AssistantIntent{};
  const wr::WorkerRef worker_ref = must(runtime.create_worker(request)).summary.worker_ref;
  for (int number = 1; number <= 250; ++number) {
    must(runtime.send_input({worker_ref, wr::InputRole::user, "number " + std::to_string(number)}));
  }
  print_diagnostics(runtime);
  // the follower ends with its stop token, before the Runtime goes
  return count_all(runtime, worker_ref) == 250 && count_newest_first(runtime) == 252 &&
                 count_workers(runtime) == 1
             ? 0
             : 1;
}
