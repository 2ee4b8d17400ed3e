// Acting on a Runtime that another process has open: the host serves requests, others ask it.
//
//   persistent_requests DIRECTORY
//
// Here both are one program. Usually the one that asks is another process: a tool of yours, or
// `worker-runtime send` in a shell.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/requests.h"

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

// [ask]
/// Sends the Worker an input, whoever has its Runtime open. None: nobody serves requests.
std::optional<wr::EntryAccepted> send(const std::filesystem::path& root,
                                      const wr::WorkerId& worker) {
  // The runtime's id may stay empty: the one that is asked. With a key the call can be repeated if
  // its outcome is unknown (`store_failed`).
  const wr::SendInput input{{wr::RuntimeId(), worker}, wr::InputRole::user, "hello", "greeting-1"};
  const auto answer = must(wr::fs_store::ask_host(root, std::nullopt, wr::Mutation(input)));
  if (!answer) return std::nullopt;
  return std::get<wr::EntryAccepted>(*answer);
}
// [/ask]

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path root = std::filesystem::path(argv[1]) / "store";

  // [serve]
  wr::fs_store::StoreOptions options;
  options.root = root;
  options.create = true;
  wr::Runtime runtime = must(wr::fs_store::open_runtime(options));
  // From here on other processes may send, stop, create: until the host is destroyed, which must
  // come before close().
  std::optional host = must(wr::fs_store::RequestHost::start(runtime, options));
  // [/serve]

  wr::CreateRequest request;
  request.intent = wr::AssistantIntent{};
  request.worker_id = must(wr::WorkerId::parse("greeter"));
  must(runtime.create_worker(request));

  const auto accepted = send(root, *request.worker_id);
  if (!accepted) return 1;
  std::printf("entry %llu\n", static_cast<unsigned long long>(accepted->sequence.value));

  host.reset();
  if (send(root, *request.worker_id)) return 1;
  std::printf("nobody serves requests any more\n");
  return runtime.close() ? 0 : 1;
}
