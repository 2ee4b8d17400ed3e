// How far long work is, on a terminal: what is done, of how much, how fast, and how long it still
// takes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "worker_runtime/ids.h"

namespace worker_runtime::cli {

enum class ProgressUnit : std::uint8_t { bytes, workers, entries, seconds };

struct ProgressState {
  const char* what = "read";  ///< "checked", "copied", ...
  ProgressUnit unit = ProgressUnit::bytes;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known.
  std::chrono::duration<double> elapsed{};
};

inline std::string amount_text(ProgressUnit unit, double amount) {
  const bool is_bytes = unit == ProgressUnit::bytes;
  const auto whole = static_cast<std::uint64_t>(is_bytes ? amount / (1U << 20U) : amount);
  return std::to_string(whole);
}

inline std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 120) return std::to_string(whole) + " s";
  if (whole < 7200) return std::to_string(whole / 60) + " min";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

/// "checked 512 of 823 MiB [############........]  62 %  410 MiB/s  1 s left"
inline std::string progress_text(const ProgressState& state) {
  constexpr std::uint64_t bar_columns = 20;
  const char* const unit = state.unit == ProgressUnit::bytes     ? "MiB"
                           : state.unit == ProgressUnit::workers ? "Workers"
                           : state.unit == ProgressUnit::entries ? "entries"
                                                                 : "s";
  const auto done = static_cast<double>(state.done);
  // What is written meanwhile makes more than was there at the beginning.
  const auto total = static_cast<double>(std::max(state.total, state.done));
  std::string text = std::string(state.what) + " " + amount_text(state.unit, done);
  if (state.total > 0) text += " of " + amount_text(state.unit, total);
  text += std::string(" ") + unit;
  if (state.total > 0) {
    const auto filled = static_cast<std::uint64_t>(done / total * bar_columns);
    text += " [" + std::string(filled, '#') + std::string(bar_columns - filled, '.') + "]  " +
            std::to_string(static_cast<unsigned>(done / total * 100)) + " %";
  }
  // A rate that was measured for a moment alone says nothing.
  if (state.elapsed.count() < 0.5 || state.done == 0) return text;
  const double rate = done / state.elapsed.count();
  if (state.unit != ProgressUnit::seconds)
    text += "  " + amount_text(state.unit, rate) + " " + unit + "/s";
  if (state.total > 0) text += "  " + duration_text((total - done) / rate) + " left";
  return text;
}

/// One line of standard error while it lives; nothing where that is no terminal. One thread at a
/// time.
class Progress {
 public:
  /// `total` is asked once, and only if there is a terminal: it may take time to find out. None:
  /// not known.
  explicit Progress(const char* what, std::function<std::uint64_t()> total = {},
                    ProgressUnit unit = ProgressUnit::bytes);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { hide(); }

  /// At most ten times a second.
  void show(std::uint64_t done);
  /// Before other output.
  void hide();

 private:
  ProgressState state_;
  const bool is_shown_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_{};
};

/// What the files of a store come to; 0 where that cannot be found out.
struct StoreBytes {
  std::uint64_t all = 0;
  std::uint64_t transcripts = 0;
  std::uint64_t logs = 0;  ///< Transcripts and events.
};
StoreBytes bytes_of_store(const std::filesystem::path& root,
                          const std::optional<RuntimeId>& runtime_id);

}  // namespace worker_runtime::cli
