// What stands in the way of a store's files: see obstructions.h.
#include "obstructions.h"

#include <optional>
#include <utility>

#include "layout.h"
#include "worker_runtime/ids.h"

namespace worker_runtime::fs_store {
namespace {

std::optional<EntryKind> kind_at_top(const std::string& name) {
  for (const std::string_view directory :
       {layout::journal, layout::workers, layout::quarantine, layout::requests}) {
    if (name == directory) return EntryKind::directory;
  }
  const bool is_file = name == layout::runtime_json || layout::parse_catalog(name) ||
                       name == layout::log_file(layout::events) ||
                       layout::parse_log_part(name, layout::events);
  return is_file ? std::optional(EntryKind::file) : std::nullopt;
}

std::optional<EntryKind> kind_in_journal(const std::string& name) {
  const bool is_file = layout::parse_segment(name) || layout::is_reserve(name) ||
                       std::string(layout::journal) + "/" + name == layout::durable;
  return is_file ? std::optional(EntryKind::file) : std::nullopt;
}

std::optional<EntryKind> kind_in_workers(const std::string& name) {
  return layout::parse_worker_directory(name) ? std::optional(EntryKind::directory) : std::nullopt;
}

std::optional<EntryKind> kind_in_worker(const std::string& name) {
  const bool is_file = name == "worker.json" || name == layout::log_file("transcript") ||
                       layout::parse_log_part(name, "transcript");
  return is_file ? std::optional(EntryKind::file) : std::nullopt;
}

/// Adds what is of the wrong kind; answers the directories that are right.
template <typename KindOf>
Result<std::vector<std::string>> look(FileSystem& file_system, const std::string& directory,
                                      const KindOf& kind_of, std::vector<std::string>& found) {
  std::vector<std::string> below;
  auto entries = file_system.list(directory);
  if (!entries) {
    if (is_missing(entries.error())) return below;
    return std::move(entries).error();
  }
  for (const DirectoryEntry& entry : *entries) {
    const auto wanted = kind_of(entry.name);
    if (!wanted) continue;
    std::string path = directory.empty() ? entry.name : directory + "/" + entry.name;
    if (entry.kind != *wanted) {
      found.push_back(std::move(path));
    } else if (entry.kind == EntryKind::directory) {
      below.push_back(std::move(path));
    }
  }
  return below;
}

}  // namespace

Result<std::vector<std::string>> find_obstructions(FileSystem& file_system) {
  std::vector<std::string> found;
  auto top = look(file_system, "", kind_at_top, found);
  if (!top) return top;
  for (const std::string& directory : *top) {
    if (directory == layout::quarantine || directory == layout::requests) continue;
    const bool is_journal = directory == layout::journal;
    auto below =
        look(file_system, directory, is_journal ? kind_in_journal : kind_in_workers, found);
    if (!below) return below;
    for (const std::string& worker : *below) {
      auto looked = look(file_system, worker, kind_in_worker, found);
      if (!looked) return looked;
    }
  }
  return found;
}

}  // namespace worker_runtime::fs_store
