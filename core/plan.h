// Planning: from the head and a request to what is to be committed. Pure: no I/O, no clock of its
// own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state.h"
#include "worker_runtime/operations.h"
#include "worker_runtime/result.h"

namespace worker_runtime {

/// What planning needs to know beside the head. The shell finds it out before.
struct PlanContext {
  Timestamp at;  ///< For the event: the clock, but never before the last event.
  const WorkerState* worker = nullptr;  ///< Of the head, that the operation is about; null: none.
  const std::string* damage = nullptr;  ///< The cause, if the Worker's files are damaged.
  const KeyedEntry* known_entry =
      nullptr;  ///< The entry that carries the request's key, if there is one.
  TranscriptEntry* redacted = nullptr;  ///< The entry to redact, if it is there. Is taken.
};

/// The checks that need state, in the order that docs/GUIDE.md gives, and the effect: the answer,
/// and the change behind `changes`; none if the answer stands by itself (a replay, a repetition) or
/// the operation is refused. Takes text out of `operation`.
Result<Answer> plan(const Head& head, Mutation& operation, const PlanContext& context,
                    std::vector<Change>& changes);

/// Refuses an entry that is not there, of a Worker whose entries first..last are kept:
/// `cursor_ahead`, `cursor_expired`.
Result<void> require_kept(const WorkerId& worker_id, Sequence sequence, Sequence first,
                          Sequence last);

/// The Worker that an operation is about, if it is about one that exists already.
const WorkerRef* worker_of(const Mutation& operation);
/// The key of an operation that appends an entry.
const std::string* entry_key_of(const Mutation& operation);

}  // namespace worker_runtime
