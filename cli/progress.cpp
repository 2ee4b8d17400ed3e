// Progress on a terminal: see progress.h.
#include "progress.h"

#include <cstdio>

#include "output.h"
#include "worker_runtime/fs_store/disk_use.h"

namespace worker_runtime::cli {

Progress::Progress(const char* what, std::function<std::uint64_t()> total, ProgressUnit unit)
    : is_shown_(is_terminal_error()) {
  state_.what = what;
  state_.unit = unit;
  if (is_shown_ && total) state_.total = total();
}

void Progress::show(std::uint64_t done) {
  if (!is_shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  state_.done = done;
  state_.elapsed = now - begun_;
  std::fprintf(stderr, "\r%s\x1b[K", progress_text(state_).c_str());
}

void Progress::hide() {
  if (!is_shown_ || next_ == std::chrono::steady_clock::time_point{}) return;
  next_ = {};
  std::fputs("\r\x1b[K", stderr);
}

StoreBytes bytes_of_store(const std::filesystem::path& root,
                          const std::optional<RuntimeId>& runtime_id) {
  const auto use = fs_store::disk_use({root, runtime_id});
  if (!use) return {};
  const std::uint64_t transcripts = use->transcripts.bytes;
  return {use->total().bytes, transcripts, transcripts + use->events.bytes};
}

}  // namespace worker_runtime::cli
