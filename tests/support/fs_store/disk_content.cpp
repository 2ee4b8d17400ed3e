// Pages that copies share: see disk_content.h.
#include "support/fs_store/disk_content.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace worker_runtime::testing {
namespace {

constexpr std::size_t pages_for(std::uint64_t size) {
  return static_cast<std::size_t>((size + DiskContent::page_bytes - 1) / DiskContent::page_bytes);
}

}  // namespace

std::string DiskContent::read(std::uint64_t offset, std::size_t count) const {
  if (offset >= size_) return {};
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
  std::string bytes;
  bytes.reserve(count);
  while (bytes.size() < count) {
    const std::uint64_t at = offset + bytes.size();
    const std::size_t from = at % page_bytes;
    const std::size_t part = std::min(page_bytes - from, count - bytes.size());
    const PagePointer& page = pages_[at / page_bytes];
    if (page) {
      bytes.append(page->data() + from, part);
    } else {
      bytes.append(part, '\0');
    }
  }
  return bytes;
}

void DiskContent::put(std::size_t page, std::size_t from, std::string_view bytes) {
  PagePointer& present = pages_[page];
  if (present && std::memcmp(present->data() + from, bytes.data(), bytes.size()) == 0) return;
  // A page of newlines is what most of a journal segment is: all of them are one.
  static const PagePointer filler = [] {
    auto made = std::make_shared<Page>();
    made->fill('\n');
    return made;
  }();
  if (bytes.size() == page_bytes && std::memcmp(filler->data(), bytes.data(), bytes.size()) == 0) {
    present = filler;
    return;
  }
  auto changed = present ? std::make_shared<Page>(*present) : std::make_shared<Page>(Page{});
  std::memcpy(changed->data() + from, bytes.data(), bytes.size());
  present = std::move(changed);
}

void DiskContent::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  size_ = std::max(size_, offset + bytes.size());
  pages_.resize(std::max(pages_.size(), pages_for(size_)));
  while (!bytes.empty()) {
    const std::size_t from = offset % page_bytes;
    const std::string_view part = bytes.substr(0, page_bytes - from);
    put(offset / page_bytes, from, part);
    bytes.remove_prefix(part.size());
    offset += part.size();
  }
}

void DiskContent::resize(std::uint64_t size) {
  pages_.resize(pages_for(size));
  const std::size_t left = size % page_bytes;
  if (size < size_ && left != 0 && pages_.back()) {
    put(pages_.size() - 1, left, std::string(page_bytes - left, '\0'));
  }
  size_ = size;
}

void DiskContent::copy_range(const DiskContent& other, std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  size_ = std::max(size_, end);
  pages_.resize(std::max(pages_.size(), pages_for(size_)));
  while (begin < end) {
    const std::size_t page = begin / page_bytes;
    const std::uint64_t page_end = std::min<std::uint64_t>(end, (page + 1) * page_bytes);
    const PagePointer source = page < other.pages_.size() ? other.pages_[page] : nullptr;
    if (begin % page_bytes == 0 && page_end % page_bytes == 0) {
      pages_[page] = source;
    } else {
      const std::size_t from = begin % page_bytes;
      const std::size_t count = page_end - begin;
      const std::string zeros(source ? 0 : count, '\0');
      put(page, from, source ? std::string_view(source->data() + from, count) : zeros);
    }
    begin = page_end;
  }
}

std::uint64_t DiskContent::hash() const {
  std::uint64_t sum = size_;
  const std::hash<std::string_view> hash_of;
  for (const PagePointer& page : pages_) {
    const std::uint64_t one = page ? hash_of({page->data(), page_bytes}) : 0;
    sum = (sum ^ one) * 0x9E3779B97F4A7C15U + (sum >> 29U);
  }
  return sum;
}

bool DiskContent::operator==(const DiskContent& other) const {
  return size_ == other.size_ && read(0, size_) == other.read(0, size_);
}

}  // namespace worker_runtime::testing
