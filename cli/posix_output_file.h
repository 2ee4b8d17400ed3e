// A file that a command makes for people: written beside its place, and renamed once it is whole. A
// run that is cut off leaves no half of one under the name.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "worker_runtime/result.h"

namespace worker_runtime::cli {

class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Takes away what was not committed.
  ~OutputFile();

  Result<void> write(std::string_view bytes);
  /// Puts the file in its place, on the disk. Answers its size.
  Result<std::uint64_t> commit();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const;
  };
  OutputFile(std::string path, std::string unfinished, std::FILE* file);
  [[nodiscard]] Error failed(const char* what, int system_error) const;

  std::string path_;
  std::string unfinished_;
  std::unique_ptr<std::FILE, CloseFile> file_;  // none once it is committed
  std::uint64_t bytes_ = 0;
};

}  // namespace worker_runtime::cli
