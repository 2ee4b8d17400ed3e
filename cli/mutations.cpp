// send, append, stop, cancel, delete, trim, shutdown, start.
#include <future>
#include <memory>
#include <system_error>

#include "arguments.h"
#include "command.h"
#include "mutation.h"
#include "output.h"
#include "streams.h"

namespace worker_runtime::cli {
namespace {

/// What an answer says to a person.
std::string sentence(const Mutation& operation, const Answer& answer) {
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
      return std::string("the runtime is ") + (stopping ? "stopped" : "running") + " (event " +
             std::to_string(changed.event_id.value) + ")";
    }
    std::string operator()(const EventsTrimmed& trimmed) const {
      return "the event log is kept from event " + std::to_string(trimmed.first_kept.value) + " on";
    }
    std::string operator()(const TranscriptTrimmed& trimmed) const {
      return "the transcript of worker " + printable(trimmed.worker_ref.worker_id.text()) +
             " is kept from entry " + std::to_string(trimmed.first_kept.value) + " on";
    }
    std::string operator()(const Redacted& redacted) const {
      std::string places;
      for (const std::string_view place : redacted_copies_may_remain)
        places += (places.empty() ? "" : ", ") + std::string(place);
      return "redacted entry " + std::to_string(redacted.sequence.value) + " of worker " +
             printable(redacted.worker_ref.worker_id.text()) + "; copies may remain in: " + places;
    }
    bool stopping;
  };
  return std::visit(Visitor{std::holds_alternative<StopRuntime>(operation)}, answer);
}

Counters counters_of(const std::vector<std::string>& usage) {
  Counters counters;
  for (const std::string& text : usage) {
    if (auto counter = parse_number_assignment(text))
      counters.push_back({std::move(counter->name), counter->value});
  }
  return counters;
}

/// More than any limit allows: what is longer is refused whatever it is.
constexpr std::size_t text_bytes_max = std::size_t{64} << 20U;

}  // namespace

Result<Answer> perform(Runtime& runtime, Mutation operation) {
  // Submitted, because that takes any operation. Shared: this thread may be on its way while the
  // other one still returns from set_value().
  auto promise = std::make_shared<std::promise<Result<Answer>>>();
  auto answer = promise->get_future();
  runtime.submit(std::move(operation),
                 [promise](Result<Answer> result) { promise->set_value(std::move(result)); });
  return answer.get();
}

void set_runtime(Mutation& operation, const RuntimeId& runtime_id) {
  std::visit(
      [&](auto& request) {
        if constexpr (requires { request.worker_ref; }) request.worker_ref.runtime_id = runtime_id;
      },
      operation);
}

Result<std::string> read_standard_input(std::size_t bytes_max) {
  std::string text;
  std::string block(std::size_t{64} << 10U, '\0');
  while (text.size() <= bytes_max) {
    const InputRead read = read_input(block.data(), block.size());
    if (read.system_error != 0) {
      return Error(
          ErrorCode::invalid_request,
          "cannot read standard input: " + std::generic_category().message(read.system_error));
    }
    if (read.bytes == 0) break;
    text.append(block, 0, read.bytes);
  }
  return text;
}

Result<std::string> text_of(const std::string& argument) {
  return argument == "-" ? read_standard_input(text_bytes_max) : argument;
}

Result<WorkerRef> worker_ref_of(const std::string& worker) {
  auto worker_id = WorkerId::parse(worker);
  if (!worker_id) return std::move(worker_id).error();
  return WorkerRef{RuntimeId(), std::move(*worker_id)};
}

Result<WorkerRef> worker_ref_in(const fs_store::Reader& reader, const std::string& worker) {
  auto worker_ref = worker_ref_of(worker);
  if (!worker_ref) return worker_ref;
  auto summary = reader.summary();
  if (!summary) return std::move(summary).error();
  worker_ref->runtime_id = summary->runtime_id;
  return worker_ref;
}

