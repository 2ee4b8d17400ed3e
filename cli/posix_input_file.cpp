// A file that a command reads whole: see posix_input_file.h.
#include "posix_input_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace worker_runtime::cli {
namespace {

struct CloseFile {
  // It was only read.
  void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};

Error unreadable(const std::string& path, int system_error) {
  return {ErrorCode::invalid_request,
          "cannot read " + path + ": " + std::generic_category().message(system_error)};
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return unreadable(path, errno);
  std::string text;
  std::string block(std::size_t{1} << 20U, '\0');
  for (;;) {
    const std::size_t count = std::fread(block.data(), 1, block.size(), file.get());
    text.append(block, 0, count);
    if (std::ferror(file.get()) != 0) return unreadable(path, errno);
    if (count < block.size() || text.size() > bytes_max) return text;
  }
}

}  // namespace worker_runtime::cli
