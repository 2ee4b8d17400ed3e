// Guessing what was meant: see suggestion.h.
#include "suggestion.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace worker_runtime::cli {
namespace {

/// A longer word would only cost time, and is rarely typed.
constexpr std::size_t word_bytes_max = 80;
constexpr std::size_t workers_max = 5000;

/// How many letters have to be changed, added or left out (Levenshtein).
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t at = 0; at < left.size(); ++at) {
    std::size_t diagonal = std::exchange(row[0], at + 1);
    for (std::size_t other = 0; other < right.size(); ++other) {
      const std::size_t exchanged = diagonal + (left[at] == right[other] ? 0 : 1);
      diagonal = row[other + 1];
      row[other + 1] = std::min({exchanged, diagonal + 1, row[other] + 1});
    }
  }
  return row.back();
}

}  // namespace

void Suggestion::consider(std::string_view candidate) {
  if (word_.size() > word_bytes_max) return;
  const std::size_t longer = std::max(candidate.size(), word_.size());
  if (longer - std::min(candidate.size(), word_.size()) >= least_) return;
  const std::size_t far = distance(word_, candidate);
  if (far >= least_ || far >= word_.size()) return;
  least_ = far;
  nearest_ = candidate;
}

std::string nearest_worker(const Options& options, const std::string& worker) {
  Suggestion suggestion(worker);
  auto reader = open_for_reading(options);
  if (!reader) return {};
  ListQuery query;
  for (std::size_t seen = 0; seen < workers_max;) {
    auto page = reader->list_workers(query);
    if (!page) break;
    for (const WorkerSummary& known : page->workers)
      suggestion.consider(known.worker_ref.worker_id.text());
    seen += page->workers.size();
    if (!page->next_after) break;
    query.after = std::move(page->next_after);
  }
  return suggestion.nearest();
}

}  // namespace worker_runtime::cli