Result<std::optional<Answer>> ask_running_host(const Options& options,
                                               const fs_store::HostRequest& request) {
  // A host has opened its runtime with options of its own.
  if (!options.durability.empty() || !options.limits.empty()) return std::optional<Answer>();
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return std::move(runtime_id).error();
  return fs_store::ask_host(root_of(options), *std::move(runtime_id), request);
}

namespace {

/// As JSON, or the sentence that it comes to.
Exit print_answer(const Options& options, const Answer& answer,
                  const std::function<std::string(const Answer&)>& sentence) {
  Output output;
  if (options.json) {
    output.json(answer);
  } else {
    output.line(sentence(answer));
  }
  return output.finish(Exit::done);
}

}  // namespace

Exit run_operation(
    const Options& options, Create create, const fs_store::HostRequest& request,
    const std::function<Result<Answer>(Runtime&, const RuntimeId& runtime_id)>& operation,
    const std::function<std::string(const Answer&)>& sentence) {
  auto asked = ask_running_host(options, request);
  if (!asked) return report(options, asked.error());
  if (*asked) return print_answer(options, **asked, sentence);
  auto runtime = open_for_writing(options, create);
  if (!runtime) return report(options, runtime.error());
  auto summary = runtime->summary();
  auto answer = summary ? operation(*runtime, summary->runtime_id)
                        : Result<Answer>(std::move(summary).error());
  auto closed = runtime->close();
  if (!answer) return report(options, answer.error());
  const Exit exit = print_answer(options, *answer, sentence);
  // The operation itself is durable; what failed is the checkpoint.
  return closed ? exit : report(options, closed.error());
}

