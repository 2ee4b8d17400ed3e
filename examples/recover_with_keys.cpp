// Repeating a call whose outcome is unknown: with an idempotency key it is done once.
//
//   recover_with_keys DIRECTORY
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

// [reopen]
/// Sends the input once, whatever happens on the way. It carries an idempotency key.
wr::Result<wr::EntryAccepted> send_once(std::optional<wr::Runtime>& runtime,
                                        const wr::fs_store::StoreOptions& options,
                                        const wr::SendInput& input) {
  auto accepted = runtime->send_input(input);
  if (accepted || accepted.error().code() != wr::ErrorCode::store_failed) return accepted;

  // A write or a sync failed: whether the input is on the disk shows only after recovery. The
  // Runtime must be gone first, because it still holds the lock.
  runtime.reset();
  auto reopened = wr::fs_store::open_runtime(options);
  if (!reopened) return reopened.error();
  runtime.emplace(std::move(*reopened));
  return runtime->send_input(input);  // the same key: answers what is there, or does it now
}
// [/reopen]

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: recover_with_keys DIRECTORY\n");
    return 2;
  }
  wr::fs_store::StoreOptions options;
  options.root = argv[1];
  options.create = true;
  std::optional<wr::Runtime> runtime(must(wr::fs_store::open_runtime(options)));

  wr::CreateRequest request;
  request.intent = wr::TaskIntent{"book a table"};
  request.idempotency_key = "table";
  const wr::WorkerRef worker_ref = must(runtime->create_worker(request)).summary.worker_ref;

  // [key]
  wr::SendInput input{worker_ref, wr::InputRole::user, "For four, at eight."};
  input.idempotency_key = "order 17";
  const wr::EntryAccepted first = must(send_once(runtime, options, input));
  // [/key]

  // The program ends without close, as in a crash, before it could note that the input was taken.
  runtime.reset();
  runtime.emplace(must(wr::fs_store::open_runtime(options)));
  const wr::EntryAccepted again = must(send_once(runtime, options, input));
  std::printf("entry %llu, and again entry %llu\n",
              static_cast<unsigned long long>(first.sequence.value),
              static_cast<unsigned long long>(again.sequence.value));

  input.content = "For five.";  // another body under the same key
  const auto refused = runtime->send_input(input);
  const bool conflict = !refused && refused.error().code() == wr::ErrorCode::idempotency_conflict;
  const bool once = must(runtime->worker_detail(worker_ref)).summary.transcript_len == 1;
  return runtime->close() && first == again && conflict && once ? 0 : 1;
}
