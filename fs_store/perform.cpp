// Doing a request of `pipe` and waiting for it.
#include <algorithm>
#include <chrono>
#include <utility>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/fs_store/reader.h"

namespace worker_runtime::fs_store {
namespace {

/// Of a page.
template <typename Page>
std::string page_line(std::string_view id, const Result<Page>& page) {
  if (!page) return error_line(id, page.error());
  std::string ok;
  append_json(ok, *page);
  return ok_line(id, ok);
}

std::string detail_line(const std::string& id, Result<WorkerDetail> detail) {
  if (!detail) return error_line(id, detail.error());
  return answer_line(id, Result<Answer>(Answer(*std::move(detail))));
}

/// The reads that Runtime and Reader have both, by the type of their request.
template <typename Source>
struct ReadVisitor {
  const std::string& id;
  Source& source;
  std::stop_token stop{};

  std::string operator()(const ListRequest& request) const {
    return page_line(id, source.list_workers(request.query));
  }
  std::string operator()(const WorkerDetailRequest& request) const {
    return detail_line(id, source.worker_detail(request.worker_ref));
  }
  std::string operator()(const SummaryRequest& /*request*/) const {
    auto summary = source.summary();
    if (!summary) return error_line(id, summary.error());
    std::string ok = "{\"summary\":";
    append_json(ok, *summary);
    return ok_line(id, ok + "}");
  }
  std::string operator()(const VersionRequest& /*request*/) const {
    return ok_line(id, "{\"version\":\"" + std::string(version()) +
                           "\",\"format\":" + std::to_string(schema_version) + "}");
  }
  std::string operator()(const DiagnosticsRequest& request) const {
    return page_line(id, source.diagnostics(request.after, request.limit));
  }
  std::string operator()(const EventQuery& query) const {
    return events_line(id, source.read_events(query));
  }
  std::string operator()(const ReadTranscriptRequest& request) const {
    return page_line(id, source.read_transcript(request.worker_ref, request.query));
  }
  std::string operator()(const WaitEventsRequest& request) const {
    return events_line(id,
                       source.wait_events(request.from, request.timeout(), stop, request.limit));
  }
  /// What a Reader can't do.
  template <typename Other>
  std::string operator()(const Other& /*request*/) const {
    return error_line(id,
                      Error(ErrorCode::invalid_request, "the runtime is open for reading only"));
  }
};

/// The blocking call of each mutation: it costs no thread, which submit() does.
struct MutationVisitor {
  Runtime& runtime;

  template <typename Value>
  static Result<Answer> answer_of(Result<Value> done) {
    if (!done) return std::move(done).error();
    return Answer(*std::move(done));
  }

  Result<Answer> operator()(CreateRequest&& request) const {
    return answer_of(runtime.create_worker(std::move(request)));
  }
  Result<Answer> operator()(SendInput&& request) const {
    return answer_of(runtime.send_input(std::move(request)));
  }
  Result<Answer> operator()(AppendOutput&& request) const {
    return answer_of(runtime.append_output(std::move(request)));
  }
  Result<Answer> operator()(StopWorker&& request) const {
    return answer_of(runtime.stop_worker(std::move(request)));
  }
  Result<Answer> operator()(CancelWorker&& request) const {
    return answer_of(runtime.cancel_worker(std::move(request)));
  }
  Result<Answer> operator()(DeleteWorker&& request) const {
    return answer_of(runtime.delete_worker(std::move(request)));
  }
  Result<Answer> operator()(StopRuntime&& /*request*/) const {
    return answer_of(runtime.stop_runtime());
  }
  Result<Answer> operator()(StartRuntime&& /*request*/) const {
    return answer_of(runtime.start_runtime());
  }
  Result<Answer> operator()(TrimEvents&& request) const {
    return answer_of(runtime.trim_events(request));
  }
  Result<Answer> operator()(TrimTranscript&& request) const {
    return answer_of(runtime.trim_transcript(std::move(request)));
  }
  Result<Answer> operator()(Redact&& request) const {
    return answer_of(runtime.redact(std::move(request)));
  }
  Result<Answer> operator()(ImportWorker&& request) const {
    return answer_of(runtime.import_worker(std::move(request)));
  }
};

struct RuntimeVisitor : ReadVisitor<Runtime> {
  using ReadVisitor<Runtime>::operator();

  std::string operator()(Mutation&& operation) const {
    return answer_line(id, std::visit(MutationVisitor{source}, std::move(operation)));
  }
  std::string operator()(BatchRequest&& request) const {
    return answer_line(id, source.batch(std::move(request.operations)));
  }
  std::string operator()(ForkWorker&& request) const {
    return detail_line(id, source.fork_worker(std::move(request)));
  }
  std::string operator()(ImportExport&& request) const {
    auto exported = decode_export(request);
    if (!exported) return error_line(id, exported.error());
    return detail_line(id, import_exported(source, *std::move(exported)));
  }
  std::string operator()(MetricsRequest&& /*request*/) const {
    auto summary = source.summary();
    if (!summary) return error_line(id, summary.error());
    return metrics_line(id, *summary, source.metrics());
  }
  std::string operator()(CheckpointRequest&& /*request*/) const {
    auto lsn = source.checkpoint();
    if (!lsn) return error_line(id, lsn.error());
    return ok_line(id, "{\"lsn\":" + std::to_string(lsn->value) + "}");
  }
};

}  // namespace

std::chrono::milliseconds WaitEventsRequest::timeout() const {
  constexpr std::uint64_t longest_ms = std::uint64_t{365} * 24 * 3600 * 1000;
  return std::chrono::milliseconds(std::min(timeout_ms, longest_ms));
}

std::string events_line(std::string_view id, const Result<EventPage>& page) {
  return page_line(id, page);
}

std::string answer_request(Runtime& runtime, Request request) {
  if (!request.body) return error_line(request.id, request.body.error());
  return std::visit(RuntimeVisitor{{request.id, runtime}}, *std::move(request.body));
}

std::string answer_request(const Reader& reader, Request request, std::stop_token stop) {
  if (!request.body) return error_line(request.id, request.body.error());
  const ReadVisitor<const Reader> visitor{request.id, reader, std::move(stop)};
  return std::visit(visitor, *std::move(request.body));
}

}  // namespace worker_runtime::fs_store
