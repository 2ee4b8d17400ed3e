// The limit that a disk sets: a file laid out ahead, one write and one fdatasync a group of
// callers, nothing else. What a store adds to it is the store's own cost.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace worker_runtime::cli {

class Limit {
 public:
  /// Lays the file out. Null, with errno set, if it cannot.
  static std::unique_ptr<Limit> make(const std::filesystem::path& path, std::size_t bytes_a_record);
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit();

  /// Makes one record durable, together with those of the callers that wait. Thread-safe. False if
  /// the disk refused.
  bool commit();

 private:
  struct Waiting {
    std::condition_variable wake;
    bool is_done = false;
  };
  Limit(int descriptor, std::size_t bytes_a_record);
  bool write(std::size_t records);

  const int descriptor_;
  const std::size_t record_bytes_;
  std::string buffer_;   // of the leader
  std::int64_t at_ = 0;  // of the leader

  std::mutex mutex_;  // guards what follows
  std::deque<Waiting*> queue_;
  bool failed_ = false;
};

}  // namespace worker_runtime::cli
