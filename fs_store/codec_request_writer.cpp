// Requests of `pipe` as lines.
#include <algorithm>
#include <utility>

#include "codec_members.h"
#include "request_codec.h"
#include "request_members.h"
#include "worker_runtime/text.h"

namespace worker_runtime::fs_store {
namespace {

/// Calls `see` with each text that a request holds: a line would say U+FFFD where one is no UTF-8,
/// and the Runtime could not refuse it any more.
struct TextsVisitor {
  bool valid = true;

  void see(const std::string& text) { valid = valid && is_valid_utf8(text); }
  void see(const std::optional<std::string>& text) {
    if (text) see(*text);
  }
  void see(const std::vector<NamedReference>& references) {
    for (const NamedReference& reference : references) {
      see(reference.name);
      see(reference.reference);
    }
  }
  void see(const Intent& intent) {
    if (const auto* const assistant = std::get_if<AssistantIntent>(&intent)) {
      see(assistant->purpose);
    } else if (const auto* const task = std::get_if<TaskIntent>(&intent)) {
      see(task->objective);
    } else {
      see(std::get<RoleIntent>(intent).role);
      see(std::get<RoleIntent>(intent).purpose);
    }
  }

  void operator()(const CreateRequest& request) {
    see(request.intent);
    see(request.profile.value);
    see(request.config_bundle);
    for (const Capability& capability : request.requested_capabilities) {
      see(capability.name);
      see(capability.reason);
    }
    see(request.workspace_refs);
    see(request.mount_refs);
    see(request.display_name);
    see(request.idempotency_key);
  }
  void operator()(const ForkWorker& request) {
    see(request.display_name);
    see(request.idempotency_key);
  }
  void operator()(const ImportExport& request) {
    see(request.exported);
    see(request.idempotency_key);
  }
  void operator()(const SendInput& request) {
    see(request.content);
    see(request.idempotency_key);
  }
  void operator()(const AppendOutput& request) {
    see(request.content);
    see(request.name);
    for (const Counter& counter : request.usage) see(counter.name);
    see(request.idempotency_key);
  }
  void operator()(const StopWorker& request) { see(request.reason); }
  void operator()(const CancelWorker& request) { see(request.reason); }
  template <typename Other>
  void operator()(const Other& /*no text*/) {}
};

bool has_valid_texts(const HostRequest& request) {
  TextsVisitor texts;
  if (const auto* const mutation = std::get_if<Mutation>(&request)) {
    std::visit(texts, *mutation);
  } else {
    std::visit(texts, request);
  }
  return texts.valid;
}

struct RequestWriter {
  JsonWriter& writer;

  void operator()(const CreateRequest& request) const {
    writer.plain_member("op", "create_worker");
    writer.member("worker_id", request.worker_id);
    writer.member("display_name", request.display_name);
    write_create_body(writer, request);
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const ForkWorker& request) const {
    writer.plain_member("op", "fork_worker");
    write_worker(request.worker_ref);
    writer.member("at", request.at);
    writer.member("as", request.worker_id);
    writer.member("display_name", request.display_name);
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const ImportExport& request) const {
    writer.plain_member("op", "import_worker");
    writer.member("export", request.exported);
    writer.member("as", request.worker_id);
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const Mutation& mutation) const { std::visit(*this, mutation); }
  void operator()(const SendInput& request) const {
    writer.plain_member("op", "send_input");
    write_worker(request.worker_ref);
    writer.plain_member("kind", request.role == InputRole::user ? "user" : "system");
    writer.member("content", request.content);
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const AppendOutput& request) const {
    writer.plain_member("op", "append_output");
    write_worker(request.worker_ref);
    writer.plain_member("role", request.role == OutputRole::assistant ? "assistant" : "tool");
    writer.member("content", request.content);
    writer.member("name", request.name);
    if (request.data) {
      writer.name("data");
      writer.raw(*request.data);
    }
    if (!request.usage.empty()) {
      writer.name("usage");
      write_counters(writer, request.usage);
    }
    writer.member("idempotency_key", request.idempotency_key);
  }
  void operator()(const StopWorker& request) const { write_end("stop_worker", request); }
  void operator()(const CancelWorker& request) const { write_end("cancel_worker", request); }
  void operator()(const DeleteWorker& request) const {
    writer.plain_member("op", "delete_worker");
    write_worker(request.worker_ref);
  }
  void operator()(const StopRuntime& /*request*/) const {
    writer.plain_member("op", "stop_runtime");
  }
  void operator()(const StartRuntime& /*request*/) const {
    writer.plain_member("op", "start_runtime");
  }
  void operator()(const TrimEvents& request) const {
    writer.plain_member("op", "trim_events");
    writer.member("before", request.before);
  }
  void operator()(const TrimTranscript& request) const {
    writer.plain_member("op", "trim_transcript");
    write_worker(request.worker_ref);
    writer.member("before", request.before);
  }
  void operator()(const Redact& request) const {
    writer.plain_member("op", "redact");
    write_worker(request.worker_ref);
    writer.member("sequence", request.sequence);
  }
  void operator()(const ImportWorker& /*refused before*/) const {}

 private:
  void write_worker(const WorkerRef& worker_ref) const {
    if (worker_ref.runtime_id.text().empty()) {
      writer.member("worker_id", worker_ref.worker_id);
    } else {
      writer.name("worker_ref");
      write_worker_ref(writer, worker_ref);
    }
  }
  template <typename End>
  void write_end(std::string_view name, const End& request) const {
    writer.plain_member("op", name);
    write_worker(request.worker_ref);
    writer.member("reason", request.reason);
  }
};

}  // namespace

Result<std::string> encode_request(const HostRequest& request) {
  const auto* const mutation = std::get_if<Mutation>(&request);
  if (mutation != nullptr && std::holds_alternative<ImportWorker>(*mutation))
    return invalid_request("an import is asked for by the text of an export");
  if (!has_valid_texts(request)) return invalid_request("a text of the request is not valid UTF-8");
  const auto* const output = mutation == nullptr ? nullptr : std::get_if<AppendOutput>(mutation);
  // It is written as it is: an end of the object in it would begin another member.
  if (output != nullptr && output->data) {
    auto compact = compact_json_object(*output->data);
    if (!compact) return std::move(compact).error();
  }
  std::string line;
  JsonWriter writer(line);
  writer.begin_object();
  std::visit(RequestWriter{writer}, request);
  writer.end_object();
  // A newline is white space in data, and would end the line.
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace worker_runtime::fs_store
