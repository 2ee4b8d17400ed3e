// quarantine: what recovery and repair moved aside, and the end of it.
#include "worker_runtime/fs_store/quarantine.h"

#include <memory>
#include <string>

#include "command.h"
#include "options.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

void print(Output& output, const fs_store::QuarantineReport& report) {
  if (report.files.empty()) {
    output.line("nothing is in quarantine");
    return;
  }
  Table table({"FILE", "BYTES"});
  for (const fs_store::QuarantinedFile& file : report.files)
    table.add({printable(file.path), std::to_string(file.bytes)});
  table.print_rows(output);
  const std::string what = counted(report.files.size(), "file", "files") + ", " +
                           std::to_string(report.bytes()) + " bytes";
  output.line(report.purged ? what + ": deleted" : what + "; --purge deletes them, for good");
}

Exit quarantine(const Options& options, bool purge) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  const fs_store::QuarantineOptions place{root_of(options), std::move(*runtime_id)};
  auto found = purge ? fs_store::purge_quarantine(place) : fs_store::list_quarantine(place);
  if (!found) return report(options, found.error());
  Output output;
  if (options.json) {
    output.json(*found);
  } else {
    print(output, *found);
  }
  return output.finish(Exit::done);
}

}  // namespace

void add_quarantine(Command app, Options& options, Run& run) {
  const auto purge = std::make_shared<bool>(false);
  const Command command =
      app.add_command("quarantine", "show what recovery and repair moved aside, or delete it");
  command.add_flag("--purge", *purge, "delete it, for good");
  command.callback(
      [&options, &run, purge] { run = [&options, purge] { return quarantine(options, *purge); }; });
}

}  // namespace worker_runtime::cli
