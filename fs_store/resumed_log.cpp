// Where the copy of a log goes on: see resumed_log.h.
#include "resumed_log.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "checked_line.h"
#include "layout.h"
#include "line_scanner.h"
#include "snapshot.h"

namespace worker_runtime::fs_store {
namespace {

struct LogFileName {
  std::optional<std::uint64_t> first;  ///< Of a closed part.
  std::string path;
};

/// The closed parts from number `first` on, in order, and behind them the file that is appended to.
Result<std::vector<LogFileName>> files_from(FileSystem& file_system, const std::string& stem,
                                            std::uint64_t first) {
  const std::string directory = parent_path(stem);
  const std::string stem_name = directory.empty() ? stem : stem.substr(directory.size() + 1);
  std::vector<LogFileName> files;
  auto entries = file_system.list(directory);
  if (!entries) {
    if (is_missing(entries.error())) return files;
    return std::move(entries).error();
  }
  bool has_open_file = false;
  for (const DirectoryEntry& entry : *entries) {
    const auto part = layout::parse_log_part(entry.name, stem_name);
    if (part && *part >= first) files.push_back({part, layout::log_part(stem, *part)});
    has_open_file = has_open_file || entry.name == layout::log_file(stem_name);
  }
  std::sort(files.begin(), files.end(), [](const LogFileName& left, const LogFileName& right) {
    return left.first < right.first;
  });
  if (has_open_file) files.push_back({{}, layout::log_file(stem)});
  return files;
}

/// Carries `end` on over the good lines of the file behind it. Answers the size of the file.
Result<std::uint64_t> scan(const File& file, std::string_view key, LogWatermark& end) {
  auto size = file.size();
  if (!size || *size <= end.bytes) return size;
  LineScanner lines(file, end.bytes, *size);
  for (;;) {
    auto line = lines.next();
    if (!line) return std::move(line).error();
    if (!*line || !(*line)->has_newline || (*line)->too_long || !check_line((*line)->text))
      return size;
    const auto number = line_number((*line)->text, key);
    // The first line of all says where the log begins: what is before it was trimmed.
    const bool is_first = end.last + 1 == end.first && end.bytes == 0 && end.first == 1;
    if (!number || (*number != end.last + 1 && !is_first)) return size;
    if (is_first) end.first = *number;
    end.last = *number;
    end.bytes = (*line)->offset + (*line)->length;
  }
}

}  // namespace

Result<LogWatermark> resume_log(FileSystem& file_system, const std::string& stem,
                                std::string_view key, LogWatermark known) {
  auto files = files_from(file_system, stem, known.first);
  if (!files) return std::move(files).error();
  LogWatermark end = known;
  for (std::size_t at = 0; at < files->size(); ++at) {
    const LogFileName& name = (*files)[at];
    if (at > 0) end = {end.last + 1, 0, end.last};
    auto file = file_system.open(name.path, OpenMode::write);
    if (!file) return std::move(file).error();
    const std::uint64_t at_least = end.bytes;
    auto size = scan(**file, key, end);
    if (!size) return std::move(size).error();
    if (*size < at_least) {
      return corrupt(file_system, name.path,
                     "the file has " + std::to_string(*size) + " bytes where " +
                         std::to_string(at_least) + " were copied");
    }
    const bool is_whole = *size == end.bytes && (!name.first || end.last >= end.first);
    if (is_whole && name.first && at + 1 == files->size())
      return LogWatermark{end.last + 1, 0, end.last};
    if (is_whole) continue;
    // What does not check, and all behind it, is copied again.
    auto cut = (*file)->truncate(end.bytes);
    if (!cut) return std::move(cut).error();
    for (std::size_t behind = at + 1; behind < files->size(); ++behind) {
      auto removed = file_system.remove_file((*files)[behind].path);
      if (!removed) return std::move(removed).error();
    }
    if (name.first) {
      auto renamed = file_system.rename(name.path, layout::log_file(stem));
      if (!renamed) return std::move(renamed).error();
    }
    return end;
  }
  if (files->empty() && known.last >= known.first)
    return corrupt(file_system, layout::log_file(stem), "the file is missing");
  return end;
}

}  // namespace worker_runtime::fs_store
