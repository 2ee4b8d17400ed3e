// Metrics as text: see prometheus.h. The format: one HELP and TYPE a name, then its samples; bounds
// of a histogram are upper and cumulative; base units (seconds).
#include "worker_runtime/fs_store/prometheus.h"

#include <array>
#include <cstdio>
#include <span>
#include <string_view>

namespace worker_runtime::fs_store {
namespace {

/// A value of a label, with what would end it escaped.
std::string label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char character : value) {
    if (character == '\n') {
      text += "\\n";
      continue;
    }
    if (character == '"' || character == '\\') text += '\\';
    text += character;
  }
  return text + '"';
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = "worker_runtime_" + std::string(name);
    out_.append("# HELP ").append(name_).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name_).append(" ").append(type).append("\n");
  }
  void sample(std::string_view value, std::string_view labels = {}, std::string_view suffix = {}) {
    out_.append(name_).append(suffix);
    if (!labels.empty()) out_.append("{").append(labels).append("}");
    out_.append(" ").append(value).append("\n");
  }
  void sample(std::uint64_t value, std::string_view labels = {}, std::string_view suffix = {}) {
    sample(std::to_string(value), labels, suffix);
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    begin(name, "gauge", help);
    sample(value);
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    begin(name, "counter", help);
    sample(value);
  }
  /// `text_of`: a bound, or the sum, in the unit that is shown.
  template <std::size_t bounds, typename TextOf>
  void histogram(std::string_view name, std::string_view help, const Histogram<bounds>& values,
                 const std::array<std::uint64_t, bounds>& upper, TextOf text_of) {
    begin(name, "histogram", help);
    std::uint64_t below = 0;
    for (std::size_t bucket = 0; bucket < bounds; ++bucket) {
      below += values.counts[bucket];
      sample(below, label("le", text_of(upper[bucket])), "_bucket");
    }
    below += values.counts[bounds];
    sample(below, label("le", "+Inf"), "_bucket");
    sample(text_of(values.sum), {}, "_sum");
    sample(below, {}, "_count");
  }

 private:
  std::string& out_;
  std::string name_;
};

std::string seconds(std::uint64_t microseconds) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%llu.%06llu",
                static_cast<unsigned long long>(microseconds / 1'000'000),
                static_cast<unsigned long long>(microseconds % 1'000'000));
  return text.data();
}

void write_workers(Writer& writer, const RuntimeSummary& summary) {
  writer.begin("workers", "gauge", "Workers by status.");
  writer.sample(summary.active_worker_count, label("status", "running"));
  writer.sample(summary.stopped_worker_count, label("status", "stopped"));
  writer.sample(summary.cancelled_worker_count, label("status", "cancelled"));
  writer.gauge("damaged_workers", "Workers whose files are damaged.", summary.damaged_worker_count);
}

void write_usage(Writer& writer, const Usage& usage) {
  writer.counter("inputs_total", "Inputs, all ever recorded.", usage.inputs);
  writer.counter("outputs_total", "Outputs, all ever recorded.", usage.outputs);
  if (usage.counters.empty()) return;
  writer.begin("usage_total", "counter", "What the host reported under names of its own.");
  for (const Counter& counter : usage.counters)
    writer.sample(counter.value, label("counter", counter.name));
}

void write_store(Writer& writer, const StoreHealth& store) {
  writer.begin("store_state", "gauge", "1 for the state that the store is in.");
  for (const auto state :
       {StoreHealth::Condition::ok, StoreHealth::Condition::full, StoreHealth::Condition::failed}) {
    writer.sample(store.state == state ? 1 : 0, label("state", to_string(state)));
  }
  writer.gauge("journal_bytes", "Bytes of the journal.", store.journal_bytes);
  writer.gauge("durable_lsn", "The last commit that is durable.", store.durable_lsn.value);
  writer.gauge("checkpoint_lsn", "The last commit that the snapshot stands for.",
               store.checkpoint_lsn.value);
  writer.gauge("free_bytes", "Bytes that the disk has left.", store.free_bytes);
}

}  // namespace

void append_prometheus(std::string& out, const RuntimeSummary& summary) {
  Writer writer(out);
  writer.begin("info", "gauge", "Which runtime, how it is stored.");
  writer.sample(1, label("runtime_id", summary.runtime_id.text()) + "," +
                       label("backend", summary.backend) + "," +
                       label("durability", to_string(summary.durability)) + "," +
                       label("version", version()));
  writer.gauge("running", "1 while the runtime is running, 0 while it is stopped.",
               summary.status == RuntimeStatus::running ? 1 : 0);
  writer.gauge("epoch", "How many times the runtime was opened.", summary.epoch.value);
  write_workers(writer, summary);
  writer.counter("events_total", "Events, all ever recorded.", summary.event_count);
  writer.counter("entries_total", "Transcript entries, all ever recorded.",
                 summary.transcript_entry_count);
  writer.counter("content_bytes_total", "Bytes of content, all ever recorded.",
                 summary.content_bytes);
  write_usage(writer, summary.usage);
  writer.counter("diagnostics_total", "Diagnostics, all ever raised.", summary.diagnostic_count);
  if (summary.store) write_store(writer, *summary.store);
}

void append_prometheus(std::string& out, const Metrics& metrics) {
  Writer writer(out);
  writer.counter("operations_total", "Mutations and batches answered since the open.",
                 metrics.operations);
  writer.counter("commits_total", "Commits made durable since the open.", metrics.commits);
  writer.counter("syncs_total", "Syncs of the journal since the open, one a group.", metrics.syncs);
  writer.begin("refusals_total", "counter", "Operations that failed since the open, by code.");
  for (std::size_t code = 0; code < metrics.refused.size(); ++code)
    writer.sample(metrics.refused[code], label("code", to_string(static_cast<ErrorCode>(code))));
  writer.histogram("latency_seconds", "From the call to the answer.", metrics.latency,
                   latency_bounds, seconds);
  writer.histogram("sync_seconds", "How long each sync took: the disk's part of the latency.",
                   metrics.sync_latency, latency_bounds, seconds);
  writer.histogram("group_operations", "Operations that shared a sync.", metrics.group_operations,
                   group_bounds, [](std::uint64_t count) { return std::to_string(count); });
}

}  // namespace worker_runtime::fs_store
