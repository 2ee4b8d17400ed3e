// The limit of a disk: see limit.h.
//
// tidy-allow-file(posix-file-call): the limit is measured with the system calls alone
#include "limit.h"

#include <fcntl.h>
#include <unistd.h>

namespace worker_runtime::cli {
namespace {

/// The file is written from its start again when it ends: never more than was laid out.
constexpr std::int64_t file_bytes = std::int64_t{64} << 20U;

bool lay_out(int descriptor) {
  const std::string block(std::size_t{1} << 20U, '\n');
  for (std::int64_t at = 0; at < file_bytes; at += static_cast<std::int64_t>(block.size())) {
    if (::pwrite(descriptor, block.data(), block.size(), at) !=
        static_cast<ssize_t>(block.size())) {
      return false;
    }
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

std::unique_ptr<Limit> Limit::make(const std::filesystem::path& path, std::size_t bytes_a_record) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return nullptr;
  std::unique_ptr<Limit> limit(new Limit(descriptor, bytes_a_record));
  if (!lay_out(descriptor)) return nullptr;
  return limit;
}

Limit::Limit(int descriptor, std::size_t bytes_a_record)
    : descriptor_(descriptor), record_bytes_(bytes_a_record) {}

Limit::~Limit() { static_cast<void>(::close(descriptor_)); }

bool Limit::write(std::size_t records) {
  buffer_.resize(records * record_bytes_, 'x');
  const auto size = static_cast<std::int64_t>(buffer_.size());
  if (at_ + size > file_bytes) at_ = 0;
  const ssize_t written = ::pwrite(descriptor_, buffer_.data(), buffer_.size(), at_);
  at_ += size;
  return written == size && ::fdatasync(descriptor_) == 0;
}

bool Limit::commit() {
  Waiting self;
  std::unique_lock lock(mutex_);
  queue_.push_back(&self);
  while (!self.is_done && queue_.front() != &self) self.wake.wait(lock);
  if (self.is_done) return !failed_;
  const std::size_t group = queue_.size();
  lock.unlock();
  const bool written = write(group);
  lock.lock();
  if (!written) failed_ = true;
  for (std::size_t done = 0; done < group; ++done) {
    Waiting* const waiting = queue_.front();
    queue_.pop_front();
    if (waiting == &self) continue;
    waiting->is_done = true;
    waiting->wake.notify_one();
  }
  if (!queue_.empty()) queue_.front()->wake.notify_one();
  return !failed_;
}

}  // namespace worker_runtime::cli
