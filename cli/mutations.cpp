// send, append, stop, cancel, delete, shutdown, start.
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>

#include <CLI/CLI.hpp>

#include "mutation.h"
#include "output.h"

namespace worker_runtime::cli {
namespace {

/// What an answer says to a person.
std::string sentence(const Answer& answer) {
  struct Visitor {
    std::string operator()(const WorkerDetail& detail) const {
      return "created worker " + printable(detail.summary.worker_ref.worker_id.text()) +
             " (event " + std::to_string(detail.summary.last_event_id.value) + ")";
    }
    std::string operator()(const EntryAccepted& entry) const {
      return "stored as entry " + std::to_string(entry.sequence.value) + " of worker " +
             printable(entry.worker_ref.worker_id.text()) + " (event " +
             std::to_string(entry.event_id.value) + ")";
    }
    std::string operator()(const WorkerEnded& ended) const {
      return "worker " + printable(ended.worker_ref.worker_id.text()) + " is " +
             std::string(to_string(ended.status)) + " (event " +
             std::to_string(ended.event_id.value) + ")";
    }
    std::string operator()(const WorkerDeleted& deleted) const {
      return "deleted worker " + printable(deleted.worker_ref.worker_id.text()) + " (event " +
             std::to_string(deleted.event_id.value) + ")";
    }
    std::string operator()(const RuntimeChanged& changed) const {
      return "done (event " + std::to_string(changed.event_id.value) + ")";
    }
  };
  return std::visit(Visitor{}, answer);
}

Result<Counters> counters_of(const std::vector<std::string>& usage) {
  Counters counters;
  for (const std::string& text : usage) {
    const std::size_t equals = text.rfind('=');
    Counter counter{text.substr(0, equals), 0};
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    const auto read = std::from_chars(value.data(), value.data() + value.size(), counter.value);
    if (value.empty() || read.ec != std::errc() || read.ptr != value.data() + value.size()) {
      return Error(ErrorCode::invalid_request, "--usage wants NAME=NUMBER, not " + text);
    }
    counters.push_back(std::move(counter));
  }
  return counters;
}

/// More than any limit allows: what is longer is refused whatever it is.
constexpr std::uint64_t text_bytes_max = std::uint64_t{64} << 20U;

}  // namespace

Result<std::string> text_of(const std::string& argument, std::uint64_t bytes_max) {
  if (argument != "-") return argument;
  std::string text;
  std::string block(std::size_t{64} << 10U, '\0');
  while (text.size() <= bytes_max) {
    const ssize_t got = ::read(STDIN_FILENO, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error(ErrorCode::invalid_request, "cannot read standard input");
    if (got == 0) break;
    text.append(block, 0, static_cast<std::size_t>(got));
  }
  return text;
}

Result<WorkerRef> worker_ref_of(const RuntimeId& runtime_id, const std::string& worker) {
  auto worker_id = WorkerId::parse(worker);
  if (!worker_id) return std::move(worker_id).error();
  return WorkerRef{runtime_id, std::move(*worker_id)};
}

Exit run_mutation(const Options& options, const MakeOperation& make) {
  auto runtime = open_for_writing(options, Create::no);
  if (!runtime) return report(options, runtime.error());
  auto summary = runtime->summary();
  if (!summary) return report(options, summary.error());
  auto operation = make(summary->runtime_id);
  std::vector<Mutation> operations;
  if (operation) operations.push_back(std::move(*operation));
  auto answers = operation ? runtime->batch(std::move(operations))
                           : Result<std::vector<Answer>>(std::move(operation).error());
  auto closed = runtime->close();
  if (!answers) {
    // A batch of one: the index says nothing.
    const Error& error = answers.error();
    return report(options, Error(error.code(), error.message(), error.fields()));
  }
  Output output;
  if (options.json) {
    output.json(answers->front());
  } else {
    output.line(sentence(answers->front()));
  }
  const Exit exit = output.finish(Exit::done);
  // The operation itself is durable; what failed is the checkpoint.
  return closed ? exit : report(options, closed.error());
}

namespace {

struct EntryArguments {
  std::string worker;
  std::string text;
  bool other_role = false;
  std::optional<std::string> name;
  std::optional<std::string> data;
  std::vector<std::string> usage;
  std::optional<std::string> key;
};

Result<Mutation> make_send(const EntryArguments& arguments, const RuntimeId& runtime_id) {
  auto worker_ref = worker_ref_of(runtime_id, arguments.worker);
  if (!worker_ref) return std::move(worker_ref).error();
  auto text = text_of(arguments.text, text_bytes_max);
  if (!text) return std::move(text).error();
  return Mutation(SendInput{std::move(*worker_ref),
                            arguments.other_role ? InputRole::system : InputRole::user,
                            std::move(*text), arguments.key});
}

Result<Mutation> make_append(const EntryArguments& arguments, const RuntimeId& runtime_id) {
  auto worker_ref = worker_ref_of(runtime_id, arguments.worker);
  if (!worker_ref) return std::move(worker_ref).error();
  auto usage = counters_of(arguments.usage);
  if (!usage) return std::move(usage).error();
  auto text = text_of(arguments.text, text_bytes_max);
  if (!text) return std::move(text).error();
  return Mutation(AppendOutput{
      std::move(*worker_ref), arguments.other_role ? OutputRole::tool : OutputRole::assistant,
      std::move(*text), arguments.name, arguments.data, std::move(*usage), arguments.key});
}

/// A command that is one mutation: its writer options and its callback.
CLI::App* add_command(CLI::App& app, Options& options, Run& run, const char* name,
                      const char* description, MakeOperation make) {
  CLI::App* const command = app.add_subcommand(name, description);
  add_writer_options(*command, options);
  command->callback([&options, &run, make = std::move(make)] {
    run = [&options, make] { return run_mutation(options, make); };
  });
  return command;
}

void add_entries(CLI::App& app, Options& options, Run& run) {
  auto sent = std::make_shared<EntryArguments>();
  CLI::App* const send =
      add_command(app, options, run, "send", "give a worker input",
                  [sent](const RuntimeId& runtime_id) { return make_send(*sent, runtime_id); });
  send->add_option("WORKER", sent->worker, "the worker's id")->required();
  send->add_option("TEXT", sent->text, "the input; - reads standard input")->required();
  send->add_flag("--system", sent->other_role, "a system text instead of a user's");
  send->add_option("--key", sent->key, "idempotency key")->type_name("KEY");

  auto made = std::make_shared<EntryArguments>();
  CLI::App* const append =
      add_command(app, options, run, "append", "record a worker's output",
                  [made](const RuntimeId& runtime_id) { return make_append(*made, runtime_id); });
  append->add_option("WORKER", made->worker, "the worker's id")->required();
  append->add_option("TEXT", made->text, "the output; - reads standard input")->required();
  append->add_flag("--tool", made->other_role, "output of a tool instead of the assistant's");
  append->add_option("--name", made->name, "a name, such as the tool's")->type_name("NAME");
  append->add_option("--data", made->data, "a JSON object to attach")->type_name("JSON");
  append->add_option("--usage", made->usage, "add to a named counter")
      ->type_name("NAME=N")
      ->take_all();
  append->add_option("--key", made->key, "idempotency key")->type_name("KEY");
}

struct EndArguments {
  std::string worker;
  std::optional<std::string> reason;
};

template <typename Operation>
void add_end(CLI::App& app, Options& options, Run& run, const char* name, const char* description) {
  auto arguments = std::make_shared<EndArguments>();
  CLI::App* const command =
      add_command(app, options, run, name, description,
                  [arguments](const RuntimeId& runtime_id) -> Result<Mutation> {
                    auto worker_ref = worker_ref_of(runtime_id, arguments->worker);
                    if (!worker_ref) return std::move(worker_ref).error();
                    return Mutation(Operation{std::move(*worker_ref), arguments->reason});
                  });
  command->add_option("WORKER", arguments->worker, "the worker's id")->required();
  command->add_option("--reason", arguments->reason, "why; becomes the event's message")
      ->type_name("TEXT");
}

}  // namespace

void add_mutations(CLI::App& app, Options& options, Run& run) {
  add_entries(app, options, run);
  add_end<StopWorker>(app, options, run, "stop", "stop a worker");
  add_end<CancelWorker>(app, options, run, "cancel", "cancel a worker");

  auto worker = std::make_shared<std::string>();
  CLI::App* const remove =
      add_command(app, options, run, "delete", "delete a stopped or cancelled worker",
                  [worker](const RuntimeId& runtime_id) -> Result<Mutation> {
                    auto worker_ref = worker_ref_of(runtime_id, *worker);
                    if (!worker_ref) return std::move(worker_ref).error();
                    return Mutation(DeleteWorker{std::move(*worker_ref)});
                  });
  remove->add_option("WORKER", *worker, "the worker's id")->required();

  add_command(app, options, run, "shutdown", "stop every running worker and the runtime",
              [](const RuntimeId&) -> Result<Mutation> { return Mutation(StopRuntime{}); });
  add_command(app, options, run, "start", "start a stopped runtime",
              [](const RuntimeId&) -> Result<Mutation> { return Mutation(StartRuntime{}); });
}

}  // namespace worker_runtime::cli
