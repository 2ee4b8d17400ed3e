// retention: what would go by a policy, and lets it go.
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "arguments.h"
#include "command.h"
#include "mutation.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "streams.h"
#include "worker_runtime/fs_store/retention.h"

namespace worker_runtime::cli {
namespace {

struct RetentionArguments {
  bool plan = false;
  bool apply = false;
  bool force = false;
  std::optional<double> max_age_days;
  std::optional<double> delete_ended_after_days;
  fs_store::RetentionPolicy policy;
};

std::string worker_of(const Mutation& operation) {
  return std::visit(
      [](const auto& request) -> std::string {
        if constexpr (requires { request.worker_ref; })
          return printable(request.worker_ref.worker_id.text());
        return "-";
      },
      operation);
}

void print(Output& output, const fs_store::RetentionPlan& plan) {
  Table table({"WHAT", "WORKER", "KEPT FROM", "GO", "BYTES FREED"});
  for (const fs_store::RetentionItem& item : plan.items) {
    std::string what = "delete";
    std::string from = "-";
    if (const auto* const events = std::get_if<TrimEvents>(&item.operation)) {
      what = "trim events";
      from = std::to_string(events->before.value);
    } else if (const auto* const entries = std::get_if<TrimTranscript>(&item.operation)) {
      what = "trim transcript";
      from = std::to_string(entries->before.value);
    }
    table.add({what, worker_of(item.operation), from, std::to_string(item.items),
               std::to_string(item.bytes)});
  }
  if (!plan.items.empty()) table.print_rows(output);
  for (const fs_store::RetentionSkipped& skipped : plan.skipped)
    output.line("skipped " + printable(skipped.worker_id.text()) + ": " + printable(skipped.cause));
  if (plan.items.empty()) return output.line(styled("nothing is to go", Style::good));
  const std::string things = counted(plan.items.size(), "thing", "things") + ", " +
                             std::to_string(plan.bytes()) + " bytes";
  output.line(plan.applied ? things + ": " + styled("gone", Style::good)
                           : things + "; nothing was changed: --apply does it");
}

/// Does operations where the process is that holds the runtime, or here if none does.
class RuntimeOrHost {
 public:
  explicit RuntimeOrHost(const Options& options) : options_(options) {}

  Result<Answer> perform(const Mutation& operation) {
    if (!runtime_) {
      auto asked = ask_running_host(options_, operation);
      if (!asked) return std::move(asked).error();
      if (*asked) return **std::move(asked);
      auto opened = open_for_writing(options_, Create::no);
      if (!opened) return std::move(opened).error();
      runtime_ = std::move(*opened);
    }
    return cli::perform(*runtime_, operation);
  }
  Result<void> close() { return runtime_ ? runtime_->close() : Result<void>(); }

 private:
  const Options& options_;
  std::optional<Runtime> runtime_;
};

/// Does what was planned. What somebody else has done meanwhile is no failure.
Result<void> apply(const Options& options, fs_store::RetentionPlan& plan) {
  RuntimeOrHost runtime(options);
  std::optional<Error> refused;
  for (const fs_store::RetentionItem& item : plan.items) {
    auto done = runtime.perform(item.operation);
    if (done || done.error().code() == ErrorCode::worker_not_found) continue;
    refused = std::move(done).error();
    break;
  }
  auto closed = runtime.close();
  if (refused) return *std::move(refused);
  plan.applied = closed.has_value();
  return closed;
}

fs_store::RetentionOptions planning_of(const Options& options,
                                       const RetentionArguments& arguments) {
  const auto seconds = [](double days) { return std::chrono::seconds(std::llround(days * 86400)); };
  fs_store::RetentionOptions planning;
  planning.root = root_of(options);
  planning.policy = arguments.policy;
  if (arguments.max_age_days) planning.policy.max_age = seconds(*arguments.max_age_days);
  if (arguments.delete_ended_after_days)
    planning.policy.delete_ended_after = seconds(*arguments.delete_ended_after_days);
  planning.now = system_clock()();
  planning.trust_clock = arguments.force;
  return planning;
}

Exit retain(const Options& options, const RetentionArguments& arguments) {
  auto runtime_id = runtime_of(options);
  if (!runtime_id) return report(options, runtime_id.error());
  fs_store::RetentionOptions planning = planning_of(options, arguments);
  planning.runtime_id = std::move(*runtime_id);
  std::optional<StopWatch> stop(std::in_place);
  planning.stop = stop->token();
  Progress progress("looked at", {}, ProgressUnit::workers);
  planning.progress = [&](std::uint64_t workers) { progress.show(workers); };
  auto plan = fs_store::plan_retention(planning);
  progress.hide();
  stop.reset();
  if (!plan) return report(options, plan.error());
  if (arguments.apply && !plan->items.empty()) {
    auto applied = apply(options, *plan);
    if (!applied) return report(options, applied.error());
  }
  Output output;
  if (options.json) {
    output.json(*plan);
  } else {
    print(output, *plan);
  }
  return output.finish(Exit::done);
}

void add_days(Command command, const char* name, std::optional<double>& days,
              const char* description) {
  command.add_option(name, days, description).value_name("DAYS").check(check_days);
}

}  // namespace

void add_retention(Command app, Options& options, Run& run) {
  const auto arguments = std::make_shared<RetentionArguments>();
  fs_store::RetentionPolicy& policy = arguments->policy;
  const Command command = app.add_command("retention", "let old history go by age, count or size");
  const CommandOption plan = command.add_flag("--plan", arguments->plan,
                                              "say what would go, and change nothing (default)");
  command.add_flag("--apply", arguments->apply, "let it go, for good").excludes(plan);
  add_days(command, "--max-age", arguments->max_age_days, "of events and entries");
  command.add_number("--max-events", policy.max_events, "in the event log").value_name("N");
  command.add_number("--max-entries", policy.max_entries, "of each transcript").value_name("N");
  command
      .add_number("--max-event-bytes", policy.max_event_bytes,
                  "of the event log's files, by whole closed parts")
      .value_name("N");
  command
      .add_number("--max-transcript-bytes", policy.max_transcript_bytes,
                  "of each transcript's files, by whole closed parts")
      .value_name("N");
  add_days(command, "--delete-ended-after", arguments->delete_ended_after_days,
           "Workers that have ended so long ago");
  command.add_flag("--force", arguments->force,
                   "trust the clock although it is 30 days past the newest event");
  command.add_option("--wait", options.wait_seconds, "wait for the lock so long, with --apply")
      .value_name("SECONDS")
      .check(check_seconds);
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] { return retain(options, *arguments); };
  });
}

}  // namespace worker_runtime::cli
