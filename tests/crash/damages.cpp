// Doing a damage to files, and undoing it: see damages.h.
#include "damages.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace worker_runtime::testing {

namespace fs = std::filesystem;

namespace {

void make_socket(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  const int handle = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (handle < 0 || text.size() >= sizeof address.sun_path)
    throw std::runtime_error("no socket at " + text);
  std::copy(text.begin(), text.end(), std::begin(address.sun_path));
  const int bound = ::bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(handle);
  if (bound != 0) throw std::runtime_error("no socket at " + text);
}

}  // namespace

StoreImage image_of(const fs::path& root) {
  StoreImage image;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    image[fs::relative(entry.path(), root)] = {std::istreambuf_iterator<char>(stream), {}};
  }
  return image;
}

void make_store(const StoreImage& image, const fs::path& root) {
  for (const auto& [path, content] : image) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << content;
  }
}

std::vector<std::string> lines_of(const std::string& content) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size() - 1) + 1;
    lines.push_back(content.substr(at, end - at));
    at = end;
  }
  return lines;
}

std::vector<std::string> OriginalStore::line_files() const {
  std::vector<std::string> paths;
  for (const auto& [path, content] : files) {
    if (path.ends_with(".jsonl") || path.ends_with(".json")) paths.push_back(path);
  }
  return paths;
}

void inflict(const Damage& damage, const fs::path& root) {
  for (const Change& change : damage.changes) {
    const fs::path path = root / change.path;
    if (fs::is_regular_file(path.parent_path())) fs::remove(path.parent_path());
    fs::remove_all(path);
    fs::create_directories(path.parent_path());
    switch (change.stands) {
      case Stands::nothing:
        break;
      case Stands::file:
        std::ofstream(path, std::ios::binary) << change.content;
        break;
      case Stands::directory:
        fs::create_directory(path);
        break;
      case Stands::link:
        fs::create_symlink(change.content, path);
        break;
      case Stands::fifo:
        if (::mkfifo(path.c_str(), 0600) != 0)
          throw std::runtime_error("no FIFO at " + path.string());
        break;
      case Stands::socket:
        make_socket(path);
        break;
    }
  }
}

void undo(const Damage& damage, const StoreImage& image, const fs::path& root) {
  for (const Change& change : damage.changes) {
    fs::path path = change.path;
    fs::remove_all(root / path);
    // Directories that are the damage's own, and one that took the place of a file.
    while (path.has_parent_path() && fs::is_directory(root / path.parent_path()) &&
           fs::is_empty(root / path.parent_path())) {
      path = path.parent_path();
      fs::remove(root / path);
    }
    StoreImage below;
    for (auto file = image.lower_bound(path.string()); file != image.end(); ++file) {
      if (!file->first.starts_with(path.string())) break;
      below.insert(*file);
    }
    make_store(below, root);
  }
}

}  // namespace worker_runtime::testing
