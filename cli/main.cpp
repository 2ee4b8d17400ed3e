// worker-runtime: the command-line tool. Parses the line, runs one command, maps errors to exit
// codes.
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "arguments.h"
#include "command.h"
#include "command_text.h"
#include "options.h"
#include "output.h"
#include "suggestion.h"

namespace worker_runtime::cli {
namespace {

/// The options that may stand before or behind the command.
void add_common_options(Command program, Options& options) {
  program
      .add_option("--root", options.root,
                  "the store's root [$WORKER_RUNTIME_ROOT or .worker-runtime]")
      .value_name("DIR")
      .check(check_not_empty);
  program.add_option("--runtime", options.runtime, "which runtime under the root [the only one]")
      .value_name("ID");
  program.add_flag("--json", options.json, "one JSON document, or JSON Lines for lists and logs");
  program.add_flag("--utc", options.utc, "times as they are, not how long ago (on a terminal)");
}

/// The command that was meant, as far as that can be guessed; empty if not.
std::string nearest_command(const CLI::App& app, const std::string& word) {
  Suggestion suggestion(word);
  for (const CLI::App* const command : app.get_subcommands({}))
    suggestion.consider(command->get_name());
  return suggestion.nearest();
}

/// Where to read on after a mistake.
std::string usage_hint(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  if (commands.empty()) return "`worker-runtime --help` lists the commands";
  return "`worker-runtime " + commands.front()->get_name() + " --help` shows how it is used";
}

Exit usage(const CLI::App& app, const Options& options, const CLI::ParseError& problem) {
  if (problem.get_exit_code() == 0) {
    // --help or --version: text that was asked for.
    return static_cast<Exit>(app.exit(problem));
  }
  std::string message = problem.what();
  // Where a word is no command, the parser itself says only that it misses one.
  const auto words = app.get_subcommands().empty() ? app.remaining() : std::vector<std::string>();
  if (!words.empty() && !words.front().starts_with('-')) {
    message = "there is no command " + words.front();
    const std::string nearest = nearest_command(app, words.front());
    if (!nearest.empty()) message += "; did you mean " + nearest + "?";
  }
  if (options.json) {
    report(options, Error(ErrorCode::invalid_request, message));
  } else {
    std::fprintf(stderr, "worker-runtime: %s\n%s\n", printable(message).c_str(),
                 usage_hint(app).c_str());
  }
  return Exit::usage;
}

/// What the scripts of a shell and the build of this program ask for, and no person. None: another
/// line.
std::optional<int> run_for_programs(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty()) return std::nullopt;
  if (words.front() == "__complete") {
    complete(describe(app), {words.begin() + 1, words.end()});
    return 0;
  }
  if (words.front() == "__generate" && words.size() == 2) {
    auto written = generate_files(describe(app), words.back());
    return static_cast<int>(written ? Exit::done : report(Options(), written.error()));
  }
  return std::nullopt;
}

int run(int argc, char** argv) {
  // A reader that goes away shows as EPIPE at the write, not as a death in mid-commit.
  std::signal(SIGPIPE, SIG_IGN);
  // And a limit on the size of files as EFBIG, which is a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  Options options;
  Run command;
  CLI::App app("Hosts many long-lived workers in plain files that survive crashes.",
               "worker-runtime");
  app.set_version_flag("--version", "worker-runtime " + std::string(version()));
  app.require_subcommand(1);
  app.fallthrough();
  const Command program(&app);
  add_common_options(program, options);
  add_init(program, options, command);
  add_create(program, options, command);
  add_mutations(program, options, command);
  add_fork(program, options, command);
  add_export(program, options, command);
  add_reads(program, options, command);
  add_logs(program, options, command);
  add_pipe(program, options, command);
  add_verify(program, options, command);
  add_repair(program, options, command);
  add_retention(program, options, command);
  add_search(program, options, command);
  add_quarantine(program, options, command);
  add_disk(program, options, command);
  add_backup(program, options, command);
  add_report(program, options, command);
  add_bench(program, options, command);
  add_metrics(program, options, command);
  add_completion(program, options, command);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (const auto exit = run_for_programs(app, words)) return *exit;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    for (const std::string& word : words) options.json = options.json || word == "--json";
    return static_cast<int>(usage(app, options, problem));
  }
  return static_cast<int>(command());
}

}  // namespace
}  // namespace worker_runtime::cli

int main(int argc, char** argv) {
  try {
    return worker_runtime::cli::run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "worker-runtime: %s\n", problem.what());
    return static_cast<int>(worker_runtime::cli::Exit::damaged);
  }
}
