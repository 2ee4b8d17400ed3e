// What a crash leaves: a child process is killed while it writes, and nothing it was told is lost.
//
//   recover_after_crash DIRECTORY
//
// The child tells through a pipe which of its calls returned. After the kill the parent opens the
// same directory, without any repair step, and finds every one of them.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
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

wr::Runtime open(const char* directory) {
  wr::fs_store::StoreOptions options;
  options.root = directory;
  options.create = true;
  return must(wr::fs_store::open_runtime(options));
}

/// Sends inputs for ever, and writes the number of each that was accepted into the pipe.
[[noreturn]] void send_until_killed(const char* directory, int acknowledgements) {
  wr::Runtime runtime = open(directory);
  wr::CreateRequest request;
  request.intent = wr::TaskIntent{"remember what you are told"};
  const wr::WorkerRef worker_ref = must(runtime.create_worker(request)).summary.worker_ref;
  for (std::uint64_t number = 1;; ++number) {
    must(
        runtime.send_input({worker_ref, wr::InputRole::user, "message " + std::to_string(number)}));
    if (write(acknowledgements, &number, sizeof number) != sizeof number) std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: recover_after_crash DIRECTORY\n");
    return 2;
  }
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return 1;
  const pid_t child = fork();  // before any Runtime is open: it belongs to one process
  if (child < 0) return 1;
  if (child == 0) send_until_killed(argv[1], ends[1]);
  close(ends[1]);

  // Kill it in the middle of its work, and read what it said until then.
  std::uint64_t acknowledged = 0;
  while (acknowledged < 100) {
    if (read(ends[0], &acknowledged, sizeof acknowledged) != sizeof acknowledged) return 1;
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  while (read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) continue;

  // Opening recovers. The lock of a process that died stands in nobody's way.
  wr::Runtime runtime = open(argv[1]);
  const wr::WorkerSummary worker = must(runtime.list_workers()).workers.at(0);
  std::printf("acknowledged %llu, recovered %llu\n", static_cast<unsigned long long>(acknowledged),
              static_cast<unsigned long long>(worker.transcript_len));

  // One more than acknowledged may be there: written, but the kill came before the answer.
  if (worker.transcript_len < acknowledged || worker.transcript_len > acknowledged + 1) return 1;
  wr::TranscriptQuery newest;
  newest.limit = 1;
  newest.direction = wr::Direction::newest_first;
  const wr::TranscriptPage page = must(runtime.read_transcript(worker.worker_ref, newest));
  if (page.items.at(0).content != "message " + std::to_string(worker.transcript_len)) return 1;

  // And it goes on.
  must(runtime.send_input({worker.worker_ref, wr::InputRole::user, "after the crash"}));
  return runtime.close() ? 0 : 1;
}
