// Operations of scenarios, and the memory Runtime they are compared with: see model.h.
#include "model.h"

#include <utility>

#include "simulated_store.h"
#include "support/domain.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::testing {
namespace {

WorkerRef ref(std::string_view id) { return {runtime_id("main"), worker_id(id)}; }

Operation one(std::string name, Mutation mutation) {
  return {Operation::Kind::submit, std::move(name), {std::move(mutation)}};
}

CreateRequest keyed_task(std::string objective, std::string id) {
  CreateRequest request = task(std::move(objective), id);
  request.idempotency_key = "create " + id;
  return request;
}

AppendOutput rich_output(std::string_view id) {
  AppendOutput request = output(ref(id), "found \u2603 \"3\"\n", "output key");
  request.role = OutputRole::tool;
  request.name = "search";
  request.data = R"({"hits":[1,2,{"deep":null}]})";
  request.usage = {{"tokens", 12}, {"calls", 1}};
  return request;
}

/// As a fork of another Worker makes it; its second entry ends a part.
ImportWorker copy_of_another(std::string id) {
  ImportWorker request{keyed_task("go on", id)};
  request.request.origin = Origin{ref("another"), Sequence{2}};
  TranscriptEntry first;
  first.at = Timestamp{1'000'000};
  first.content = "asked long ago";
  first.idempotency_key = "first copied key";
  TranscriptEntry second;
  second.at = Timestamp{2'000'000};
  second.role = Role::assistant;
  second.content = std::string(700, 'c');
  second.usage = {{"tokens", 7}};
  request.entries = {std::move(first), std::move(second)};
  return request;
}

template <typename Value>
void add(std::string& view, const Result<Value>& value) {
  if (value) {
    fs_store::append_json(view, *value);
  } else {
    view += "error: " + value.error().detail();
  }
  view += '\n';
}

void add_events(std::string& view, const Runtime& runtime) {
  EventQuery query;
  for (;;) {
    auto page = runtime.read_events(query);
    if (!page) return add(view, page);
    for (const Event& event : page->events) {
      fs_store::append_json(view, event);
      view += '\n';
    }
    if (!page->has_more) return;
    query.from = page->next;
  }
}

}  // namespace

std::size_t Operation::units() const {
  if (kind == Kind::submit) return mutations.size();
  return kind == Kind::batch ? 1 : 0;
}

std::string view_of(const Runtime& runtime) {
  std::string view;
  auto summary = runtime.summary();
  if (summary) {
    summary->backend.clear();
    summary->durability = Durability::none;
    summary->epoch = Epoch{};
    summary->diagnostic_count = 0;
    summary->store.reset();
  }
  add(view, summary);
  auto workers = runtime.list_workers();
  add(view, workers);
  if (!workers) return view;
  for (const WorkerSummary& worker : workers->workers) {
    add(view, runtime.worker_detail(worker.worker_ref));
    add(view, runtime.read_transcript(worker.worker_ref));
  }
  add_events(view, runtime);
  return view;
}

void perform(Runtime& runtime, const std::vector<Mutation>& unit) {
  if (unit.size() != 1) {
    static_cast<void>(runtime.batch(unit).has_value());
    return;
  }
  struct Call {
    Runtime& runtime;
    bool operator()(const CreateRequest& request) const {
      return runtime.create_worker(request).has_value();
    }
    bool operator()(const ImportWorker& request) const {
      return runtime.import_worker(request).has_value();
    }
    bool operator()(const SendInput& request) const {
      return runtime.send_input(request).has_value();
    }
    bool operator()(const AppendOutput& request) const {
      return runtime.append_output(request).has_value();
    }
    bool operator()(const StopWorker& request) const {
      return runtime.stop_worker(request).has_value();
    }
    bool operator()(const CancelWorker& request) const {
      return runtime.cancel_worker(request).has_value();
    }
    bool operator()(const DeleteWorker& request) const {
      return runtime.delete_worker(request).has_value();
    }
    bool operator()(const TrimEvents& request) const {
      return runtime.trim_events(request).has_value();
    }
    bool operator()(const TrimTranscript& request) const {
      return runtime.trim_transcript(request).has_value();
    }
    bool operator()(const Redact& request) const { return runtime.redact(request).has_value(); }
    bool operator()(const StopRuntime&) const { return runtime.stop_runtime().has_value(); }
    bool operator()(const StartRuntime&) const { return runtime.start_runtime().has_value(); }
  };
  static_cast<void>(std::visit(Call{runtime}, unit.front()));
}

Model::Model(RuntimeId runtime_id)
    : runtime_id_(std::move(runtime_id)),
      runtime_(Runtime::in_memory(runtime_id_, simulated_runtime_options()).value()),
      views_{view_of(runtime_)} {}

void Model::apply(const Operation& operation) {
  const auto add_unit = [&](std::vector<Mutation> unit) {
    perform(runtime_, unit);
    units_.push_back(std::move(unit));
    views_.push_back(view_of(runtime_));
  };
  if (operation.kind == Operation::Kind::batch) add_unit(operation.mutations);
  if (operation.kind != Operation::Kind::submit) return;
  for (const Mutation& mutation : operation.mutations) add_unit({mutation});
}

Runtime Model::replayed(std::size_t count) const {
  Runtime runtime = Runtime::in_memory(runtime_id_, simulated_runtime_options()).value();
  for (std::size_t index = 0; index < count; ++index) perform(runtime, units_[index]);
  return runtime;
}

const std::vector<Operation>& base_operations() {
  static const std::vector<Operation> operations = {
      one("create mail", keyed_task("sort", "mail")),
      one("create done", task("be done", "done")),
      one("create tape", task("wait", "tape")),
      one("send mail", input(ref("mail"), "first", "first key")),
      one("append mail", output(ref("mail"), "second " + std::string(700, 's'))),  // ends a part
      one("send done", input(ref("done"), "only")),
      one("stop done", StopWorker{ref("done"), "finished"}),
  };
  return operations;
}

const std::vector<Operation>& alphabet() {
  using Kind = Operation::Kind;
  static const std::vector<Operation> operations = {
      one("create new", keyed_task("something", "new")),
      one("create generated", task("something else")),
      one("import copy", copy_of_another("copy")),
      one("send mail", input(ref("mail"), "an input", "input key")),
      one("append mail", rich_output("mail")),
      one("stop mail", StopWorker{ref("mail"), std::nullopt}),
      one("cancel tape", CancelWorker{ref("tape"), "no use"}),
      one("delete done", DeleteWorker{ref("done")}),
      one("delete mail", DeleteWorker{ref("mail")}),
      one("trim events", TrimEvents{EventId{9}}),  // all that the history has
      one("trim mail", TrimTranscript{ref("mail"), Sequence{3}}),
      one("redact mail", Redact{ref("mail"), Sequence{2}}),
      one("stop runtime", StopRuntime{}),
      one("start runtime", StartRuntime{}),
      one("send long", input(ref("tape"), std::string(5000, 'l'))),
      {Kind::batch,
       "batch",
       {keyed_task("short", "made"), input(ref("made"), "in a batch", "batch key"),
        StopWorker{ref("made"), "at once"}, DeleteWorker{ref("made")}, task("stays")}},
      {Kind::submit,
       "group",
       {input(ref("mail"), "one"), input(ref("tape"), "two", "group key"), task("three"),
        output(ref("mail"), std::string(700, 'f')), StopWorker{ref("tape"), "five"}}},
      {Kind::checkpoint, "checkpoint", {}},
      {Kind::reopen, "reopen", {}},
      {Kind::kill, "kill", {}},
  };
  return operations;
}

}  // namespace worker_runtime::testing
