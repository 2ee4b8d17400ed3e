// The C interface: lines of `pipe` in, lines of `pipe` out.
#include "worker_runtime.h"

#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>

#include "worker_runtime/fs_store/fs_store.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/fs_store/reader.h"
#include "worker_runtime/fs_store/requests.h"
#include "worker_runtime/runtime.h"

using worker_runtime::Answer;
using worker_runtime::Error;
using worker_runtime::ErrorCode;
using worker_runtime::Mutation;
using worker_runtime::Result;
using worker_runtime::Runtime;
using worker_runtime::RuntimeId;
using worker_runtime::fs_store::answer_line;
using worker_runtime::fs_store::answer_request;
using worker_runtime::fs_store::BatchRequest;
using worker_runtime::fs_store::error_line;
using worker_runtime::fs_store::OpenRequest;
using worker_runtime::fs_store::Reader;
using worker_runtime::fs_store::Request;
using worker_runtime::fs_store::RequestHost;
using worker_runtime::fs_store::RequestParser;

struct worker_runtime_handle {
  worker_runtime_handle(std::variant<Runtime, Reader> opened, RuntimeId runtime_id)
      : source(std::move(opened)), parser(std::move(runtime_id)) {}

  Request parse(const char* text) {
    if (text == nullptr) return {"null", Error(ErrorCode::invalid_request, "no request")};
    const std::lock_guard lock(parsing);
    return parser.parse(text);
  }

  std::variant<Runtime, Reader> source;
  std::optional<RequestHost> host;  // behind the Runtime, which it uses
  std::stop_source closing;         // ends the waits of a Reader; a Runtime ends its own
  std::mutex parsing;               // guards the parser
  RequestParser parser;
};

namespace {

using Handle = worker_runtime_handle;

Error closed() { return {ErrorCode::closed, "the runtime is closed"}; }

char* copy_of(const std::string& text) {
  auto copy = std::make_unique<char[]>(text.size() + 1);
  std::memcpy(copy.get(), text.c_str(), text.size() + 1);
  return copy.release();
}

/// No exception crosses the interface. The library itself throws for want of memory alone.
template <typename Function>
auto guarded(Function function) noexcept -> decltype(function()) {
  try {
    return function();
  } catch (...) {
    return decltype(function())();
  }
}

Result<Runtime> open_runtime(OpenRequest& request) {
  if (!request.store.root.empty()) {
    return worker_runtime::fs_store::open_runtime(request.store, std::move(request.runtime));
  }
  auto runtime_id =
      request.store.runtime_id ? *request.store.runtime_id : *RuntimeId::parse("main");
  return Runtime::in_memory(std::move(runtime_id), std::move(request.runtime));
}

template <typename Source>
Result<std::unique_ptr<Handle>> make_handle(Result<Source> source) {
  if (!source) return std::move(source).error();
  auto summary = source->summary();
  if (!summary) return std::move(summary).error();
  return std::make_unique<Handle>(*std::move(source), std::move(summary->runtime_id));
}

Result<std::unique_ptr<Handle>> open(const char* options) {
  if (options == nullptr) return Error(ErrorCode::invalid_request, "no options");
  auto request = worker_runtime::fs_store::parse_open_request(options);
  if (!request) return std::move(request).error();
  if (request->read_only) {
    return make_handle(Reader::open(request->store.root, request->store.runtime_id));
  }
  auto handle = make_handle(open_runtime(*request));
  if (!handle || !request->serve_requests) return handle;
  auto host = RequestHost::start(std::get<Runtime>((*handle)->source), request->store);
  if (!host) return std::move(host).error();
  (*handle)->host = *std::move(host);
  return handle;
}

std::string call(Handle& handle, const char* text) {
  Request request = handle.parse(text);
  if (auto* const runtime = std::get_if<Runtime>(&handle.source)) {
    return answer_request(*runtime, std::move(request));
  }
  const std::string id = request.id;
  std::string answer = answer_request(std::get<Reader>(handle.source), std::move(request),
                                      handle.closing.get_token());
  // A wait that was ended by the close too.
  if (!handle.closing.stop_requested()) return answer;
  return error_line(id, closed());
}

/// Tells `done`; with an empty text where there is no memory for the answer.
template <typename MakeLine>
void tell(worker_runtime_done done, void* context, MakeLine make_line) noexcept {
  const std::string line = guarded(make_line);
  done(context, line.c_str());
}

void submit(Handle& handle, const char* text, worker_runtime_done done, void* context) {
  Request request = handle.parse(text);
  const auto refuse = [&](const Error& error) {
    tell(done, context, [&] { return error_line(request.id, error); });
  };
  if (!request.body) return refuse(request.body.error());
  auto* const runtime = std::get_if<Runtime>(&handle.source);
  if (runtime == nullptr) {
    return refuse({ErrorCode::invalid_request, "the runtime is open for reading only"});
  }
  const auto answered = [id = request.id, done, context](const auto& answer) {
    tell(done, context, [&] { return answer_line(id, answer); });
  };
  if (auto* const mutation = std::get_if<Mutation>(&*request.body)) {
    runtime->submit(std::move(*mutation), answered);
  } else if (auto* const batch = std::get_if<BatchRequest>(&*request.body)) {
    runtime->submit_batch(std::move(batch->operations), answered);
  } else {
    refuse({ErrorCode::invalid_request, "only mutations and batches are submitted"});
  }
}

std::string close(Handle& handle) {
  std::string done = worker_runtime::fs_store::ok_line("null", "{}");
  // One of two that close at once goes on.
  if (!handle.closing.request_stop()) return error_line("null", closed());
  auto* const runtime = std::get_if<Runtime>(&handle.source);
  if (runtime == nullptr) return done;
  handle.host.reset();
  auto closed = runtime->close();
  return closed ? done : error_line("null", closed.error());
}

}  // namespace

const char* worker_runtime_version() {
  return guarded([] { return worker_runtime::version().data(); });
}

worker_runtime_handle* worker_runtime_open(const char* options, char** error) {
  if (error != nullptr) *error = nullptr;
  return guarded([&]() -> Handle* {
    auto handle = open(options);
    if (handle) return handle->release();
    if (error != nullptr) *error = copy_of(error_line("null", handle.error()));
    return nullptr;
  });
}

char* worker_runtime_call(worker_runtime_handle* runtime, const char* request) {
  return guarded([&] { return copy_of(call(*runtime, request)); });
}

void worker_runtime_submit(worker_runtime_handle* runtime, const char* request,
                           worker_runtime_done done, void* context) {
  const bool submitted = guarded([&] {
    submit(*runtime, request, done, context);
    return true;
  });
  if (!submitted) done(context, "");
}

char* worker_runtime_close(worker_runtime_handle* runtime) {
  return guarded([&] { return copy_of(close(*runtime)); });
}

void worker_runtime_destroy(worker_runtime_handle* runtime) { delete runtime; }

void worker_runtime_free(char* text) { delete[] text; }
