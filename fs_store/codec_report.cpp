// The overview of a Runtime, what verify found, and errors, as JSON.
#include <cstring>

#include "codec_members.h"
#include "worker_runtime/fs_store/json.h"

namespace worker_runtime::fs_store {

namespace {

void write_health(JsonWriter& writer, const StoreHealth& health) {
  writer.begin_object();
  writer.plain_member("state", to_string(health.state));
  writer.member("detail", health.detail);
  writer.member("free_bytes", health.free_bytes);
  writer.member("journal_bytes", health.journal_bytes);
  writer.member("durable_lsn", health.durable_lsn);
  writer.member("checkpoint_lsn", health.checkpoint_lsn);
  writer.member("recovered", health.recovered);
  writer.end_object();
}

void write_finding(JsonWriter& writer, const Finding& finding) {
  writer.begin_object();
  writer.plain_member("severity", to_string(finding.severity));
  writer.member("code", finding.code);
  writer.member("path", finding.path);
  writer.member("line", finding.line);
  writer.member("offset", finding.offset);
  writer.member("message", finding.message);
  if (finding.alike > 0) writer.member("alike", finding.alike);
  writer.end_object();
}

/// "ENOSPC" rather than a number that differs between systems.
void write_system_error(JsonWriter& writer, int number) {
  if (number == 0) return;
  writer.name("system_error");
  if (const char* name = strerrorname_np(number); name != nullptr) {
    writer.plain(name);
  } else {
    writer.raw(std::to_string(number));
  }
}

struct FieldsWriter {
  JsonWriter& writer;

  void operator()(const std::monostate&) const {}
  void operator()(const LimitFields& fields) const {
    writer.member("what", fields.what);
    writer.member("requested", fields.requested);
    writer.member("max", fields.max);
  }
  void operator()(const CursorFields& fields) const {
    writer.member("first_available", fields.first_available);
  }
  void operator()(const FileFields& fields) const {
    if (!fields.path.empty()) writer.member("path", fields.path);
    writer.member("line", fields.line);
    writer.member("offset", fields.offset);
    write_system_error(writer, fields.system_error);
    writer.member("next_readable", fields.next_readable);
  }
  void operator()(const HolderFields& fields) const {
    if (fields.pid) {
      writer.name("pid");
      writer.raw(std::to_string(*fields.pid));
    }
    if (!fields.host.empty()) writer.member("host", fields.host);
    if (!fields.since.empty()) writer.member("since", fields.since);
  }
  void operator()(const AmbiguousFields& fields) const {
    writer.name("runtimes");
    writer.begin_array();
    for (const std::string& runtime : fields.runtimes) writer.value(runtime);
    writer.end_array();
  }
  void operator()(const VersionFields& fields) const {
    writer.member("found", fields.found);
    writer.member("supported", fields.supported);
  }
};

}  // namespace

void append_json(std::string& out, const RuntimeSummary& summary) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("runtime_id", summary.runtime_id);
  writer.member("display_name", summary.display_name);
  writer.member("backend", summary.backend);
  writer.plain_member("durability", to_string(summary.durability));
  writer.member("epoch", summary.epoch);
  writer.plain_member("status", to_string(summary.status));
  writer.member("worker_count", summary.worker_count);
  writer.member("active_worker_count", summary.active_worker_count);
  writer.member("stopped_worker_count", summary.stopped_worker_count);
  writer.member("cancelled_worker_count", summary.cancelled_worker_count);
  writer.member("damaged_worker_count", summary.damaged_worker_count);
  writer.member("event_count", summary.event_count);
  if (summary.first_event_id.value > 1) writer.member("first_event_id", summary.first_event_id);
  writer.member("transcript_entry_count", summary.transcript_entry_count);
  writer.member("content_bytes", summary.content_bytes);
  writer.name("usage");
  write_usage(writer, summary.usage);
  writer.member("diagnostic_count", summary.diagnostic_count);
  writer.name("limits");
  write_limits(writer, summary.limits);
  if (summary.store) {
    writer.name("store");
    write_health(writer, *summary.store);
  }
  writer.end_object();
}

void append_json(std::string& out, const Finding& finding) {
  JsonWriter writer(out);
  write_finding(writer, finding);
}

void append_json(std::string& out, const VerifyReport& report) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("findings");
  writer.begin_array();
  for (const Finding& finding : report.findings) write_finding(writer, finding);
  writer.end_array();
  if (report.truncated) writer.member("truncated", true);
  writer.member("files", report.files);
  writer.member("bytes", report.bytes);
  writer.end_object();
}

void append_json(std::string& out, const RepairReport& report) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("items");
  writer.begin_array();
  for (const RepairItem& item : report.items) {
    writer.begin_object();
    writer.member("action", item.action);
    writer.member("path", item.path);
    writer.member("worker_id", item.worker_id);
    writer.member("lost", item.lost);
    writer.member("message", item.message);
    writer.end_object();
  }
  writer.end_array();
  writer.member("applied", report.applied);
  writer.name("quarantined");
  writer.begin_array();
  for (const std::string& path : report.quarantined) writer.value(path);
  writer.end_array();
  writer.end_object();
}

namespace {

void write_retention_item(JsonWriter& writer, const RetentionItem& item) {
  writer.begin_object();
  if (const auto* const events = std::get_if<TrimEvents>(&item.operation)) {
    writer.plain_member("op", "trim_events");
    writer.member("before", events->before);
  } else if (const auto* const entries = std::get_if<TrimTranscript>(&item.operation)) {
    writer.plain_member("op", "trim_transcript");
    writer.name("worker_ref");
    write_worker_ref(writer, entries->worker_ref);
    writer.member("before", entries->before);
  } else if (const auto* const deleted = std::get_if<DeleteWorker>(&item.operation)) {
    writer.plain_member("op", "delete_worker");
    writer.name("worker_ref");
    write_worker_ref(writer, deleted->worker_ref);
  }
  writer.member("items", item.items);
  writer.member("bytes", item.bytes);
  writer.end_object();
}

}  // namespace

void append_json(std::string& out, const RetentionPlan& plan) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("items");
  writer.begin_array();
  for (const RetentionItem& item : plan.items) write_retention_item(writer, item);
  writer.end_array();
  writer.name("skipped");
  writer.begin_array();
  for (const RetentionSkipped& skipped : plan.skipped) {
    writer.begin_object();
    writer.member("worker_id", skipped.worker_id);
    writer.member("cause", skipped.cause);
    writer.end_object();
  }
  writer.end_array();
  writer.member("bytes", plan.bytes());
  writer.member("applied", plan.applied);
  writer.end_object();
}

void append_json(std::string& out, const QuarantineReport& report) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.name("files");
  writer.begin_array();
  for (const QuarantinedFile& file : report.files) {
    writer.begin_object();
    writer.member("path", file.path);
    writer.member("bytes", file.bytes);
    writer.end_object();
  }
  writer.end_array();
  writer.member("bytes", report.bytes());
  writer.member("purged", report.purged);
  writer.end_object();
}

void append_json(std::string& out, const CopyReport& report) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("runtime_id", report.runtime_id);
  writer.member("lsn", report.lsn);
  writer.member("workers", report.workers);
  writer.member("events", report.events);
  writer.member("entries", report.entries);
  writer.member("copied_bytes", report.copied_bytes);
  writer.member("path", report.path);
  writer.end_object();
}

void append_json(std::string& out, const Error& error) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.plain_member("code", to_string(error.code()));
  writer.member("message", error.message());
  std::visit(FieldsWriter{writer}, error.fields());
  writer.member("index", error.index());
  writer.end_object();
}

}  // namespace worker_runtime::fs_store
