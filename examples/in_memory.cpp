// A Runtime in memory: create a Worker, talk to it, read what was said.
//
// Nothing is written anywhere: what a Runtime in memory holds goes with it. Everything here works
// just the same on a persistent one; see persistent_agent.cpp.
#include <cstdio>
#include <cstdlib>

#include "worker_runtime/runtime.h"

namespace wr = worker_runtime;

namespace {

/// Every operation answers a value or an error, and nothing throws. This example gives up on any
/// error; a real program decides on error().code().
template <typename T>
T must(wr::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().detail().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

}  // namespace

int main() {
  // [open]
  wr::Runtime runtime = must(wr::Runtime::in_memory(must(wr::RuntimeId::parse("example"))));
  // [/open]

  // [create]
  // What a Worker is for is part of its record; the library never interprets it.
  wr::CreateRequest request;
  request.intent = wr::TaskIntent{"Summarise the minutes of the last meeting"};
  request.display_name = "Summariser";
  const wr::WorkerDetail worker = must(runtime.create_worker(request));
  const wr::WorkerRef& worker_ref = worker.summary.worker_ref;  // how every call names the Worker
  std::printf("created %s\n", worker_ref.worker_id.text().c_str());
  // [/create]

  // [talk]
  // Input goes in, and the host of the Worker (you) records what came out.
  must(runtime.send_input({worker_ref, wr::InputRole::user, "Please be brief."}));
  wr::AppendOutput output;
  output.worker_ref = worker_ref;
  output.content = "We agreed to ship on Friday.";
  output.usage = {{"tokens", 12}};  // any counters you like to see summed up
  must(runtime.append_output(output));
  // [/talk]

  // The transcript of one Worker ...
  const wr::TranscriptPage transcript = must(runtime.read_transcript(worker_ref));
  for (const wr::TranscriptEntry& entry : transcript.items) {
    std::printf("%2llu %-9s %s\n", static_cast<unsigned long long>(entry.sequence.value),
                wr::to_string(entry.role).data(), entry.content.c_str());
  }

  // ... and the log of everything that happened in the Runtime, in one order.
  const wr::EventPage events = must(runtime.read_events());
  for (const wr::Event& event : events.events) {
    std::printf("%2llu %-22s %s\n", static_cast<unsigned long long>(event.id.value),
                wr::to_string(event.kind).data(), event.message.c_str());
  }

  // A refusal is an error with a stable code and changes nothing.
  const auto refused = runtime.delete_worker({worker_ref});
  const bool still_runs = !refused && refused.error().code() == wr::ErrorCode::worker_active;

  must(runtime.stop_worker({worker_ref, "the summary is done"}));
  const wr::RuntimeSummary summary = must(runtime.summary());
  const bool as_expected = transcript.items.size() == 2 && events.events.size() == 4 &&
                           still_runs && summary.stopped_worker_count == 1 &&
                           summary.usage.counters.at(0).value == 12;
  return as_expected ? 0 : 1;
}
