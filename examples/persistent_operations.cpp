// Running a persistent Runtime: options, health, checkpoints, and checking the files.
//
//   persistent_operations DIRECTORY
#include <cstdio>
#include <cstdlib>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/fs_store/verify.h"

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

bool is_healthy(const wr::Runtime& runtime) {
  // [health]
  const wr::RuntimeSummary summary = must(runtime.summary());
  const wr::StoreHealth& store = *summary.store;  // none in memory
  switch (store.state) {
    case wr::StoreHealth::Condition::ok:
      break;
    case wr::StoreHealth::Condition::full:    // clears by itself once there is space
    case wr::StoreHealth::Condition::failed:  // close, look at the disk, open again
      std::fprintf(stderr, "%s\n", store.detail.value_or("").c_str());
      break;
  }
  // [/health]
  return store.state == wr::StoreHealth::Condition::ok && summary.damaged_worker_count == 0;
}

std::uint64_t read_beside(const std::filesystem::path& root) {
  // [reader]
  const wr::fs_store::Reader reader = must(wr::fs_store::Reader::open(root));
  const wr::WorkerPage page = must(reader.list_workers());
  for (const wr::WorkerSummary& worker : page.workers) {
    std::printf("%s has %llu entries\n", worker.worker_ref.worker_id.text().c_str(),
                static_cast<unsigned long long>(worker.transcript_len));
  }
  // [/reader]
  return page.workers.size();
}

bool is_undamaged(const std::filesystem::path& root) {
  // [verify]
  wr::fs_store::VerifyOptions options;
  options.root = root;
  const wr::fs_store::VerifyReport report = must(wr::fs_store::verify(options));
  for (const wr::fs_store::Finding& finding : report.findings) {
    std::printf("%s %s: %s\n", wr::to_string(finding.severity).data(), finding.path.c_str(),
                finding.message.c_str());
  }
  // [/verify]
  return report.clean();
}

// [trim]
/// Keeps the newest `kept` events and no others.
void keep_newest_events(wr::Runtime& runtime, std::uint64_t kept) {
  const std::uint64_t last = must(runtime.summary()).event_count;
  if (last > kept) must(runtime.trim_events({wr::EventId{last - kept + 1}}));
}
// [/trim]

// [redact]
/// Takes the text of an entry out of the Runtime, and waits until no file of it has it any more.
void forget_text(wr::Runtime& runtime, const wr::WorkerRef& worker_ref, wr::Sequence sequence) {
  must(runtime.redact({worker_ref, sequence}));
  must(runtime.checkpoint());
}
// [/redact]

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: persistent_operations DIRECTORY\n");
    return 2;
  }
  const std::filesystem::path root = argv[1];
  // [log]
  wr::RuntimeOptions runtime_options;
  runtime_options.log = [](wr::LogLevel level, std::string_view line) {
    if (level == wr::LogLevel::debug) return;  // checkpoints
    std::fprintf(stderr, "%s: %.*s\n", wr::to_string(level).data(), static_cast<int>(line.size()),
                 line.data());
  };
  // [/log]
  // [options]
  wr::fs_store::StoreOptions options;
  options.root = root;
  options.runtime_id = must(wr::RuntimeId::parse("office"));
  options.create = true;
  options.durability = wr::Durability::interval;  // answers after the write, syncs a little later
  options.group_readable = true;                  // for a dashboard that runs as another user
  options.lock_wait = std::chrono::seconds(10);   // a predecessor may still be closing
  wr::Runtime runtime = must(wr::fs_store::open_runtime(options, runtime_options));
  // [/options]

  wr::CreateRequest request;
  request.intent = wr::RoleIntent{"clerk", std::nullopt};
  must(runtime.create_worker(request));

  // [checkpoint]
  const wr::Lsn lsn = must(runtime.checkpoint());  // everything up to this commit is in the files
  // [/checkpoint]
  keep_newest_events(runtime, 1);
  const bool trimmed = must(runtime.summary()).first_event_id == wr::EventId{2};
  const wr::WorkerRef clerk = must(runtime.list_workers()).workers.front().worker_ref;
  must(runtime.send_input({clerk, wr::InputRole::user, "a secret"}));
  forget_text(runtime, clerk, wr::Sequence{1});
  const bool redacted = must(runtime.read_transcript(clerk)).items.front().redacted == 8;
  const bool healthy = is_healthy(runtime);
  const std::uint64_t workers = read_beside(root);
  if (!runtime.close()) return 1;
  return healthy && trimmed && redacted && workers == 1 && is_undamaged(root) && lsn == wr::Lsn{2}
             ? 0
             : 1;
}
