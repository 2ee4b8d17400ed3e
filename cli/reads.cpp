// list, show, status, diagnostics: reads of the catalog, without the writer's lock.
#include <algorithm>
#include <array>
#include <memory>

#include "command.h"
#include "mutation.h"
#include "output.h"
#include "posix_pager.h"
#include "watch.h"

namespace worker_runtime::cli {
namespace {

/// Reads and prints; the output's own failures are told last.
Exit with_reader(const Options& options,
                 const std::function<Result<void>(fs_store::Reader&, Output&)>& read) {
  auto reader = open_for_reading(options);
  if (!reader) return report(options, reader.error());
  const Pager pager(options);
  Output output;
  auto done = read(*reader, output);
  const Exit exit = output.finish(Exit::done);
  return done ? exit : report(options, done.error());
}

std::string number(std::uint64_t value) { return std::to_string(value); }

// ---- list

struct ListArguments {
  std::string status;
  std::optional<std::string> after;
  std::optional<std::uint64_t> limit;
};

constexpr std::array<std::string_view, 5> filters{"any", "running", "stopped", "cancelled",
                                                  "damaged"};

std::string status_text(const WorkerSummary& worker) {
  return std::string(to_string(worker.status)) + (worker.damaged ? ", damaged" : "");
}

Result<void> list(fs_store::Reader& reader, Output& output, const Options& options,
                  const ListArguments& arguments) {
  ListQuery query;
  const auto* const filter = std::find(filters.begin(), filters.end(), arguments.status);
  if (filter != filters.end()) query.status = static_cast<StatusFilter>(filter - filters.begin());
  if (arguments.after) {
    auto after = WorkerId::parse(*arguments.after);
    if (!after) return std::move(after).error();
    query.after = std::move(*after);
  }
  query.limit = arguments.limit;
  Table table({"WORKER", "STATUS", "ENTRIES", "LAST EVENT", "UPDATED", "NAME"});
  std::uint64_t shown = 0;
  for (;;) {
    auto page = reader.list_workers(query);
    if (!page) return std::move(page).error();
    shown += page->workers.size();
    for (const WorkerSummary& worker : page->workers) {
      if (options.json) {
        output.json(worker);
        continue;
      }
      table.add({printable(worker.worker_ref.worker_id.text()), status_text(worker),
                 number(worker.transcript_len), number(worker.last_event_id.value),
                 time_text(options, worker.updated_at),
                 printable(worker.display_name.value_or(""))});
    }
    if (!options.json && shown != 0) table.print_rows(output);
    if (arguments.limit || !page->next_after || output.is_broken()) break;
    query.after = page->next_after;
  }
  if (!options.json && shown == 0) output.line("no workers");
  return {};
}

void add_list(Command app, Options& options, Run& run) {
  auto arguments = std::make_shared<ListArguments>();
  const Command command = app.add_command("list", "list the workers");
  command.add_option("--status", arguments->status, "only those")
      .value_name("STATUS")
      .one_of({"running", "stopped", "cancelled", "damaged"});
  command.add_option("--after", arguments->after, "those behind this id").value_name("ID");
  command.add_number("--limit", arguments->limit, "at most so many [all]").value_name("N");
  command.callback([&options, &run, arguments] {
    run = [&options, arguments] {
      return with_reader(options, [&](fs_store::Reader& reader, Output& output) {
        return list(reader, output, options, *arguments);
      });
    };
  });
}

// ---- show

std::string intent_text(const Intent& intent) {
  if (const auto* const task = std::get_if<TaskIntent>(&intent))
    return "task: " + printable(task->objective);
  if (const auto* const role = std::get_if<RoleIntent>(&intent)) {
    return "role " + printable(role->role) +
           (role->purpose ? ": " + printable(*role->purpose) : "");
  }
  const auto& purpose = std::get<AssistantIntent>(intent).purpose;
  return "assistant" + (purpose ? ": " + printable(*purpose) : "");
}

void print_usage(Output& output, const Usage& usage) {
  output.line("inputs       " + number(usage.inputs));
  output.line("outputs      " + number(usage.outputs));
  output.line("content      " + number(usage.content_bytes) + " bytes");
  for (const Counter& counter : usage.counters) {
    output.line("             " + printable(counter.name) + " = " + number(counter.value));
  }
}

void print_detail(const Options& options, Output& output, const WorkerDetail& worker) {
  const WorkerSummary& summary = worker.summary;
  output.line(
      styled("worker       " + printable(summary.worker_ref.worker_id.text()), Style::bold));
  if (summary.display_name) output.line("name         " + printable(*summary.display_name));
  output.line("status       " + status_text(summary));
  if (summary.damaged)
    output.line("damage       " + styled(printable(*summary.damaged), Style::bad));
  if (worker.request) {
    const CreateRequest& request = *worker.request;
    output.line("intent       " + intent_text(request.intent));
    output.line("profile      " + std::string(to_string(request.profile.kind)) +
                (request.profile.value.empty() ? "" : " " + printable(request.profile.value)));
    if (request.origin) {
      output.line("origin       entry " + std::to_string(request.origin->sequence.value) +
                  " of worker " + printable(request.origin->worker_ref.worker_id.text()) +
                  " of runtime " + printable(request.origin->worker_ref.runtime_id.text()));
    }
    if (request.config_bundle) output.line("bundle       " + printable(*request.config_bundle));
    for (const Capability& capability : request.requested_capabilities) {
      output.line("capability   " + printable(capability.name) +
                  (capability.reason ? ": " + printable(*capability.reason) : ""));
    }
    for (const NamedReference& workspace : request.workspace_refs) {
      output.line("workspace    " + printable(workspace.name) + " = " +
                  printable(workspace.reference));
    }
    for (const NamedReference& mount : request.mount_refs) {
      output.line("mount        " + printable(mount.name) + " = " + printable(mount.reference));
    }
  }
  output.line("created      " + time_text(options, summary.created_at));
  output.line("updated      " + time_text(options, summary.updated_at));
  output.line("transcript   " + counted(summary.transcript_len, "entry", "entries"));
  output.line("last event   " + number(summary.last_event_id.value));
  print_usage(output, summary.usage);
}

void add_show(Command app, Options& options, Run& run) {
  auto worker = std::make_shared<std::string>();
  const Command command = app.add_command("show", "show a worker");
  add_worker(command, *worker);
  command.callback([&options, &run, worker] {
    run = [&options, worker] {
      return with_reader(options, [&](fs_store::Reader& reader, Output& output) -> Result<void> {
        auto worker_ref = worker_ref_in(reader, *worker);
        if (!worker_ref) return std::move(worker_ref).error();
        auto detail = reader.worker_detail(*worker_ref);
        if (!detail) return std::move(detail).error();
        if (options.json) {
          output.json(Answer(std::move(*detail)));
        } else {
          print_detail(options, output, *detail);
        }
        return {};
      });
    };
  });
}

// ---- status

void print_status(const Options& options, Output& output, const RuntimeSummary& summary) {
  if (options.json) {
    std::string text = "{\"summary\":";
    fs_store::append_json(text, summary);
    return output.line(text + "}");
  }
  output.line(styled("runtime      " + printable(summary.runtime_id.text()), Style::bold));
  if (summary.display_name) output.line("name         " + printable(*summary.display_name));
  output.line("status       " + std::string(to_string(summary.status)));
  output.line("durability   " + std::string(to_string(summary.durability)) + ", epoch " +
              number(summary.epoch.value));
  output.line("workers      " + number(summary.worker_count) + ": " +
              number(summary.active_worker_count) + " running, " +
              number(summary.stopped_worker_count) + " stopped, " +
              number(summary.cancelled_worker_count) + " cancelled, " +
              number(summary.damaged_worker_count) + " damaged");
  output.line("events       " + number(summary.event_count));
  output.line("entries      " + number(summary.transcript_entry_count));
  print_usage(output, summary.usage);
  output.line("diagnostics  " + number(summary.diagnostic_count));
  if (!summary.store) return;
  const StoreHealth& store = *summary.store;
  const Style style = store.state == StoreHealth::Condition::ok ? Style::good : Style::bad;
  output.line("store        " + styled(to_string(store.state), style) +
              (store.detail ? ": " + printable(*store.detail) : ""));
  output.line("journal      " + number(store.journal_bytes) + " bytes, durable LSN " +
              number(store.durable_lsn.value) + ", checkpoint LSN " +
              number(store.checkpoint_lsn.value));
  output.line("disk         " + number(store.free_bytes) + " bytes free");
  if (store.recovered) output.line("recovered    " + printable(*store.recovered));
}

void add_status(Command app, Options& options, Run& run) {
  const Command command = app.add_command("status", "show how the runtime is doing");
  auto watch = std::make_shared<bool>(false);
  command.add_flag("--watch", *watch, "again and again, while something happens");
  command.callback([&options, &run, watch] {
    run = [&options, watch] {
      if (*watch) {
        return watch_status(options, [&](Output& output, const RuntimeSummary& summary) {
          print_status(options, output, summary);
        });
      }
      return with_reader(options, [&](fs_store::Reader& reader, Output& output) -> Result<void> {
        auto summary = reader.summary();
        if (!summary) return std::move(summary).error();
        print_status(options, output, *summary);
        return {};
      });
    };
  });
}

// ---- diagnostics

Result<void> diagnostics(fs_store::Reader& reader, Output& output, const Options& options) {
  std::uint64_t after = 0;
  Table table({"ID", "AT", "SEVERITY", "CODE", "WORKER", "MESSAGE"});
  for (;;) {
    auto page = reader.diagnostics(after);
    if (!page) return std::move(page).error();
    if (page->diagnostics.empty()) break;
    after = page->diagnostics.back().id;
    for (const Diagnostic& diagnostic : page->diagnostics) {
      if (options.json) {
        output.json(diagnostic);
        continue;
      }
      table.add({number(diagnostic.id), time_text(options, diagnostic.at),
                 std::string(to_string(diagnostic.severity)), printable(diagnostic.code),
                 diagnostic.worker_ref ? printable(diagnostic.worker_ref->worker_id.text()) : "-",
                 printable(diagnostic.message)});
    }
    if (!options.json) table.print_rows(output);
    if (output.is_broken()) break;
  }
  if (after == 0 && !options.json) output.line("no diagnostics");
  return {};
}

void add_diagnostics(Command app, Options& options, Run& run) {
  const Command command = app.add_command("diagnostics", "show what the runtime noticed");
  command.callback([&options, &run] {
    run = [&options] {
      return with_reader(options, [&](fs_store::Reader& reader, Output& output) {
        return diagnostics(reader, output, options);
      });
    };
  });
}

}  // namespace

void add_reads(Command app, Options& options, Run& run) {
  add_list(app, options, run);
  add_show(app, options, run);
  add_status(app, options, run);
  add_diagnostics(app, options, run);
}

}  // namespace worker_runtime::cli
