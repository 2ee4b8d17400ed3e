// How long operations took: a histogram whose buckets are a 64th of their value wide at most, so
// that any number of operations costs the same memory.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace worker_runtime::cli {

class Latencies {
 public:
  void add(std::uint64_t nanoseconds) {
    ++counts_[bucket_of(nanoseconds)];
    ++total_;
  }

  void add(const Latencies& others) {
    for (std::size_t at = 0; at < counts_.size(); ++at) counts_[at] += others.counts_[at];
    total_ += others.total_;
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }

  /// The latency in microseconds that `share` (0 to 1) of the operations did not pass; 0 if there
  /// are none.
  [[nodiscard]] double microseconds(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at < counts_.size(); ++at) {
      seen += counts_[at];
      if (seen > wanted || (seen == total_ && seen > 0))
        return static_cast<double>(lowest_of(at)) / 1000;
    }
    return 0;
  }

 private:
  // Values below 2 * steps have a bucket each; from there on every power of two has `steps` of
  // them.
  static constexpr unsigned step_bits = 6;
  static constexpr std::uint64_t steps = std::uint64_t{1} << step_bits;

  static std::size_t bucket_of(std::uint64_t value) {
    const auto shift = static_cast<unsigned>(std::bit_width(value | steps)) - 1 - step_bits;
    return (shift << step_bits) + static_cast<std::size_t>(value >> shift);
  }

  static std::uint64_t lowest_of(std::size_t bucket) {
    if (bucket < 2 * steps) return bucket;
    const std::size_t shift = (bucket >> step_bits) - 1;
    return (steps + (bucket & (steps - 1))) << shift;
  }

  std::array<std::uint64_t, (64 - step_bits + 1) * steps> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace worker_runtime::cli
