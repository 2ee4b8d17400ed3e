// Requests of `pipe`: which members each operation takes, and what they make.
#include <array>
#include <bit>
#include <utility>

#include "request_members.h"

namespace worker_runtime::fs_store {

namespace {

/// So many operations of one batch are kept while they are read: a line of 64 MiB must not become
/// gigabytes. A Runtime's own limit is far below.
constexpr std::uint64_t batch_operations_kept = 65'536;

enum class Worker : std::uint8_t { none, named };

/// Makes the body of one operation from the members.
using MakeBody = Result<RequestBody> (*)(const RuntimeId& runtime_id, RequestMembers& members);

struct Operation {
  std::string_view name;
  MakeBody make;
  Worker worker = Worker::none;
  RequestMask required = 0;
  RequestMask optional = 0;
  bool is_mutation = false;
};

WorkerRef worker_of(const RuntimeId& runtime_id, RequestMembers& members) {
  if (members.worker_ref) return *std::move(members.worker_ref);
  return WorkerRef{runtime_id, *std::move(members.worker_id)};
}

Direction direction_of(const RequestMembers& members) {
  return members.newest_first ? Direction::newest_first : Direction::oldest_first;
}

// ---- mutations

Result<RequestBody> make_create(const RuntimeId&, RequestMembers& members) {
  members.create.worker_id = std::move(members.worker_id);
  members.create.idempotency_key = std::move(members.idempotency_key);
  return RequestBody(Mutation(std::move(members.create)));
}

Result<RequestBody> make_input(const RuntimeId& runtime_id, RequestMembers& members) {
  SendInput request;
  if (members.kind == "system") {
    request.role = InputRole::system;
  } else if (members.kind != "user") {
    return invalid_request("the kind of an input is neither user nor system");
  }
  request.worker_ref = worker_of(runtime_id, members);
  request.content = std::move(members.content);
  request.idempotency_key = std::move(members.idempotency_key);
  return RequestBody(Mutation(std::move(request)));
}

Result<RequestBody> make_output(const RuntimeId& runtime_id, RequestMembers& members) {
  AppendOutput request;
  if (members.role == "tool") {
    request.role = OutputRole::tool;
  } else if (members.role != "assistant") {
    return invalid_request("the role of an output is neither assistant nor tool");
  }
  request.worker_ref = worker_of(runtime_id, members);
  request.content = std::move(members.content);
  request.name = std::move(members.name);
  request.data = std::move(members.data);
  request.usage = std::move(members.usage);
  request.idempotency_key = std::move(members.idempotency_key);
  return RequestBody(Mutation(std::move(request)));
}

Result<RequestBody> make_stop(const RuntimeId& runtime_id, RequestMembers& members) {
  return RequestBody(
      Mutation(StopWorker{worker_of(runtime_id, members), std::move(members.reason)}));
}

Result<RequestBody> make_cancel(const RuntimeId& runtime_id, RequestMembers& members) {
  return RequestBody(
      Mutation(CancelWorker{worker_of(runtime_id, members), std::move(members.reason)}));
}

Result<RequestBody> make_delete(const RuntimeId& runtime_id, RequestMembers& members) {
  return RequestBody(Mutation(DeleteWorker{worker_of(runtime_id, members)}));
}

Result<RequestBody> make_trim_events(const RuntimeId&, RequestMembers& members) {
  return RequestBody(Mutation(TrimEvents{EventId{members.before}}));
}

Result<RequestBody> make_trim_transcript(const RuntimeId& runtime_id, RequestMembers& members) {
  return RequestBody(
      Mutation(TrimTranscript{worker_of(runtime_id, members), Sequence{members.before}}));
}

Result<RequestBody> make_redact(const RuntimeId& runtime_id, RequestMembers& members) {
  return RequestBody(Mutation(Redact{worker_of(runtime_id, members), Sequence{members.sequence}}));
}

Result<RequestBody> make_fork(const RuntimeId& runtime_id, RequestMembers& members) {
  ForkWorker request;
  request.worker_ref = worker_of(runtime_id, members);
  request.at = Sequence{members.at};
  request.worker_id = std::move(members.as);
  request.display_name = std::move(members.create.display_name);
  request.idempotency_key = std::move(members.idempotency_key);
  return RequestBody(std::move(request));
}

Result<RequestBody> make_import(const RuntimeId&, RequestMembers& members) {
  return RequestBody(ImportExport{std::move(members.exported), std::move(members.as),
                                  std::move(members.idempotency_key)});
}

template <typename Body>
Result<RequestBody> make_mutation(const RuntimeId&, RequestMembers&) {
  return RequestBody(Mutation(Body{}));
}

// ---- reads and the rest

Result<RequestBody> make_list(const RuntimeId&, RequestMembers& members) {
  constexpr std::array<std::pair<std::string_view, StatusFilter>, 4> filters{
      {{"running", StatusFilter::running},
       {"stopped", StatusFilter::stopped},
       {"cancelled", StatusFilter::cancelled},
       {"damaged", StatusFilter::damaged}}};
  ListRequest request;
  if ((members.seen & mask_of(RequestMember::status)) != 0) {
    for (const auto& [name, filter] : filters) {
      if (members.status == name) request.query.status = filter;
    }
    if (request.query.status == StatusFilter::any) {
      return invalid_request("the status is none of running, stopped, cancelled, damaged");
    }
  }
  if (members.after_number) return invalid_request("the member \"after\" is no worker id");
  if (members.after_text) {
    auto after = WorkerId::parse(*members.after_text);
    if (!after) return std::move(after).error();
    request.query.after = *std::move(after);
  }
  request.query.limit = members.limit;
  return RequestBody(std::move(request));
}

Result<RequestBody> make_detail(const RuntimeId& runtime_id, RequestMembers& members) {
  return RequestBody(WorkerDetailRequest{worker_of(runtime_id, members)});
}

Result<RequestBody> make_diagnostics(const RuntimeId&, RequestMembers& members) {
  if (members.after_text) return invalid_request("the member \"after\" is no number");
  return RequestBody(DiagnosticsRequest{members.after_number.value_or(0), members.limit});
}

Result<RequestBody> make_events(const RuntimeId&, RequestMembers& members) {
  EventQuery query;
  if ((members.seen & mask_of(RequestMember::from)) != 0) query.from = EventId{members.from};
  query.limit = members.limit;
  query.direction = direction_of(members);
  return RequestBody(query);
}

Result<RequestBody> make_transcript(const RuntimeId& runtime_id, RequestMembers& members) {
  return RequestBody(
      ReadTranscriptRequest{worker_of(runtime_id, members),
                            TranscriptQuery{members.start, members.limit, direction_of(members)}});
}

Result<RequestBody> make_wait(const RuntimeId&, RequestMembers& members) {
  return RequestBody(WaitEventsRequest{EventId{members.from}, members.timeout_ms, members.limit});
}

template <typename Body>
Result<RequestBody> make_plain(const RuntimeId&, RequestMembers&) {
  return RequestBody(Body{});
}

// ---- the operations

using Member = RequestMember;

constexpr std::array<Operation, 24> operations{{
    {.name = "send_input",
     .make = make_input,
     .worker = Worker::named,
     .required = mask_of(Member::kind, Member::content),
     .optional = mask_of(Member::idempotency_key),
     .is_mutation = true},
    {.name = "append_output",
     .make = make_output,
     .worker = Worker::named,
     .required = mask_of(Member::role, Member::content),
     .optional = mask_of(Member::name, Member::data, Member::usage, Member::idempotency_key),
     .is_mutation = true},
    {.name = "create_worker",
     .make = make_create,
     .required = mask_of(Member::intent),
     .optional = mask_of(Member::worker_id, Member::display_name, Member::profile,
                         Member::config_bundle, Member::requested_capabilities,
                         Member::workspace_refs, Member::mount_refs, Member::idempotency_key),
     .is_mutation = true},
    {.name = "fork_worker",
     .make = make_fork,
     .worker = Worker::named,
     .required = mask_of(Member::at),
     .optional = mask_of(Member::as, Member::display_name, Member::idempotency_key)},
    {.name = "import_worker",
     .make = make_import,
     .required = mask_of(Member::exported),
     .optional = mask_of(Member::as, Member::idempotency_key)},
    {.name = "stop_worker",
     .make = make_stop,
     .worker = Worker::named,
     .optional = mask_of(Member::reason),
     .is_mutation = true},
    {.name = "cancel_worker",
     .make = make_cancel,
     .worker = Worker::named,
     .optional = mask_of(Member::reason),
     .is_mutation = true},
    {.name = "delete_worker", .make = make_delete, .worker = Worker::named, .is_mutation = true},
    {.name = "trim_events",
     .make = make_trim_events,
     .required = mask_of(Member::before),
     .is_mutation = true},
    {.name = "trim_transcript",
     .make = make_trim_transcript,
     .worker = Worker::named,
     .required = mask_of(Member::before),
     .is_mutation = true},
    {.name = "redact",
     .make = make_redact,
     .worker = Worker::named,
     .required = mask_of(Member::sequence),
     .is_mutation = true},
    {.name = "stop_runtime", .make = make_mutation<StopRuntime>, .is_mutation = true},
    {.name = "start_runtime", .make = make_mutation<StartRuntime>, .is_mutation = true},
    {.name = "list_workers",
     .make = make_list,
     .optional = mask_of(Member::status, Member::after, Member::limit)},
    {.name = "worker_detail", .make = make_detail, .worker = Worker::named},
    {.name = "summary", .make = make_plain<SummaryRequest>},
    {.name = "version", .make = make_plain<VersionRequest>},
    {.name = "metrics", .make = make_plain<MetricsRequest>},
    {.name = "diagnostics",
     .make = make_diagnostics,
     .optional = mask_of(Member::after, Member::limit)},
    {.name = "read_events",
     .make = make_events,
     .optional = mask_of(Member::from, Member::limit, Member::newest_first)},
    {.name = "read_transcript",
     .make = make_transcript,
     .worker = Worker::named,
     .optional = mask_of(Member::start, Member::limit, Member::newest_first)},
    {.name = "wait_events",
     .make = make_wait,
     .required = mask_of(Member::from, Member::timeout_ms),
     .optional = mask_of(Member::limit)},
    {.name = "batch", .make = make_plain<BatchRequest>, .required = mask_of(Member::ops)},
    {.name = "checkpoint", .make = make_plain<CheckpointRequest>},
}};

constexpr RequestMask worker_members = mask_of(Member::worker_id, Member::worker_ref);

const Operation* find_operation(std::string_view name) {
  for (const Operation& operation : operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

std::string_view first_of(RequestMask mask) {
  return to_string(static_cast<RequestMember>(std::countr_zero(mask)));
}

std::optional<Error> check_members(const Operation& operation, RequestMask seen) {
  RequestMask allowed = mask_of(Member::op, Member::id) | operation.required | operation.optional;
  const auto with = [&](std::string_view before, RequestMask mask, std::string_view behind) {
    return invalid_request(std::string(before) + "\"" + std::string(first_of(mask)) + "\"" +
                           std::string(behind) + std::string(operation.name));
  };
  if (operation.worker == Worker::named) {
    allowed |= worker_members;
    const RequestMask named = seen & worker_members;
    if (named == 0) return with("member ", worker_members, " (or worker_ref) is missing in ");
    if (named == worker_members)
      return invalid_request("a Worker named by worker_id and worker_ref");
  }
  if ((seen & ~allowed) != 0) return with("unknown member ", seen & ~allowed, " in ");
  const RequestMask missing = operation.required & ~seen;
  if (missing != 0) return with("member ", missing, " is missing in ");
  return std::nullopt;
}

}  // namespace

// ---- the parser

class RequestParser::Implementation final : public OperationsReader {
 public:
  explicit Implementation(RuntimeId runtime_id) : runtime_id_(std::move(runtime_id)) {}

  Request parse(std::string_view line) {
    batch_ = BatchRequest();
    batch_size_ = 0;
    batch_error_.reset();
    RequestMembers members;
    if (!reader_.start(line) || !read_request_members(reader_, whole_text, members, this) ||
        !reader_.finish()) {
      Error error = batch_error_ ? *std::move(batch_error_) : invalid_request(reader_.message());
      return Request{find_request_id(reader_, line), std::move(error)};
    }
    std::string id = (members.seen & mask_of(Member::id)) != 0 ? std::move(members.id) : "null";
    return Request{std::move(id), make_body(members)};
  }

  bool read_operations(JsonValue value) override {
    return reader_.read_array(value, [&](JsonValue element) {
      RequestMembers members;
      if (!read_request_members(reader_, &element, members, nullptr)) {
        // Where the line is no JSON, it is not the operation that is wrong.
        if (!reader_.is_structure_bad()) batch_error_ = invalid_request(reader_.message());
      } else {
        auto mutation = make_mutation_of(members);
        if (!mutation) {
          batch_error_ = std::move(mutation).error();
        } else if (batch_size_ < batch_operations_kept) {
          batch_.operations.push_back(*std::move(mutation));
        }
      }
      // A mistake in one operation ends the reading: nothing of a batch is done.
      if (batch_error_) return reader_.fail(batch_error_->set_index(batch_size_).message());
      ++batch_size_;
      return true;
    });
  }

 private:
  Result<RequestBody> make_body(RequestMembers& members) {
    const Operation* operation = find_operation(members.op);
    if (operation == nullptr) return unknown_operation(members.op);
    if (auto error = check_members(*operation, members.seen)) return *std::move(error);
    if ((operation->required & mask_of(Member::ops)) == 0) {
      return operation->make(runtime_id_, members);
    }
    if (batch_size_ > batch_operations_kept) {
      return Error(ErrorCode::limit_exceeded, "too many operations in a batch",
                   LimitFields{"batch_operations", batch_size_, batch_operations_kept});
    }
    return RequestBody(std::move(batch_));
  }

  Result<Mutation> make_mutation_of(RequestMembers& members) {
    const Operation* operation = find_operation(members.op);
    if (operation == nullptr) return unknown_operation(members.op);
    if (!operation->is_mutation) {
      return invalid_request("the operation " + std::string(operation->name) + " in a batch");
    }
    if ((members.seen & mask_of(Member::id)) != 0)
      return invalid_request("an id in a batch's operation");
    if (auto error = check_members(*operation, members.seen)) return *std::move(error);
    auto body = operation->make(runtime_id_, members);
    if (!body) return std::move(body).error();
    return std::get<Mutation>(*std::move(body));
  }

  static Error unknown_operation(std::string_view name) {
    return invalid_request("unknown operation \"" + std::string(name.substr(0, 80)) + "\"");
  }

  RuntimeId runtime_id_;
  JsonReader reader_;
  BatchRequest batch_;
  std::uint64_t batch_size_ = 0;
  std::optional<Error> batch_error_;
};

RequestParser::RequestParser(RuntimeId runtime_id)
    : implementation_(std::make_unique<Implementation>(std::move(runtime_id))) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

Request RequestParser::parse(std::string_view line) { return implementation_->parse(line); }

}  // namespace worker_runtime::fs_store
