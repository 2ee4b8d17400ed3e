// Uses both components through their public headers: a Runtime in memory, and one under argv[1].
#include <cstdio>
#include <utility>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/runtime.h"

namespace {

int fail(const char* what, const worker_runtime::Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.detail().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto runtime_id = worker_runtime::RuntimeId::parse("consumer");
  if (!runtime_id) return fail("id", runtime_id.error());
  auto in_memory = worker_runtime::Runtime::in_memory(*runtime_id);
  if (!in_memory) return fail("memory", in_memory.error());

  worker_runtime::fs_store::StoreOptions options;
  options.root = argv[1];
  options.runtime_id = *runtime_id;
  options.create = true;
  auto persistent = worker_runtime::fs_store::open_runtime(std::move(options));
  if (!persistent) return fail("fs_store", persistent.error());
  if (auto closed = persistent->close(); !closed) return fail("close", closed.error());

  const auto version = worker_runtime::version();
  std::printf("worker-runtime %.*s\n", static_cast<int>(version.size()), version.data());
  return 0;
}
