// repair and reseal: say what would be done about damage, or about a file that was edited, and do
// it.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "streams.h"
#include "worker_runtime/fs_store/repair.h"

namespace worker_runtime::cli {
namespace {

struct RepairArguments {
  bool plan = false;
  bool apply = false;
  std::vector<std::string> files;
};

void print(Output& output, const fs_store::RepairReport& report, bool is_reseal) {
  Table table({"ACTION", "FILE", "LOST", "WHAT"});
  std::uint64_t lost = 0;
  bool loses_lines = false;
  for (const fs_store::RepairItem& item : report.items) {
    table.add({item.action, printable(item.path), item.lost > 0 ? std::to_string(item.lost) : "-",
               printable(item.message)});
    lost += item.lost;
    loses_lines = loses_lines || (item.action == "write_log" && item.lost > 0);
  }
  if (report.items.empty()) return output.line(styled("nothing is to be repaired", Style::good));
  table.print_rows(output);
  const std::string things = counted(report.items.size(), "thing", "things");
  if (!report.applied) {
    output.line(things + " to do, " + std::to_string(lost) +
                " lost; nothing was changed: --apply does it");
    if (loses_lines && !is_reseal)
      output.line(
          "lines that somebody changed on purpose: `worker-runtime reseal FILE` keeps them");
    return;
  }
  output.line(styled("repaired", Style::good) + ": " + things + " done, " + std::to_string(lost) +
              " lost" + (report.quarantined.empty() ? "" : "; what was replaced is kept:"));
  for (const std::string& path : report.quarantined) output.line("  " + printable(path));
}

/// A file as verify names it, also where it was given as the shell completes it.
std::string path_in_store(const std::filesystem::path& root, const std::string& file) {
  std::error_code error;
  const auto whole_root = std::filesystem::canonical(root, error);
  if (error) return file;
  const auto whole = std::filesystem::canonical(file, error);
  if (error) return file;
  const auto relative = whole.lexically_relative(whole_root);
  return relative.empty() || *relative.begin() == ".." ? file : relative.string();
}

Exit repair(const Options& options, const RepairArguments& arguments) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  fs_store::RepairOptions repairing;
  repairing.root = root_of(options);
  repairing.runtime_id = std::move(*runtime_id);
  repairing.mode = arguments.apply ? fs_store::RepairMode::apply : fs_store::RepairMode::plan;
  for (const std::string& file : arguments.files)
    repairing.accepted_files.push_back(path_in_store(repairing.root, file));
  const StopWatch stop;
  repairing.stop = stop.token();
  Progress progress("read",
                    [&] { return bytes_of_store(repairing.root, repairing.runtime_id).all; });
  repairing.progress = [&](std::uint64_t read) { progress.show(read); };
  auto done = fs_store::repair(repairing);
  progress.hide();
  if (!done) return report(options, done.error());
  Output output;
  if (options.json) {
    output.json(*done);
  } else {
    print(output, *done, !arguments.files.empty());
  }
  const bool is_left = !done->items.empty() && !done->applied;
  return output.finish(is_left ? Exit::damaged : Exit::done);
}

void add_modes(Command command, RepairArguments& arguments) {
  const CommandOption plan = command.add_flag("--plan", arguments.plan,
                                              "say what would be done, and do nothing (default)");
  command.add_flag("--apply", arguments.apply, "do it; what is replaced is kept in quarantine/")
      .excludes(plan);
}

}  // namespace

void add_repair(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<RepairArguments>();
  const auto go = [&options, &run, arguments] {
    run = [&options, arguments] { return repair(options, *arguments); };
  };
  const Command mending = app.add_command("repair", "mend what is damaged, and keep what is good");
  add_modes(mending, *arguments);
  mending.callback(go);
  const Command sealing = app.add_command(
      "reseal", "accept files that were edited on purpose: their lines get new checksums");
  sealing.add_rest("FILE", arguments->files, "its path, or as verify names it").required();
  add_modes(sealing, *arguments);
  sealing.callback(go);
}

}  // namespace worker_runtime::cli
