// pipe: drives one open Runtime over standard input and output, for scripts and other languages.
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include <CLI/CLI.hpp>

#include "options.h"
#include "output.h"
#include "pipe_session.h"

namespace worker_runtime::cli {
namespace {

Result<Runtime> open_memory(const Options& options) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return std::move(runtime_id).error();
  auto opening = runtime_options(options);
  if (!opening) return std::move(opening).error();
  return Runtime::in_memory(*runtime_id ? **runtime_id : *RuntimeId::parse("main"),
                            std::move(*opening));
}

Exit exit_of(const PipeSession::Ended& ended) {
  if (ended.input_error != 0) {
    std::fprintf(stderr, "worker-runtime: cannot read standard input: %s\n",
                 std::generic_category().message(ended.input_error).c_str());
  }
  // A reader that went away knows it.
  if (ended.output_error != 0 && ended.output_error != EPIPE) report_output(ended.output_error);
  return ended.input_error == 0 && ended.output_error == 0 ? Exit::done : Exit::refused;
}

Exit pipe(const Options& options, bool memory) {
  auto runtime = memory ? open_memory(options) : open_for_writing(options, Create::yes);
  if (!runtime) return report(options, runtime.error());
  auto summary = runtime->summary();
  if (!summary) return report(options, summary.error());
  const Exit exit = exit_of(PipeSession(*runtime, summary->runtime_id).run());
  auto closed = runtime->close();
  return closed ? exit : report(options, closed.error());
}

}  // namespace

void add_pipe(CLI::App& app, Options& options, Run& run) {
  CLI::App* const command = app.add_subcommand("pipe", "serve JSON requests from standard input");
  auto memory = std::make_shared<bool>(false);
  command->add_flag("--memory", *memory, "drive a runtime in memory");
  add_writer_options(*command, options);
  command->callback(
      [&options, &run, memory] { run = [&options, memory] { return pipe(options, *memory); }; });
}

}  // namespace worker_runtime::cli
