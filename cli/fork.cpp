// fork: a new Worker with the history of another one up to an entry.
#include <memory>
#include <string>

#include "arguments.h"
#include "command.h"
#include "mutation.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

struct ForkArguments {
  std::string worker;
  std::optional<std::uint64_t> at;
  std::string as;
  std::optional<std::string> name;
  std::optional<std::string> key;
};

Result<ForkWorker> make_fork(const ForkArguments& arguments) {
  auto origin = worker_ref_of(arguments.worker);
  if (!origin) return std::move(origin).error();
  ForkWorker request;
  request.worker_ref = std::move(*origin);
  request.at = Sequence{*arguments.at};
  if (!arguments.as.empty()) {
    auto worker_id = WorkerId::parse(arguments.as);
    if (!worker_id) return std::move(worker_id).error();
    request.worker_id = std::move(*worker_id);
  }
  request.display_name = arguments.name;
  request.idempotency_key = arguments.key;
  return request;
}

Exit run_fork(const Options& options, const ForkArguments& arguments) {
  auto request = make_fork(arguments);
  if (!request) return report(options, request.error());
  const auto said = [&](const Answer& answer) {
    const WorkerSummary& made = std::get<WorkerDetail>(answer).summary;
    return "created worker " + printable(made.worker_ref.worker_id.text()) + " with " +
           counted(made.transcript_len, "entry", "entries") + " of worker " +
           printable(arguments.worker) + " (event " + std::to_string(made.last_event_id.value) +
           ")";
  };
  return run_operation(
      options, Create::no, *request,
      [&](Runtime& runtime, const RuntimeId& runtime_id) -> Result<Answer> {
        request->worker_ref.runtime_id = runtime_id;
        auto forked = runtime.fork_worker(std::move(*request));
        if (!forked) return std::move(forked).error();
        return Answer(*std::move(forked));
      },
      said);
}

}  // namespace

void add_fork(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<ForkArguments>();
  const Command command =
      app.add_command("fork", "make a worker that begins with another one's history");
  add_writer_options(command, options);
  command.add_option("WORKER", arguments->worker, "the worker whose history it is")
      .value_name("")
      .required();
  command.add_number("--at", arguments->at, "the last entry to take over; 0: none")
      .value_name("SEQUENCE")
      .required();
  command.add_option("--as", arguments->as, "the new worker's id [a generated one]")
      .value_name("ID")
      .check(check_not_empty);
  command.add_option("--name", arguments->name, "its display name [the other one's]")
      .value_name("TEXT");
  add_key(command, arguments->key);
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] { return run_fork(options, *arguments); };
  });
}

}  // namespace worker_runtime::cli
