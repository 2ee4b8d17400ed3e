// Text to files: see store_text.h.
#include "support/store_text.h"

#include <cstdint>

#include "checked_line.h"

namespace worker_runtime::fuzz {
namespace {

using fs_store::checksum_text;

class Sealer {
 public:
  explicit Sealer(std::string_view first_path) : path_(first_path) {}

  void take(std::string_view line) {
    if (line.starts_with('=')) {
      path_ = line.substr(1);
    } else if (line.starts_with('!')) {
      files_[path_] += line.substr(1);
    } else if (line.size() > 2 && line.front() == '{' && line.back() == '}') {
      seal(filled_in(line));
    } else {
      files_[path_].append(line) += '\n';
    }
  }
  StoreFiles take_files() { return std::move(files_); }

 private:
  void seal(const std::string& object) {
    const std::uint32_t checksum = fs_store::append_checked_line(files_[path_], object);
    const bool is_header = object.find("\"schema_version\"") != std::string::npos;
    if (is_header) return;
    if (path_.starts_with("journal/")) record_ = checksum;
    if (path_.starts_with("catalog.")) catalog_ ^= checksum;
  }

  [[nodiscard]] std::string filled_in(std::string_view line) const {
    std::string object;
    while (!line.empty()) {
      if (line.starts_with("@@@@@@@@") || line.starts_with("^^^^^^^^")) {
        object += checksum_text(line.front() == '@' ? record_ : catalog_);
        line.remove_prefix(8);
        continue;
      }
      const std::size_t end = line.front() == '&' ? line.find('&', 1) : std::string_view::npos;
      const auto file = end == std::string_view::npos
                            ? files_.end()
                            : files_.find(std::string(line.substr(1, end - 1)));
      if (file != files_.end()) {
        object += std::to_string(file->second.size());
        line.remove_prefix(end + 1);
        continue;
      }
      object += line.front();
      line.remove_prefix(1);
    }
    return object;
  }

  std::string path_;
  StoreFiles files_;
  std::uint32_t record_ = 0;
  std::uint32_t catalog_ = 0;
};

/// Makes every directory on the way to `path`. False where that leads nowhere.
bool make_way(fs_store::FileSystem& files, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string directory = path.substr(0, slash);
    const std::string name = directory.substr(directory.rfind('/') + 1);
    if (name.empty() || name == "." || name == "..") return false;
    const auto kind = files.kind(directory);
    if (!kind || (*kind && **kind != fs_store::EntryKind::directory)) return false;
    if (!*kind && !files.make_directory(directory)) return false;
  }
  return true;
}

}  // namespace

StoreFiles read_store_text(std::string_view text, std::string_view first_path) {
  Sealer sealer(first_path);
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    sealer.take(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
  return sealer.take_files();
}

void put_files(testing::SimulatedDisk& disk, const std::string& directory,
               const StoreFiles& files) {
  const auto root = disk.root();
  if (!make_way(*root, directory + "/")) return;
  for (const auto& [path, bytes] : files) {
    std::string whole = directory;
    whole.append("/").append(path);
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.empty() || name == "." || name == ".." || !make_way(*root, whole)) continue;
    auto file = root->open(whole, fs_store::OpenMode::create_new);
    if (file) static_cast<void>((*file)->write(0, bytes).has_value());
  }
  static_cast<void>(root->sync_all().has_value());
}

}  // namespace worker_runtime::fuzz
