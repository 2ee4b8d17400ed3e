// Requests of `pipe`, any bytes a line.
//   - what is taken is JSON by simdjson's strict parser too; the id that is echoed is JSON;
//   - a request that is taken, written down again from its values, is taken again with the same
//   values;
//   - the parser keeps nothing from one line to the next.
#include <simdjson.h>
#include <cstdlib>

#include <string>
#include <variant>

#include "codec.h"
#include "json_writer.h"
#include "support/target.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fuzz::pipe_request {
namespace {

using fs_store::JsonWriter;

/// Writes the members of a request behind `{"op":`.
struct Members {
  JsonWriter& writer;

  void worker(const WorkerRef& ref) const {
    writer.name("worker_ref");
    writer.begin_object();
    writer.member("runtime_id", ref.runtime_id);
    writer.member("worker_id", ref.worker_id);
    writer.end_object();
  }
  void page(const std::optional<std::uint64_t>& limit, Direction direction) const {
    writer.member("limit", limit);
    writer.member("newest_first", direction == Direction::newest_first);
  }

  void operator()(const CreateRequest& request) const {
    writer.value(std::string_view("create_worker"));
    std::string object;
    fs_store::encode(object, request);
    writer.raw_members("," + object.substr(1, object.size() - 2));
  }
  void operator()(const ForkWorker& request) const {
    writer.value(std::string_view("fork_worker"));
    worker(request.worker_ref);
    writer.member("at", request.at);
    writer.member("as", request.worker_id);
    writer.member("display_name", request.display_name);
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const fs_store::ImportExport& request) const {
    writer.value(std::string_view("import_worker"));
    writer.member("export", request.exported);
    writer.member("as", request.worker_id);
    writer.member("idempotency_key", request.idempotency_key);
  }
  /// No request asks for it.
  void operator()(const ImportWorker& /*request*/) const { std::abort(); }
  void operator()(const SendInput& request) const {
    writer.value(std::string_view("send_input"));
    worker(request.worker_ref);
    writer.plain_member("kind", request.role == InputRole::user ? "user" : "system");
    writer.member("content", request.content);
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const AppendOutput& request) const {
    writer.value(std::string_view("append_output"));
    worker(request.worker_ref);
    writer.plain_member("role", request.role == OutputRole::tool ? "tool" : "assistant");
    writer.member("content", request.content);
    writer.member("name", request.name);
    if (request.data) {
      writer.name("data");
      writer.raw(*request.data);
    }
    writer.name("usage");
    writer.begin_object();
    for (const Counter& counter : request.usage) {
      writer.any_name(counter.name);
      writer.value(counter.value);
    }
    writer.end_object();
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const StopWorker& request) const {
    writer.value(std::string_view("stop_worker"));
    worker(request.worker_ref);
    writer.member("reason", request.reason);
  }
  void operator()(const CancelWorker& request) const {
    writer.value(std::string_view("cancel_worker"));
    worker(request.worker_ref);
    writer.member("reason", request.reason);
  }
  void operator()(const DeleteWorker& request) const {
    writer.value(std::string_view("delete_worker"));
    worker(request.worker_ref);
  }
  void operator()(const TrimEvents& request) const {
    writer.value(std::string_view("trim_events"));
    writer.member("before", request.before);
  }
  void operator()(const TrimTranscript& request) const {
    writer.value(std::string_view("trim_transcript"));
    worker(request.worker_ref);
    writer.member("before", request.before);
  }
  void operator()(const Redact& request) const {
    writer.value(std::string_view("redact"));
    worker(request.worker_ref);
    writer.member("sequence", request.sequence);
  }
  void operator()(const StopRuntime&) const { writer.value(std::string_view("stop_runtime")); }
  void operator()(const StartRuntime&) const { writer.value(std::string_view("start_runtime")); }
  void operator()(const Mutation& mutation) const { std::visit(*this, mutation); }
  void operator()(const fs_store::BatchRequest& request) const {
    writer.value(std::string_view("batch"));
    writer.name("ops");
    writer.begin_array();
    for (const Mutation& operation : request.operations) {
      writer.begin_object();
      writer.name("op");
      std::visit(*this, operation);
      writer.end_object();
    }
    writer.end_array();
  }
  void operator()(const fs_store::ListRequest& request) const {
    static constexpr std::string_view names[] = {"", "running", "stopped", "cancelled", "damaged"};
    writer.value(std::string_view("list_workers"));
    if (request.query.status != StatusFilter::any)
      writer.plain_member("status", names[static_cast<std::size_t>(request.query.status)]);
    writer.member("after", request.query.after);
    writer.member("limit", request.query.limit);
  }
  void operator()(const fs_store::WorkerDetailRequest& request) const {
    writer.value(std::string_view("worker_detail"));
    worker(request.worker_ref);
  }
  void operator()(const fs_store::SummaryRequest&) const {
    writer.value(std::string_view("summary"));
  }
  void operator()(const fs_store::MetricsRequest&) const {
    writer.value(std::string_view("metrics"));
  }
  void operator()(const fs_store::VersionRequest&) const {
    writer.value(std::string_view("version"));
  }
  void operator()(const fs_store::DiagnosticsRequest& request) const {
    writer.value(std::string_view("diagnostics"));
    writer.member("after", request.after);
    writer.member("limit", request.limit);
  }
  void operator()(const EventQuery& query) const {
    writer.value(std::string_view("read_events"));
    writer.member("from", query.from);
    page(query.limit, query.direction);
  }
  void operator()(const fs_store::ReadTranscriptRequest& request) const {
    writer.value(std::string_view("read_transcript"));
    worker(request.worker_ref);
    writer.member("start", request.query.start);
    page(request.query.limit, request.query.direction);
  }
  void operator()(const fs_store::WaitEventsRequest& request) const {
    writer.value(std::string_view("wait_events"));
    writer.member("from", request.from);
    writer.member("timeout_ms", request.timeout_ms);
    writer.member("limit", request.limit);
  }
  void operator()(const fs_store::CheckpointRequest&) const {
    writer.value(std::string_view("checkpoint"));
  }
};

std::string written(const fs_store::Request& request) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("op");
  std::visit(Members{writer}, *request.body);
  writer.name("id");
  writer.raw(request.id);
  writer.end_object();
  return out;
}

