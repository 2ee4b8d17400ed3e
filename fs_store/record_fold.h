// Bringing salvaged records up to date with the logs: for repair.
//
// Each record stands for the events up to its `last_event_id`, the runtime's record for those up to
// its own. Events behind that are folded in as commits once did it, but from what the logs say of
// them. What only commits said, the create request and the text of deleted transcripts, is lost.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "codec.h"
#include "salvage.h"

namespace worker_runtime::fs_store {

class RecordFold {
 public:
  /// An entry of a transcript, before all events.
  void take_entry(const Salvage& salvage, const TranscriptEntry& entry);
  /// All events, in order.
  void take_event(Salvage& salvage, const Event& event);

  /// Events of Workers that stopped with the Runtime, which the journal has in compact form only.
  [[nodiscard]] const std::vector<Event>& expanded() const { return expanded_; }
  /// Workers that no file had a record of.
  [[nodiscard]] const std::set<WorkerId>& made() const { return made_; }
  /// Gives a made one its create request; false if that is lost.
  static bool finish(const Salvage& salvage, SalvagedWorker& worker, Decoder& decoder);

 private:
  struct Counted {
    std::uint64_t content_bytes = 0;
    std::map<std::string, std::uint64_t> counters;
    EventId copied_by;  ///< The worker_created event that brought it; 0: it has one of its own.
    bool is_input = false;
  };
  void begin(const Salvage& salvage);
  void count(RuntimeRecord& runtime, const Event& event);
  static void count(Usage& usage, const Counted& entry);
  /// The entries that came with a Worker, for its worker_created event. Answers the last one.
  Sequence count_copied(Usage& usage, const Event& event) const;
  void change(Salvage& salvage, SalvagedWorker& worker, const Event& event);
  void stop_all(Salvage& salvage, const Event& event);
  void remove(Salvage& salvage, const WorkerId& worker_id);

  bool has_begun_ = false;
  EventId runtime_end_;  // the runtime's record stands for events up to here
  std::map<std::pair<WorkerId, std::uint64_t>, Counted> entries_;
  std::vector<Event> expanded_;
  std::set<WorkerId> made_;
};

}  // namespace worker_runtime::fs_store
