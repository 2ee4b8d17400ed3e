// disk: what takes how much space, by kind and by Worker, the largest first.
#include <algorithm>
#include <memory>
#include <string>

#include "command.h"
#include "options.h"
#include "output.h"
#include "streams.h"
#include "worker_runtime/fs_store/disk_use.h"

namespace worker_runtime::cli {
namespace {

/// So many Workers are shown, unless it is said otherwise.
constexpr std::uint64_t workers_by_default = 20;

struct UseRow {
  const char* name;
  fs_store::SpaceUse use;
};

std::vector<UseRow> kinds_of(const fs_store::DiskUse& use) {
  std::vector<UseRow> rows{{"transcripts", use.transcripts},
                           {"events", use.events},
                           {"views", use.views},
                           {"catalog", use.catalog},
                           {"journal", use.journal},
                           {"quarantine", use.quarantine},
                           {"other", use.other}};
  std::stable_sort(rows.begin(), rows.end(), [](const UseRow& left, const UseRow& right) {
    return left.use.bytes > right.use.bytes;
  });
  return rows;
}

void print(Output& output, const fs_store::DiskUse& use, std::uint64_t limit) {
  Table kinds({"WHAT", "FILES", "BYTES"});
  for (const UseRow& row : kinds_of(use))
    kinds.add({row.name, std::to_string(row.use.files), std::to_string(row.use.bytes)});
  const fs_store::SpaceUse total = use.total();
  kinds.add({"all", std::to_string(total.files), std::to_string(total.bytes)});
  kinds.print_rows(output);
  output.line("free: " + std::to_string(use.free_bytes) + " bytes");
  if (use.workers.empty() || limit == 0) return;
  output.line("");
  Table workers({"WORKER", "BYTES", "TRANSCRIPT"});
  std::uint64_t shown = 0;
  for (const fs_store::WorkerSpace& worker : use.workers) {
    if (shown++ == limit) break;
    workers.add({printable(worker.worker_id.text()), std::to_string(worker.bytes()),
                 std::to_string(worker.transcript.bytes)});
  }
  workers.print_rows(output);
  if (use.workers.size() > limit)
    output.line("and " + std::to_string(use.workers.size() - limit) + " more: --limit N shows N");
}

void print_json(Output& output, const fs_store::DiskUse& use, std::uint64_t limit) {
  const auto object = [](const fs_store::SpaceUse& part) {
    return R"({"files":)" + std::to_string(part.files) + R"(,"bytes":)" +
           std::to_string(part.bytes) + "}";
  };
  std::string text = "{";
  for (const UseRow& row : kinds_of(use)) {
    fs_store::append_json_string(text, row.name);
    text += ":" + object(row.use) + ",";
  }
  text += R"("total":)" + object(use.total()) + R"(,"free_bytes":)" +
          std::to_string(use.free_bytes) + R"(,"workers":[)";
  for (std::size_t at = 0; at < std::min<std::uint64_t>(limit, use.workers.size()); ++at) {
    const fs_store::WorkerSpace& worker = use.workers[at];
    text += at > 0 ? R"(,{"worker_id":)" : R"({"worker_id":)";
    fs_store::append_json_string(text, worker.worker_id.text());
    text += R"(,"bytes":)" + std::to_string(worker.bytes()) + R"(,"transcript_bytes":)" +
            std::to_string(worker.transcript.bytes) + "}";
  }
  output.line(text + "]}");
}

Exit disk(const Options& options, std::optional<std::uint64_t> limit) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  const StopWatch stop;
  auto use = fs_store::disk_use({root_of(options), std::move(*runtime_id), stop.token()});
  if (!use) return report(options, use.error());
  Output output;
  if (options.json) {
    print_json(output, *use, limit.value_or(UINT64_MAX));
  } else {
    print(output, *use, limit.value_or(workers_by_default));
  }
  return output.finish(Exit::done);
}

}  // namespace

void add_disk(Command app, Options& options, Run& run) {
  auto limit = std::make_shared<std::optional<std::uint64_t>>();
  const Command command =
      app.add_command("disk", "show what takes how much space, the largest first");
  command.add_number("--limit", *limit, "of workers at most so many [20; with --json all]")
      .value_name("N");
  command.callback(
      [&options, &run, limit] { run = [&options, limit] { return disk(options, *limit); }; });
}

}  // namespace worker_runtime::cli
