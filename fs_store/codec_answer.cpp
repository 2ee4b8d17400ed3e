// Answers as JSON: events and entries, Workers, pages.
#include "codec_members.h"
#include "worker_runtime/fs_store/json.h"
#include "worker_runtime/fs_store/prometheus.h"

namespace worker_runtime::fs_store {

namespace {

// ---- Workers

void write_worker_head(JsonWriter& writer, const WorkerSummary& worker) {
  writer.name("worker_ref");
  write_worker_ref(writer, worker.worker_ref);
  writer.member("display_name", worker.display_name);
  writer.plain_member("status", to_string(worker.status));
  writer.member("damaged", worker.damaged);
}

void write_worker_tail(JsonWriter& writer, const WorkerSummary& worker) {
  writer.member("created_at", worker.created_at);
  writer.member("updated_at", worker.updated_at);
  writer.member("transcript_len", worker.transcript_len);
  if (worker.first_sequence.value > 1) writer.member("first_sequence", worker.first_sequence);
  writer.member("last_event_id", worker.last_event_id);
  writer.name("usage");
  write_usage(writer, worker.usage);
}

void write_worker(JsonWriter& writer, const WorkerSummary& worker) {
  writer.begin_object();
  write_worker_head(writer, worker);
  write_worker_tail(writer, worker);
  writer.end_object();
}

void write_detail(JsonWriter& writer, const WorkerDetail& worker) {
  writer.begin_object();
  write_worker_head(writer, worker.summary);
  if (worker.request) write_create_body(writer, *worker.request);
  write_worker_tail(writer, worker.summary);
  writer.end_object();
}

// ---- answers

struct AnswerWriter {
  JsonWriter& writer;

  void operator()(const WorkerDetail& created) const {
    writer.name("worker");
    write_detail(writer, created);
  }
  void operator()(const EntryAccepted& accepted) const {
    write_ref(accepted.worker_ref);
    writer.plain_member("status", to_string(accepted.status));
    writer.member("sequence", accepted.sequence);
    writer.member("event_id", accepted.event_id);
  }
  void operator()(const WorkerEnded& ended) const {
    write_ref(ended.worker_ref);
    writer.plain_member("status", to_string(ended.status));
    writer.member("event_id", ended.event_id);
  }
  void operator()(const WorkerDeleted& deleted) const {
    write_ref(deleted.worker_ref);
    writer.member("event_id", deleted.event_id);
  }
  void operator()(const RuntimeChanged& changed) const {
    writer.member("event_id", changed.event_id);
  }
  void operator()(const EventsTrimmed& trimmed) const {
    writer.member("first_kept", trimmed.first_kept);
  }
  void operator()(const TranscriptTrimmed& trimmed) const {
    write_ref(trimmed.worker_ref);
    writer.member("first_kept", trimmed.first_kept);
  }
  void operator()(const Redacted& redacted) const {
    write_ref(redacted.worker_ref);
    writer.member("sequence", redacted.sequence);
    writer.name("copies_may_remain");
    writer.begin_array();
    for (const std::string_view place : redacted_copies_may_remain) writer.value(place);
    writer.end_array();
  }

 private:
  void write_ref(const WorkerRef& worker_ref) const {
    writer.name("worker_ref");
    write_worker_ref(writer, worker_ref);
  }
};

/// A number, or null.
template <typename Value>
void write_or_null(JsonWriter& writer, const std::optional<Value>& content) {
  if (content) {
    writer.value(*content);
  } else {
    writer.null();
  }
}

}  // namespace

void append_json(std::string& out, const Event& event) {
  JsonWriter writer(out);
  write_event(writer, event, nullptr);
}

void append_json(std::string& out, const TranscriptEntry& entry) { encode(out, entry); }

void append_json(std::string& out, const Diagnostic& diagnostic) {
  JsonWriter writer(out);
  write_diagnostic(writer, diagnostic);
}

void append_json(std::string& out, const WorkerSummary& worker) {
  JsonWriter writer(out);
  write_worker(writer, worker);
}

void append_json(std::string& out, const WorkerDetail& worker) {
  JsonWriter writer(out);
  write_detail(writer, worker);
}

void append_json(std::string& out, const WorkerPage& page) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("workers");
  writer.begin_array();
  for (const WorkerSummary& worker : page.workers) write_worker(writer, worker);
  writer.end_array();
  writer.name("next_after");
  write_or_null(writer, page.next_after);
  writer.end_object();
}

void append_json(std::string& out, const EventPage& page) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("events");
  writer.begin_array();
  for (const Event& event : page.events) write_event(writer, event, nullptr);
  writer.end_array();
  writer.member("next", page.next);
  writer.member("has_more", page.has_more);
  writer.member("epoch", page.epoch);
  writer.end_object();
}

void append_json(std::string& out, const TranscriptPage& page) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("items");
  writer.begin_array();
  for (const TranscriptEntry& entry : page.items) write_entry(writer, entry);
  writer.end_array();
  writer.member("total", page.total);
  writer.name("next");
  write_or_null(writer, page.next);
  writer.end_object();
}

void append_json(std::string& out, const DiagnosticPage& page) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("diagnostics");
  writer.begin_array();
  for (const Diagnostic& diagnostic : page.diagnostics) write_diagnostic(writer, diagnostic);
  writer.end_array();
  writer.member("total", page.total);
  writer.end_object();
}

void append_json(std::string& out, const Answer& answer) {
  JsonWriter writer(out);
  writer.begin_object();
  std::visit(AnswerWriter{writer}, answer);
  writer.end_object();
}

// ---- lines

std::string ok_line(std::string_view id, std::string_view ok) {
  std::string line;
  line.reserve(id.size() + ok.size() + 16);
  line.append("{\"id\":").append(id).append(",\"ok\":").append(ok).append("}\n");
  return line;
}

std::string error_line(std::string_view id, const Error& error) {
  std::string line;
  line.append("{\"id\":").append(id).append(",\"error\":");
  append_json(line, error);
  return line + "}\n";
}

std::string answer_line(std::string_view id, const Result<Answer>& answer) {
  if (!answer) return error_line(id, answer.error());
  std::string ok;
  append_json(ok, *answer);
  return ok_line(id, ok);
}

std::string metrics_line(std::string_view id, const RuntimeSummary& summary,
                         const Metrics& metrics) {
  std::string text;
  append_prometheus(text, summary);
  append_prometheus(text, metrics);
  std::string ok = "{\"text\":";
  append_json_string(ok, text);
  return ok_line(id, ok + "}");
}

std::string answer_line(std::string_view id, const Result<std::vector<Answer>>& answers) {
  if (!answers) return error_line(id, answers.error());
  std::string ok = "{\"results\":[";
  for (const Answer& answer : *answers) {
    if (ok.back() != '[') ok += ',';
    append_json(ok, answer);
  }
  return ok_line(id, ok + "]}");
}

}  // namespace worker_runtime::fs_store
