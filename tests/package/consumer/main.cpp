// Uses both components through their public headers: a Runtime in memory, and one under argv[1].
//
// It is compiled with -Wall -Wextra -Wpedantic -Werror: a member that may be left out must have a
// default, or leaving it out is a warning.
#include <chrono>
#include <cstdio>
#include <utility>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/fs_store/verify.h"
#include "worker_runtime/runtime.h"

namespace wr = worker_runtime;

namespace {

int fail(const char* what, const wr::Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.detail().c_str());
  return 1;
}

/// Each mutation with nothing but what it must have.
wr::Result<void> use(wr::Runtime& runtime) {
  auto made = runtime.create_worker({.intent = wr::TaskIntent{.objective = "sort the mail"}});
  if (!made) return std::move(made).error();
  const wr::WorkerRef worker_ref = made->summary.worker_ref;
  for (const wr::Intent& intent :
       {wr::Intent(wr::AssistantIntent{}), wr::Intent(wr::RoleIntent{.role = "clerk"})}) {
    auto other = runtime.create_worker(
        {.intent = intent, .requested_capabilities = {{.name = "web"}}, .display_name = "other"});
    if (!other) return std::move(other).error();
  }
  auto batch = runtime.batch(
      {wr::SendInput{.worker_ref = worker_ref, .content = "hello"},
       wr::AppendOutput{.worker_ref = worker_ref, .content = "hi"},
       wr::StopWorker{.worker_ref = worker_ref}, wr::CancelWorker{.worker_ref = worker_ref},
       wr::DeleteWorker{.worker_ref = worker_ref}, wr::StopRuntime{}, wr::StartRuntime{}});
  if (!batch) return std::move(batch).error();
  auto workers = runtime.list_workers({.limit = 10});
  if (!workers) return std::move(workers).error();
  auto events = runtime.read_events({.direction = wr::Direction::newest_first});
  if (!events) return std::move(events).error();
  auto entries = runtime.read_transcript(workers->workers.front().worker_ref, {.limit = 1});
  if (!entries) return std::move(entries).error();
  return runtime.close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto runtime_id = wr::RuntimeId::parse("consumer");
  if (!runtime_id) return fail("id", runtime_id.error());
  auto in_memory = wr::Runtime::in_memory(*runtime_id, {.display_name = "in memory"});
  if (!in_memory) return fail("memory", in_memory.error());
  if (auto used = use(*in_memory); !used) return fail("memory", used.error());

  auto persistent =
      wr::fs_store::open_runtime({.root = argv[1], .runtime_id = *runtime_id, .create = true},
                                 {.limits = {{.name = "page_items", .value = 100}}});
  if (!persistent) return fail("fs_store", persistent.error());
  if (auto used = use(*persistent); !used) return fail("fs_store", used.error());

  auto reader = wr::fs_store::Reader::open(argv[1]);
  if (!reader) return fail("reader", reader.error());
  auto page = reader->wait_events(wr::EventId{1}, std::chrono::milliseconds(0));
  if (!page) return fail("reader", page.error());
  auto report = wr::fs_store::verify({.root = argv[1]});
  if (!report) return fail("verify", report.error());
  if (!report->clean()) return 1;

  const auto version = wr::version();
  std::printf("worker-runtime %.*s\n", static_cast<int>(version.size()), version.data());
  return 0;
}