Exit run_mutation(const Options& options, Create create, Result<Mutation> operation) {
  if (!operation) return report(options, operation.error());
  const auto said = [&](const Answer& answer) { return sentence(*operation, answer); };
  return run_operation(
      options, create, *operation,
      [&](Runtime& runtime, const RuntimeId& runtime_id) {
        set_runtime(*operation, runtime_id);
        return perform(runtime, *operation);
      },
      said);
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

Result<Mutation> make_send(const EntryArguments& arguments) {
  auto worker_ref = worker_ref_of(arguments.worker);
  if (!worker_ref) return std::move(worker_ref).error();
  auto text = text_of(arguments.text);
  if (!text) return std::move(text).error();
  return Mutation(SendInput{std::move(*worker_ref),
                            arguments.other_role ? InputRole::system : InputRole::user,
                            std::move(*text), arguments.key});
}

Result<Mutation> make_append(const EntryArguments& arguments) {
  auto worker_ref = worker_ref_of(arguments.worker);
  if (!worker_ref) return std::move(worker_ref).error();
  auto text = text_of(arguments.text);
  if (!text) return std::move(text).error();
  return Mutation(AppendOutput{std::move(*worker_ref),
                               arguments.other_role ? OutputRole::tool : OutputRole::assistant,
                               std::move(*text), arguments.name, arguments.data,
                               counters_of(arguments.usage), arguments.key});
}

using MakeOperation = std::function<Result<Mutation>()>;

/// A command that is one mutation: its writer options and its callback.
Command add_mutation(Command app, Options& options, Run& run, const char* name,
                     const char* description, MakeOperation make) {
  const Command command = app.add_command(name, description);
  add_writer_options(command, options);
  command.callback([&options, &run, make = std::move(make)] {
    run = [&options, make] { return run_mutation(options, Create::no, make()); };
  });
  return command;
}

void add_entries(Command app, Options& options, Run& run) {
  auto sent = std::make_shared<EntryArguments>();
  const Command send = add_mutation(app, options, run, "send", "give a worker input",
                                    [sent] { return make_send(*sent); });
  add_worker(send, sent->worker);
  send.add_option("TEXT", sent->text, "the input; - reads standard input")
      .value_name("")
      .required();
  send.add_flag("--system", sent->other_role, "a system text instead of a user's");
  add_key(send, sent->key);

  auto made = std::make_shared<EntryArguments>();
  const Command append = add_mutation(app, options, run, "append", "record a worker's output",
                                      [made] { return make_append(*made); });
  add_worker(append, made->worker);
  append.add_option("TEXT", made->text, "the output; - reads standard input")
      .value_name("")
      .required();
  append.add_flag("--tool", made->other_role, "output of a tool instead of the assistant's");
  append.add_option("--name", made->name, "a name, such as the tool's").value_name("NAME");
  append.add_option("--data", made->data, "a JSON object to attach").value_name("JSON");
  append.add_repeated("--usage", made->usage, "add to a named counter")
      .value_name("NAME=N")
      .check(check_number_assignment);
  add_key(append, made->key);
}

struct EndArguments {
  std::string worker;
  std::optional<std::string> reason;
};

template <typename Operation>
void add_end(Command app, Options& options, Run& run, const char* name, const char* description) {
  auto arguments = std::make_shared<EndArguments>();
  const Command command =
      add_mutation(app, options, run, name, description, [arguments]() -> Result<Mutation> {
        auto worker_ref = worker_ref_of(arguments->worker);
        if (!worker_ref) return std::move(worker_ref).error();
        return Mutation(Operation{std::move(*worker_ref), arguments->reason});
      });
  add_worker(command, arguments->worker);
  command.add_option("--reason", arguments->reason, "why; becomes the event's message")
      .value_name("TEXT");
}

struct TrimArguments {
  std::string worker;
  std::optional<std::uint64_t> before;
};

Result<Mutation> make_trim(const TrimArguments& arguments) {
  if (arguments.worker.empty()) return Mutation(TrimEvents{EventId{*arguments.before}});
  auto worker_ref = worker_ref_of(arguments.worker);
  if (!worker_ref) return std::move(worker_ref).error();
  return Mutation(TrimTranscript{std::move(*worker_ref), Sequence{*arguments.before}});
}

void add_trim(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<TrimArguments>();
  const Command command =
      add_mutation(app, options, run, "trim", "let old events or entries go for good",
                   [arguments] { return make_trim(*arguments); });
  command.add_option("WORKER", arguments->worker, "whose transcript [the event log]")
      .value_name("")
      .check(check_not_empty);
  command.add_number("--before", arguments->before, "the first event id or sequence that is kept")
      .value_name("N")
      .required();
}

struct RedactArguments {
  std::string worker;
  std::optional<std::uint64_t> sequence;
};

void add_redact(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<RedactArguments>();
  const Command command = add_mutation(
      app, options, run, "redact", "replace the text of an entry for good",
      [arguments]() -> Result<Mutation> {
        auto worker_ref = worker_ref_of(arguments->worker);
        if (!worker_ref) return std::move(worker_ref).error();
        return Mutation(Redact{std::move(*worker_ref), Sequence{*arguments->sequence}});
      });
  add_worker(command, arguments->worker);
  command.add_number("SEQUENCE", arguments->sequence, "the number of the entry")
      .value_name("")
      .required();
}

}  // namespace

void add_mutations(Command app, Options& options, Run& run) {
  add_entries(app, options, run);
  add_end<StopWorker>(app, options, run, "stop", "stop a worker");
  add_end<CancelWorker>(app, options, run, "cancel", "cancel a worker");

  auto worker = std::make_shared<std::string>();
  const Command remove =
      add_mutation(app, options, run, "delete", "delete a stopped or cancelled worker",
                   [worker]() -> Result<Mutation> {
                     auto worker_ref = worker_ref_of(*worker);
                     if (!worker_ref) return std::move(worker_ref).error();
                     return Mutation(DeleteWorker{std::move(*worker_ref)});
                   });
  add_worker(remove, *worker);

  add_trim(app, options, run);
  add_redact(app, options, run);
  add_mutation(app, options, run, "shutdown", "stop every running worker and the runtime",
               []() -> Result<Mutation> { return Mutation(StopRuntime{}); });
  add_mutation(app, options, run, "start", "start a stopped runtime",
               []() -> Result<Mutation> { return Mutation(StartRuntime{}); });
}

}  // namespace worker_runtime::cli
