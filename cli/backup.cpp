// backup and restore: a consistent copy while the writer runs, and back.
#include <memory>
#include <optional>
#include <string>

#include "arguments.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "streams.h"
#include "worker_runtime/fs_store/backup.h"

namespace worker_runtime::cli {
namespace {

struct CopyArguments {
  std::string directory;
  std::optional<std::string> new_runtime_id;
};

void print(Output& output, const char* done, const fs_store::CopyReport& copied,
           const std::string& root) {
  output.line(styled(done, Style::good) + " runtime " + printable(copied.runtime_id.text()) +
              " as of LSN " + std::to_string(copied.lsn.value) + ": " +
              counted(copied.workers, "worker", "workers") + ", " +
              counted(copied.events, "event", "events") + ", " +
              counted(copied.entries, "entry", "entries") + "; " +
              std::to_string(copied.copied_bytes) + " bytes of logs copied");
  output.line("it is in " + printable(root + "/" + copied.path));
}

Exit finish(const Options& options, const char* done, const Result<fs_store::CopyReport>& copied,
            const std::string& root) {
  if (!copied) return report(options, copied.error());
  Output output;
  if (options.json) {
    output.json(*copied);
  } else {
    print(output, done, *copied, root);
  }
  return output.finish(Exit::done);
}

Exit backup(const Options& options, const CopyArguments& arguments) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  fs_store::BackupOptions copying;
  copying.root = root_of(options);
  copying.runtime_id = std::move(*runtime_id);
  copying.directory = arguments.directory;
  const StopWatch stop;
  copying.stop = stop.token();
  Progress progress("copied", [&] {
    const std::uint64_t there = bytes_of_store(copying.root, copying.runtime_id).logs;
    const std::uint64_t copied_before = bytes_of_store(copying.directory, copying.runtime_id).logs;
    return there - std::min(there, copied_before);
  });
  copying.progress = [&](std::uint64_t bytes) { progress.show(bytes); };
  const auto copied = fs_store::backup(copying);
  progress.hide();
  return finish(options, "backed up", copied, arguments.directory);
}

Exit restore(const Options& options, const CopyArguments& arguments) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  fs_store::RestoreOptions copying;
  copying.directory = arguments.directory;
  copying.runtime_id = std::move(*runtime_id);
  copying.root = root_of(options);
  if (arguments.new_runtime_id) {
    auto parsed = RuntimeId::parse(*arguments.new_runtime_id);
    if (!parsed) return report(options, parsed.error());
    copying.new_runtime_id = std::move(*parsed);
  }
  const StopWatch stop;
  copying.stop = stop.token();
  Progress progress("copied",
                    [&] { return bytes_of_store(copying.directory, copying.runtime_id).logs; });
  copying.progress = [&](std::uint64_t bytes) { progress.show(bytes); };
  const auto copied = fs_store::restore(copying);
  progress.hide();
  const Exit exit = finish(options, "restored", copied, copying.root.string());
  if (copied && !options.json && !copying.new_runtime_id) {
    Output output;
    output.line(
        "it has the id it had: if the runtime lives on elsewhere, there are two now, and "
        "each is taken for the one; --as gives a copy an id of its own");
    return output.finish(exit);
  }
  return exit;
}

}  // namespace

void add_backup(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<CopyArguments>();
  const Command backing_up = app.add_command(
      "backup", "copy a runtime to a directory, beside its writer; again: only what is new");
  backing_up.add_option("DIR", arguments->directory, "a root of its own")
      .required()
      .check(check_not_empty);
  backing_up.callback([&options, &run, arguments] {
    run = [&options, arguments] { return backup(options, *arguments); };
  });
  const Command restoring =
      app.add_command("restore", "copy a runtime out of a backup to a root that has none of it");
  restoring.add_option("DIR", arguments->directory, "what backup wrote to")
      .required()
      .check(check_not_empty);
  restoring.add_option("--as", arguments->new_runtime_id, "give the copy this runtime id")
      .value_name("RUNTIME");
  restoring.callback([&options, &run, arguments] {
    run = [&options, arguments] { return restore(options, *arguments); };
  });
}

}  // namespace worker_runtime::cli
