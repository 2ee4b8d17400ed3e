// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace worker_runtime::fs_store {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  // The result of close is of no use here: what must be durable was synced before, and Linux
  // releases the descriptor whatever it answers.
  ~Descriptor() {
    if (number_ >= 0) static_cast<void>(::close(number_));
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

}  // namespace worker_runtime::fs_store
