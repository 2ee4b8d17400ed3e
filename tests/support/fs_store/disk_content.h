// The bytes of a simulated file: pages that copies share, so that many states of a disk cost little
// more than one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace worker_runtime::testing {

class DiskContent {
 public:
  static constexpr std::size_t page_bytes = 4096;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Fewer bytes than `count` only at the end.
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t count) const;
  [[nodiscard]] std::string text() const { return read(0, size_); }
  void write(std::uint64_t offset, std::string_view bytes);
  /// What is added reads as NULs.
  void resize(std::uint64_t size);
  /// Takes [begin, end) from `other`, NULs from behind its end. Grows as a write does.
  void copy_range(const DiskContent& other, std::uint64_t begin, std::uint64_t end);
  [[nodiscard]] std::uint64_t hash() const;

  bool operator==(const DiskContent& other) const;

 private:
  using Page = std::array<char, page_bytes>;
  using PagePointer = std::shared_ptr<const Page>;  // null: NULs

  /// Bytes [from, from + bytes.size()) of one page become `bytes`.
  void put(std::size_t page, std::size_t from, std::string_view bytes);

  std::uint64_t size_ = 0;
  std::vector<PagePointer> pages_;  // bytes behind size_ are NULs
};

}  // namespace worker_runtime::testing