void check(std::string_view input) {
  const RuntimeId runtime_id = RuntimeId::parse("main").value();
  fs_store::RequestParser parser(runtime_id);
  const fs_store::Request request = parser.parse(input);
  // An id may be any JSON value, and numbers in it are not looked at: simdjson's tree refuses large
  // ones.
  simdjson::dom::parser tree;
  const auto id_error = tree.parse(simdjson::padded_string(request.id)).error();
  require(id_error == simdjson::SUCCESS || id_error == simdjson::NUMBER_ERROR, "an id is JSON",
          request.id);
  if (!request.body) {
    const ErrorCode code = request.body.error().code();
    require(code == ErrorCode::invalid_request || code == ErrorCode::limit_exceeded,
            "what is not taken is an invalid request", request.body.error().message());
    std::string answer;
    fs_store::append_json(answer, request.body.error());
    require(tree.parse(simdjson::padded_string(answer)).error() == simdjson::SUCCESS,
            "an error can be told", answer);
    return;
  }
  const auto error = tree.parse(simdjson::padded_string(input)).error();
  require(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR, "what is taken is JSON");
  const std::string first = written(request);
  // On the parser that has seen a line, and on a fresh one.
  fs_store::RequestParser fresh(runtime_id);
  for (fs_store::RequestParser* again : {&parser, &fresh}) {
    const fs_store::Request second = again->parse(first);
    require(second.body.has_value(), "a request that is written down is taken",
            first + (second.body ? "" : second.body.error().message()));
    require(written(second) == first, "a request is taken as it was written down",
            first + "\n" + written(second));
  }
}

const Target target("pipe_request", check);

}  // namespace
}  // namespace worker_runtime::fuzz::pipe_request
