// A file in memory, for tests of what reads and writes one file.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "file_system.h"

namespace worker_runtime::fs_store {

class MemoryFile final : public File {
 public:
  explicit MemoryFile(std::string bytes = {}) : bytes_(std::move(bytes)) {}

  Result<std::size_t> read_into(std::uint64_t offset, std::span<char> to) const override {
    return offset < bytes_.size() ? bytes_.copy(to.data(), to.size(), offset) : 0;
  }
  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    if (bytes_.size() < offset + bytes.size()) bytes_.resize(offset + bytes.size(), '\0');
    bytes_.replace(offset, bytes.size(), bytes);
    return {};
  }
  Result<void> sync() override { return {}; }
  void begin_writeback(std::uint64_t, std::uint64_t) override {}
  void keep_in_place() override {}
  Result<void> truncate(std::uint64_t size) override {
    bytes_.resize(size, '\0');
    return {};
  }
  Result<std::uint64_t> size() const override { return std::uint64_t{bytes_.size()}; }
  FileIdentity identity() const override { return {}; }

 private:
  std::string bytes_;
};

}  // namespace worker_runtime::fs_store
