// metrics: the numbers of a runtime for monitoring, in the text format of Prometheus.
#include "command.h"
#include "options.h"
#include "output.h"
#include "worker_runtime/fs_store/prometheus.h"
#include "worker_runtime/fs_store/requests.h"

namespace worker_runtime::cli {
namespace {

Exit metrics(const Options& options) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  // Who has the runtime open knows more than its files tell.
  auto text = fs_store::ask_host_for_metrics(root_of(options), *std::move(runtime_id));
  if (!text) return report(options, text.error());
  if (!*text) {
    auto reader = open_for_reading(options);
    if (!reader) return report(options, reader.error());
    auto summary = reader->summary();
    if (!summary) return report(options, summary.error());
    fs_store::append_prometheus(text->emplace(), *summary);
  }
  Output output;
  output.write(**text);
  return output.finish(Exit::done);
}

}  // namespace

void add_metrics(Command app, Options& options, Run& run) {
  const Command command = app.add_command("metrics", "print the numbers for monitoring");
  command.callback([&options, &run] { run = [&options] { return metrics(options); }; });
}

}  // namespace worker_runtime::cli
