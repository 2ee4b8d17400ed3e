// Answers of a Runtime as lines: see line_server.h.
#include "line_server.h"

#include <future>
#include <utility>
#include <variant>
#include <vector>

#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::testing {
namespace {

using fs_store::append_json;

template <typename Value>
std::string ok_or_error(const Result<Value>& result) {
  std::string text;
  if (result) {
    text = ",\"ok\":";
    append_json(text, *result);
  } else {
    text = ",\"error\":";
    append_json(text, result.error());
  }
  return text;
}

/// The answer behind the id, by the type of the request.
struct Visitor {
  Runtime& runtime;

  static std::string detail(Result<WorkerDetail> detail) {
    if (!detail) return ok_or_error(detail);
    return ok_or_error(Result<Answer>(*std::move(detail)));
  }
  std::string operator()(Mutation& mutation) const {
    std::promise<Result<Answer>> answer;
    runtime.submit(std::move(mutation),
                   [&](Result<Answer> result) { answer.set_value(std::move(result)); });
    return ok_or_error(answer.get_future().get());
  }
  std::string operator()(fs_store::BatchRequest& batch) const {
    const auto results = runtime.batch(std::move(batch.operations));
    if (!results) return ok_or_error(Result<Answer>(results.error()));
    std::string text = ",\"ok\":{\"results\":[";
    for (const Answer& answer : *results) {
      if (text.back() != '[') text += ',';
      append_json(text, answer);
    }
    return text + "]}";
  }
  std::string operator()(const ForkWorker& request) const {
    return detail(runtime.fork_worker(request));
  }
  std::string operator()(const fs_store::ListRequest& request) const {
    return ok_or_error(runtime.list_workers(request.query));
  }
  std::string operator()(const fs_store::WorkerDetailRequest& request) const {
    return detail(runtime.worker_detail(request.worker_ref));
  }
  std::string operator()(const fs_store::SummaryRequest& /*request*/) const {
    const auto summary = runtime.summary();
    if (!summary) return ok_or_error(summary);
    std::string text = ",\"ok\":{\"summary\":";
    append_json(text, *summary);
    return text + "}";
  }
  std::string operator()(const EventQuery& query) const {
    return ok_or_error(runtime.read_events(query));
  }
  std::string operator()(const fs_store::ReadTranscriptRequest& request) const {
    return ok_or_error(runtime.read_transcript(request.worker_ref, request.query));
  }
  std::string operator()(const fs_store::CheckpointRequest& /*request*/) const {
    const auto lsn = runtime.checkpoint();
    if (!lsn) return ok_or_error(Result<Answer>(lsn.error()));
    return ",\"ok\":{\"lsn\":" + std::to_string(lsn->value) + "}";
  }
  /// The others are not asked by tests of crashes.
  template <typename Other>
  std::string operator()(const Other& /*other*/) const {
    return ok_or_error(Result<Answer>(Error(ErrorCode::invalid_request, "not served here")));
  }
};

}  // namespace

LineServer::LineServer(Runtime& runtime, RuntimeId runtime_id)
    : runtime_(runtime), parser_(std::move(runtime_id)) {}

std::string LineServer::answer(std::string_view line) {
  fs_store::Request request = parser_.parse(line);
  std::string text = "{\"id\":" + request.id;
  text += request.body ? std::visit(Visitor{runtime_}, *request.body)
                       : ok_or_error(Result<Answer>(request.body.error()));
  return text + "}";
}

}  // namespace worker_runtime::testing
