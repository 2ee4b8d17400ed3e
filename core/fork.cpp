// Forking: a copy of a Worker's history up to an entry, as the beginning of a new Worker.
//
// The history is read before the operation that makes the new Worker is submitted. Nothing can come
// between that matters: what is deleted, trimmed or redacted once it is read was there.
#include <utility>

#include "plan.h"
#include "runtime_implementation.h"
#include "validate.h"

namespace worker_runtime {
namespace {

Error too_large(std::uint64_t bytes, const Limits& limits) {
  return {ErrorCode::limit_exceeded,
          "a history of " + std::to_string(bytes) + " bytes or more does not fit into one commit",
          LimitFields{"commit_bytes", bytes, limits.commit_bytes}};
}

}  // namespace

/// The entries first..last. What a trim lets go meanwhile is `cursor_expired`, never left out.
Result<std::vector<TranscriptEntry>> Runtime::Implementation::read_history(
    const WorkerRef& worker_ref, Sequence first, Sequence last) const {
  std::vector<TranscriptEntry> history;
  std::uint64_t bytes = 0;
  TranscriptQuery query;
  query.start = first.value - 1;
  while (*query.start < last.value) {
    auto page = read_transcript(worker_ref, query);
    if (!page) return std::move(page).error();
    for (TranscriptEntry& entry : page->items) {
      if (entry.sequence > last) break;
      bytes += text_bytes(entry);
      history.push_back(std::move(entry));
    }
    // The store refuses what is too large, once it is encoded: here memory stays bounded.
    if (bytes > limits_.commit_bytes) return too_large(bytes, limits_);
    query.start = page->next.value_or(last.value);
  }
  return history;
}

Result<WorkerDetail> Runtime::Implementation::fork_worker(ForkWorker request) {
  auto origin = worker_detail(request.worker_ref);
  if (!origin) return origin;
  const WorkerSummary& summary = origin->summary;
  const WorkerId& worker_id = request.worker_ref.worker_id;
  if (!origin->request) {
    return Error(ErrorCode::worker_damaged,
                 "worker " + worker_id.text() + " is damaged: " + summary.damaged.value_or(""));
  }
  if (request.at.value > 0) {
    auto kept = require_kept(worker_id, request.at, summary.first_sequence,
                             Sequence{summary.transcript_len});
    if (!kept) return std::move(kept).error();
  }
  ImportWorker fork;
  fork.request = *std::move(origin->request);
  fork.request.worker_id = std::move(request.worker_id);
  fork.request.display_name = std::move(request.display_name);
  if (!fork.request.display_name) fork.request.display_name = summary.display_name;
  fork.request.idempotency_key = std::move(request.idempotency_key);
  fork.request.origin = Origin{request.worker_ref, request.at};
  if (request.at.value > 0) {
    auto history = read_history(request.worker_ref, summary.first_sequence, request.at);
    if (!history) return std::move(history).error();
    fork.entries = *std::move(history);
  }
  return run<WorkerDetail>(std::move(fork));
}

}  // namespace worker_runtime
