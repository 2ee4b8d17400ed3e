// What the usage of Workers is counted from.
#pragma once

#include <algorithm>

#include "worker_runtime/history.h"
#include "worker_runtime/worker.h"

namespace worker_runtime {

/// Adds each counter of `more` (ordered by name); sums stay at counter_max.
inline void add_counters(Counters& counters, const Counters& more) {
  for (const Counter& counter : more) {
    const auto place = std::lower_bound(
        counters.begin(), counters.end(), counter.name,
        [](const Counter& known, const std::string& name) { return known.name < name; });
    if (place != counters.end() && place->name == counter.name) {
      place->value =
          counter.value > counter_max - place->value ? counter_max : place->value + counter.value;
    } else {
      counters.insert(place, counter);
    }
  }
}

/// Counts an entry: an input, or an output.
inline void count(Usage& usage, const TranscriptEntry& entry, bool input) {
  ++(input ? usage.inputs : usage.outputs);
  usage.content_bytes += content_bytes(entry);
  add_counters(usage.counters, entry.usage);
}

}  // namespace worker_runtime
