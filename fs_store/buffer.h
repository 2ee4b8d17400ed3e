// Bytes of a file that are read piece by piece: kept from piece to piece, and never filled with
// zeros first, which would cost as much as reading them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace worker_runtime::fs_store {

class Buffer {
 public:
  [[nodiscard]] std::string_view text() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

  void clear() { size_ = 0; }
  void drop_front(std::size_t count) {
    size_ -= count;
    if (size_ > 0) std::memmove(bytes_.get(), bytes_.get() + count, size_);
  }

  /// Room behind the text, whose first bytes add() makes part of it. Views of the text end.
  std::span<char> room(std::size_t count) {
    if (capacity_ < size_ + count) {
      capacity_ = std::max(size_ + count, capacity_ * 2);
      auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
      if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
      bytes_ = std::move(larger);
    }
    return {bytes_.get() + size_, count};
  }
  void add(std::size_t count) { size_ += count; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace worker_runtime::fs_store
