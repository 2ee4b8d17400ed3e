// Domain values as JSON text, with the member names of docs/CLI.md: for front ends and bindings.
//
// Every function that writes appends one compact JSON object to `out` and cannot fail.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "worker_runtime/commit.h"
#include "worker_runtime/fs_store/backup.h"
#include "worker_runtime/fs_store/export.h"
#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/quarantine.h"
#include "worker_runtime/fs_store/repair.h"
#include "worker_runtime/fs_store/retention.h"
#include "worker_runtime/fs_store/verify.h"
#include "worker_runtime/history.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/result.h"
#include "worker_runtime/runtime.h"
#include "worker_runtime/worker.h"

#pragma GCC visibility push(default)

namespace worker_runtime::fs_store {

class Reader;

/// `text` as a JSON string, with its quotes. Bytes that are no valid UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

void append_json(std::string& out, const Event& event);
void append_json(std::string& out, const TranscriptEntry& entry);
void append_json(std::string& out, const Diagnostic& diagnostic);
void append_json(std::string& out, const WorkerSummary& worker);
void append_json(std::string& out, const WorkerDetail& worker);
void append_json(std::string& out, const RuntimeSummary& summary);
void append_json(std::string& out, const WorkerPage& page);
void append_json(std::string& out, const EventPage& page);
void append_json(std::string& out, const TranscriptPage& page);
void append_json(std::string& out, const DiagnosticPage& page);
/// The `ok` value of the operation: for a created Worker {"worker":{...}}.
void append_json(std::string& out, const Answer& answer);
void append_json(std::string& out, const Finding& finding);
void append_json(std::string& out, const VerifyReport& report);
void append_json(std::string& out, const RepairReport& report);
void append_json(std::string& out, const QuarantineReport& report);
void append_json(std::string& out, const RetentionPlan& plan);
void append_json(std::string& out, const CopyReport& report);
/// {"code":...,"message":...} and the typed fields by their names.
void append_json(std::string& out, const Error& error);

// ---- answers of `pipe`: whole lines, with their newline

/// {"id":...,"ok":...} of JSON texts.
std::string ok_line(std::string_view id, std::string_view ok);
std::string error_line(std::string_view id, const Error& error);
std::string answer_line(std::string_view id, const Result<Answer>& answer);
/// Of `metrics`: {"text":...} in the format of Prometheus.
std::string metrics_line(std::string_view id, const RuntimeSummary& summary,
                         const Metrics& metrics);
/// Of read_events and wait_events.
std::string events_line(std::string_view id, const Result<EventPage>& page);
/// Of a batch.
std::string answer_line(std::string_view id, const Result<std::vector<Answer>>& answers);

// ---- requests of `pipe`

struct ListRequest {
  ListQuery query;
};
struct WorkerDetailRequest {
  WorkerRef worker_ref;
};
struct SummaryRequest {};
struct VersionRequest {};
struct MetricsRequest {};
struct DiagnosticsRequest {
  std::uint64_t after = 0;
  std::optional<std::uint64_t> limit{};
};
struct ReadTranscriptRequest {
  WorkerRef worker_ref;
  TranscriptQuery query;
};
struct WaitEventsRequest {
  EventId from;
  std::uint64_t timeout_ms = 0;
  std::optional<std::uint64_t> limit{};
  /// As the library waits: a year at most.
  [[nodiscard]] std::chrono::milliseconds timeout() const;
};
struct BatchRequest {
  std::vector<Mutation> operations{};
};
struct CheckpointRequest {};

using RequestBody =
    std::variant<Mutation, BatchRequest, ForkWorker, ImportExport, ListRequest, WorkerDetailRequest,
                 SummaryRequest, VersionRequest, MetricsRequest, DiagnosticsRequest, EventQuery,
                 ReadTranscriptRequest, WaitEventsRequest, CheckpointRequest>;

struct Request {
  std::string id;  ///< The member `id` as JSON text, "null" if there is none that can be read.
  Result<RequestBody> body;
};

/// Reads requests; keeps its buffers from line to line. One thread at a time.
class RequestParser {
 public:
  /// A Worker named by `worker_id` alone is one of this runtime.
  explicit RequestParser(RuntimeId runtime_id);
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  /// One request. Members unknown, missing or doubled, wrong types, lone surrogates, invalid UTF-8
  /// and anything behind the object are `invalid_request`, with the byte offset in the message
  /// where known.
  Request parse(std::string_view line);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Does one request and gives its answer, a whole line. Blocks: a mutation until it is answered,
/// wait_events until there are events, its timeout passed or the Runtime was closed. Any thread.
std::string answer_request(Runtime& runtime, Request request);
/// The same of a Reader: reads alone, all else is `invalid_request`. A wait ends when `stop` is
/// requested, with an empty page.
std::string answer_request(const Reader& reader, Request request, std::stop_token stop = {});

// ---- opening

/// How a binding opens a runtime.
struct OpenRequest {
  StoreOptions store;  ///< A root that is empty: a runtime in memory.
  RuntimeOptions runtime;
  bool read_only = false;       ///< As a Reader.
  bool serve_requests = false;  ///< With a RequestHost.
};
/// Of one JSON object, with the members that docs/C.md lists. `invalid_request` like those of
/// RequestParser, and for members that do not go together.
Result<OpenRequest> parse_open_request(std::string_view text);

}  // namespace worker_runtime::fs_store

#pragma GCC visibility pop
