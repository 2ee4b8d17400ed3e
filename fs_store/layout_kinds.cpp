// What has to stand under which name: see layout_kinds.h.
#include "layout_kinds.h"

#include "layout.h"

namespace worker_runtime::fs_store::layout {
namespace {

std::optional<EntryKind> file_if(bool is_file) {
  return is_file ? std::optional(EntryKind::file) : std::nullopt;
}

}  // namespace

std::optional<EntryKind> kind_at_top(std::string_view name) {
  for (const std::string_view directory : {journal, workers, quarantine, requests}) {
    if (name == directory) return EntryKind::directory;
  }
  return file_if(name == lock || name == runtime_json || name == log_file(events) ||
                 parse_catalog(name) || parse_log_part(name, events));
}

std::optional<EntryKind> kind_in_journal(std::string_view name) {
  return file_if(name == durable_name || parse_segment(name) || is_reserve(name));
}

std::optional<EntryKind> kind_in_workers(std::string_view name) {
  return parse_worker_directory(name) ? std::optional(EntryKind::directory) : std::nullopt;
}

std::optional<EntryKind> kind_in_worker(std::string_view name) {
  constexpr std::string_view transcript_stem = "transcript";
  return file_if(name == "worker.json" || name == log_file(transcript_stem) ||
                 parse_log_part(name, transcript_stem));
}

}  // namespace worker_runtime::fs_store::layout
