// Stores that break one rule each: what the rule asks of the file system is left out, or done too
// late. Canaries: crash enumeration must find what each of them loses.
#pragma once

#include <cstdint>

#include "simulated_store.h"

namespace worker_runtime::testing {

enum class BrokenRule : std::uint8_t {
  journal_is_synced,           ///< No record is ever synced.
  answer_follows_sync,         ///< A record is synced when the next one is written.
  segment_name_is_synced,      ///< The names of segments are not.
  logs_are_synced,             ///< Checkpoints sync no log: the watermarks are ahead of them.
  catalog_is_synced,           ///< The catalog is not.
  snapshot_content_is_synced,  ///< runtime.json is renamed over the old one unsynced.
  snapshot_name_is_synced,     ///< The directory is not synced behind that.
  worker_names_are_synced,     ///< No directory in workers/ is, nor workers/ itself.
  redactions_are_synced,       ///< Transcripts are not; none is appended to.
  segments_go_last,            ///< Segments are unlinked before runtime.json is in place.
};

/// A file system that keeps all rules but one.
Distortion distortion(BrokenRule broken);

}  // namespace worker_runtime::testing
