// What stands in the way of a store's files: see obstructions.h.
#include "obstructions.h"

#include <optional>
#include <utility>

#include "layout.h"
#include "layout_kinds.h"
#include "worker_runtime/ids.h"

namespace worker_runtime::fs_store {
namespace {

/// The lock is in nobody's way: whoever looks here has taken it.
std::optional<EntryKind> kind_beside_lock(std::string_view name) {
  return name == layout::lock ? std::nullopt : layout::kind_at_top(name);
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
  auto top = look(file_system, "", kind_beside_lock, found);
  if (!top) return top;
  for (const std::string& directory : *top) {
    if (directory == layout::quarantine || directory == layout::requests) continue;
    const bool is_journal = directory == layout::journal;
    auto below = look(file_system, directory,
                      is_journal ? layout::kind_in_journal : layout::kind_in_workers, found);
    if (!below) return below;
    for (const std::string& worker : *below) {
      auto looked = look(file_system, worker, layout::kind_in_worker, found);
      if (!looked) return looked;
    }
  }
  return found;
}

}  // namespace worker_runtime::fs_store
