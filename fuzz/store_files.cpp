// A store whose files say anything, with right checksums where wanted (support/store_text.h):
// whatever stands in any of them, verify, recovery, every read, a few operations and a close end
// with a typed error or go on; and what could be closed, opens again and looks the same.
#include <string>

#include "model.h"
#include "simulated_store.h"
#include "support/domain.h"
#include "support/store_text.h"
#include "support/target.h"

namespace worker_runtime::fuzz::store_files {
namespace {

void check_code(const Error& error) {
  switch (error.code()) {
    case ErrorCode::store_corrupt:
    case ErrorCode::store_missing:
    case ErrorCode::store_version:
    case ErrorCode::store_io:
      return;
    default:
      require(false, "a store that does not open is damaged", error.detail());
  }
}

void read_backwards(const Runtime& runtime) {
  EventQuery query;
  query.direction = Direction::newest_first;
  query.limit = 3;
  for (int pages = 0; pages < 20; ++pages) {
    const auto page = runtime.read_events(query);
    if (!page || !page->has_more) return;
    query.from = page->next;
  }
}

void operate(Runtime& runtime) {
  const auto workers = runtime.list_workers();
  if (!workers) return;
  bool remove = false;
  for (const WorkerSummary& worker : workers->workers) {
    const WorkerRef& ref = worker.worker_ref;
    static_cast<void>(runtime.send_input(testing::input(ref, "more", "a key")).has_value());
    static_cast<void>(runtime.append_output(testing::output(ref, "even more")).has_value());
    if (remove) {
      static_cast<void>(runtime.stop_worker({ref, std::nullopt}).has_value());
      static_cast<void>(runtime.delete_worker({ref}).has_value());
    }
    remove = !remove;
  }
  static_cast<void>(runtime.create_worker(testing::task("something new")).has_value());
  static_cast<void>(runtime.checkpoint().has_value());
}

void check(std::string_view input) {
  testing::SimulatedDisk disk;
  put_files(disk, "runtimes/main", read_store_text(input, "runtime.json"));
  const auto report = testing::verify_simulated(disk);
  if (!report) check_code(report.error());
  auto runtime = testing::open_simulated(disk, {});
  if (!runtime) return check_code(runtime.error());
  read_backwards(*runtime);
  static_cast<void>(testing::view_of(*runtime));
  operate(*runtime);
  const std::string view = testing::view_of(*runtime);
  const auto summary = runtime->summary();
  // Damage that recovery met may be found by the next one when the Worker is asked for.
  const bool is_damaged = !summary || summary->damaged_worker_count > 0;
  if (!runtime->close()) return;
  const auto again = testing::open_simulated(disk, {});
  require(again.has_value(), "what could be closed opens again",
          again ? "" : again.error().detail());
  require(is_damaged || testing::view_of(*again) == view, "what could be closed looks the same",
          testing::view_of(*again) + "\n" + view);
}

const Target target("store_files", check);

}  // namespace
}  // namespace worker_runtime::fuzz::store_files
