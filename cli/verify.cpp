// verify: checks every byte of a store that may be in use.
#include <csignal>
#include <cstdio>
#include <stop_token>

#include "command.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "worker_runtime/fs_store/verify.h"

namespace worker_runtime::cli {
namespace {

/// Set by Ctrl-C: the check ends between two lines.
volatile std::sig_atomic_t interrupted = 0;

std::string message_of(const fs_store::Finding& finding) {
  if (finding.alike == 0) return printable(finding.message);
  return printable(finding.message) + " (and " + std::to_string(finding.alike) + " more like it)";
}

void print(Output& output, const fs_store::VerifyReport& found) {
  Table table({"SEVERITY", "FILE", "LINE", "BYTE", "CODE", "MESSAGE"});
  for (const fs_store::Finding& finding : found.findings) {
    table.add({std::string(to_string(finding.severity)), printable(finding.path),
               finding.line ? std::to_string(*finding.line) : "-",
               finding.offset ? std::to_string(*finding.offset) : "-", finding.code,
               message_of(finding)});
  }
  if (!found.findings.empty()) table.print_rows(output);
  output.line(counted(found.files, "file", "files") + ", " + std::to_string(found.bytes) +
              " bytes: " +
              (found.clean() ? styled("nothing is wrong", Style::good)
                             : styled("damage found", Style::bad) +
                                   "; `worker-runtime repair --plan` shows what can be mended") +
              (found.truncated ? " (not all of it is listed)" : ""));
}

Exit verify(const Options& options) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  std::stop_source stop;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  fs_store::VerifyOptions checking;
  checking.root = root_of(options);
  checking.runtime_id = std::move(*runtime_id);
  checking.stop = stop.get_token();
  Progress progress("checked",
                    [&] { return bytes_of_store(checking.root, checking.runtime_id).all; });
  checking.progress = [&](std::uint64_t done) {
    if (interrupted != 0) stop.request_stop();
    progress.show(done);
  };
  auto found = fs_store::verify(checking);
  progress.hide();
  if (!found) return report(options, found.error());
  if (interrupted != 0) {
    std::fputs("worker-runtime: interrupted; the check is not complete\n", stderr);
    return Exit::refused;
  }
  Output output;
  if (options.json) {
    output.json(*found);
  } else {
    print(output, *found);
  }
  return output.finish(found->clean() ? Exit::done : Exit::damaged);
}

}  // namespace

void add_verify(Command app, Options& options, Run& run) {
  const Command command = app.add_command("verify", "check every line of every file");
  command.callback([&options, &run] { run = [&options] { return verify(options); }; });
}

}  // namespace worker_runtime::cli
