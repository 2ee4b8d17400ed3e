// pipe: drives one open Runtime over standard input and output, for scripts and other languages.
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>

#include "command.h"
#include "options.h"
#include "output.h"
#include "pipe_session.h"
#include "worker_runtime/fs_store/requests.h"

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

/// Lets other processes act on the runtime. A store without room for their requests is served all
/// the same.
std::optional<fs_store::RequestHost> start_host(const Options& options, Runtime& runtime) {
  auto store = store_options(options, Create::no);
  auto host = store ? fs_store::RequestHost::start(runtime, *store)
                    : Result<fs_store::RequestHost>(std::move(store).error());
  if (host) return *std::move(host);
  std::fprintf(stderr, "worker-runtime: requests of other processes are not served: %s\n",
               printable(host.error().message()).c_str());
  return std::nullopt;
}

struct PipeArguments {
  bool memory = false;
  bool no_requests = false;
};

Exit pipe(const Options& options, const PipeArguments& arguments) {
  const bool memory = arguments.memory;
  auto runtime = memory ? open_memory(options) : open_for_writing(options, Create::yes);
  if (!runtime) return report(options, runtime.error());
  auto summary = runtime->summary();
  if (!summary) return report(options, summary.error());
  std::optional<fs_store::RequestHost> host;
  if (!memory && !arguments.no_requests) host = start_host(options, *runtime);
  const Exit exit = exit_of(PipeSession(*runtime, summary->runtime_id).run());
  host.reset();
  auto closed = runtime->close();
  return closed ? exit : report(options, closed.error());
}

}  // namespace

void add_pipe(Command app, Options& options, Run& run) {
  const Command command = app.add_command("pipe", "serve JSON requests from standard input");
  auto arguments = std::make_shared<PipeArguments>();
  command.add_flag("--memory", arguments->memory, "drive a runtime in memory");
  command.add_flag("--no-requests", arguments->no_requests,
                   "do not let other processes act on the runtime");
  command.add_option("--log", options.log, "tell on standard error what happens")
      .value_name("LEVEL")
      .one_of({"debug", "info", "warning", "error"});
  add_writer_options(command, options);
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] { return pipe(options, *arguments); };
  });
}

}  // namespace worker_runtime::cli
