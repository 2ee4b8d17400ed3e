// What was meant by a word that is nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "options.h"
#include "worker_runtime/result.h"

namespace worker_runtime::cli {

/// The nearest of the words that it is shown, if any is near enough.
class Suggestion {
 public:
  explicit Suggestion(std::string word) : word_(std::move(word)) {}
  void consider(std::string_view candidate);
  /// Empty: none.
  [[nodiscard]] const std::string& nearest() const { return nearest_; }

 private:
  std::string word_;
  std::string nearest_;
  std::size_t least_ = 3;  // so many letters may be wrong, less one
};

/// The Worker that was meant by an id that no Worker has; empty if none is near. Looks at a few
/// thousand at most.
std::string nearest_worker(const Options& options, const std::string& worker);

}  // namespace worker_runtime::cli
