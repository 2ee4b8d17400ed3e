// Redacted lines: in memory from their commit on, in the file from the next checkpoint on. See
// logs.h.
#include <algorithm>
#include <utility>

#include "checked_line.h"
#include "layout.h"
#include "logs.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

/// The checked line with spaces before its last brace, so that it has `bytes` bytes. None if it is
/// longer than that.
std::optional<std::string> padded(std::string_view line, std::uint64_t bytes) {
  if (line.size() > bytes) return std::nullopt;
  constexpr std::string_view end = "}\n";
  std::string object = "{";
  object += line.substr(line_head_bytes, line.size() - line_head_bytes - end.size());
  object.append(bytes - line.size(), ' ');
  object += '}';
  std::string text;
  append_checked_line(text, object);
  return text;
}

}  // namespace

void Logs::redact(RedactedLine line) {
  auto pointer = std::make_shared<const std::string>(std::move(line.text));
  const std::lock_guard lock(mutex_);
  LogState* const state = state_of(&line.worker_id);
  if (state == nullptr) return;
  state->redacted.insert_or_assign(line.sequence, PendingLine{std::move(pointer), generation_});
  ++state->redactions;
  redacted_.insert(std::move(line.worker_id));
}

LinePointer Logs::redacted_line(const WorkerId& worker_id, std::uint64_t sequence) const {
  const std::lock_guard lock(mutex_);
  const LogState* const state = state_of(&worker_id);
  if (state == nullptr) return nullptr;
  const auto found = state->redacted.find(sequence);
  return found != state->redacted.end() ? found->second.text : nullptr;
}

std::map<std::uint64_t, LinePointer> Logs::redacted_lines(const WorkerId& worker_id) const {
  std::map<std::uint64_t, LinePointer> lines;
  const std::lock_guard lock(mutex_);
  const LogState* const state = state_of(&worker_id);
  if (state == nullptr) return lines;
  for (const auto& [sequence, line] : state->redacted) lines.emplace(sequence, line.text);
  return lines;
}

bool Logs::has_redacted() const {
  const std::lock_guard lock(mutex_);
  return !redacted_.empty();
}

Result<void> Logs::overwrite_redacted(std::uint64_t generation) {
  std::vector<RedactedLine> lines;
  {
    const std::lock_guard lock(mutex_);
    for (const WorkerId& worker_id : redacted_) {
      for (const auto& [sequence, line] : state_of(&worker_id)->redacted) {
        if (line.generation <= generation) lines.push_back({worker_id, sequence, *line.text});
      }
    }
  }
  for (const RedactedLine& line : lines) {
    auto done = overwrite(line);
    if (!done && done.error().code() != ErrorCode::store_corrupt) return done;
    const std::lock_guard lock(mutex_);
    LogState* const state = state_of(&line.worker_id);
    if (state == nullptr) continue;  // deleted meanwhile
    // What can't be found can't be redacted: it is damage, as it was before.
    if (!done) troubles_.push_back({line.worker_id, done.error().message()});
    state->redacted.erase(line.sequence);
    ++state->redactions;
    if (state->redacted.empty()) redacted_.erase(line.worker_id);
  }
  return {};
}

Result<void> Logs::overwrite(const RedactedLine& line) {
  const Name name = transcript_log(line.worker_id);
  auto part = find_part(name, transcript(line.worker_id), line.sequence);
  // With the part that held it a trimmed line is gone.
  const bool is_trimmed = line.sequence < first_kept(&line.worker_id);
  if (!part && part.error().code() == ErrorCode::store_corrupt && is_trimmed) return {};
  if (!part) return std::move(part).error();
  auto file = open_part(name, *part, line.sequence, OpenMode::write);
  if (!file) return std::move(file).error();
  auto place = find_line(**file, part->extent, name.key, line.sequence);
  if (!place) return std::move(place).error();
  const auto text = *place ? padded(line.text, (*place)->bytes) : std::nullopt;
  if (!text) {
    return corrupt(file_system_, part->path,
                   "sequence " + std::to_string(line.sequence) +
                       " is damaged or missing, and can't be redacted");
  }
  auto written = (*file)->write((*place)->offset, *text);
  return written ? (*file)->sync() : written;
}

}  // namespace worker_runtime::fs_store
