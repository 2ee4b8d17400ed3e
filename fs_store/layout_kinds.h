// What has to stand under the names of a store's layout; none under any other name.
#pragma once

#include <optional>
#include <string_view>

#include "file_system.h"

namespace worker_runtime::fs_store::layout {

/// Of a name in the runtime's directory.
std::optional<EntryKind> kind_at_top(std::string_view name);
/// Of a name in journal/.
std::optional<EntryKind> kind_in_journal(std::string_view name);
/// Of a name in workers/.
std::optional<EntryKind> kind_in_workers(std::string_view name);
/// Of a name in the directory of a Worker.
std::optional<EntryKind> kind_in_worker(std::string_view name);

}  // namespace worker_runtime::fs_store::layout
