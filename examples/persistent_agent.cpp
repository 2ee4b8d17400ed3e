// An agent whose conversation survives the program: run it again, and it goes on where it was.
//
//   persistent_agent DIRECTORY
//
// Afterwards look into DIRECTORY with `jq`, `grep` or `tail -F`: everything is plain JSON.
#include <cstdio>
#include <cstdlib>

#include "worker_runtime/fs_store/fs_store.h"

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

/// Stands for the language model.
std::string answer_to(const std::string& question) { return "You asked: " + question; }

/// One run of the program. Answers how many entries the transcript has at its end.
std::uint64_t run(const std::filesystem::path& root) {
  // [agent]
  wr::fs_store::StoreOptions options;
  options.root = root;
  options.create = true;  // make the runtime at the first run
  wr::Runtime runtime = must(wr::fs_store::open_runtime(options));

  // The idempotency key makes the repetition of a call harmless: every run gets the same Worker.
  wr::CreateRequest request;
  request.intent = wr::AssistantIntent{"answers questions"};
  request.idempotency_key = "the-assistant";
  const wr::WorkerRef agent = must(runtime.create_worker(request)).summary.worker_ref;

  // When a call returns, what it did is on the disk, whatever happens next.
  const std::string question = "What is a write-ahead journal?";
  must(runtime.send_input({agent, wr::InputRole::user, question}));

  wr::AppendOutput answer;
  answer.worker_ref = agent;
  answer.content = answer_to(question);
  answer.usage = {{"tokens", 17}};
  must(runtime.append_output(answer));

  for (const wr::TranscriptEntry& entry : must(runtime.read_transcript(agent)).items) {
    std::printf("%-9s %s\n", wr::to_string(entry.role).data(), entry.content.c_str());
  }
  // [/agent]
  const std::uint64_t length = must(runtime.worker_detail(agent)).summary.transcript_len;
  // Closing makes the next open quick; without it nothing is lost.
  if (!runtime.close()) std::exit(1);
  return length;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: persistent_agent DIRECTORY\n");
    return 2;
  }
  const std::uint64_t first = run(argv[1]);
  const std::uint64_t second = run(argv[1]);  // as if the program had been started again
  return second == first + 2 ? 0 : 1;
}
