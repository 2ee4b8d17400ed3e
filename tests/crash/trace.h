// The system calls of a program, counted by strace.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace worker_runtime::testing {

struct Trace {
  std::map<std::string, std::uint64_t, std::less<>> calls;             ///< Of all threads, by name.
  std::map<std::string, std::uint64_t, std::less<>> most_of_a_thread;  ///< The same, of one thread.
  std::uint64_t bytes_read = 0;                                        ///< By read and pread64.

  [[nodiscard]] std::uint64_t all() const;
  [[nodiscard]] std::uint64_t of(const std::vector<std::string_view>& names) const;
  /// Every call that waits for a disk.
  [[nodiscard]] std::uint64_t syncs() const;
};

enum class Part : std::uint8_t {
  whole,
  between_marks,  ///< From the line `begin` on standard output to the line `end`.
};

/// Runs the program to its end, which must be a success. `calls` is strace's `-e trace=`; what is
/// not in it costs little. Where strace can't trace, the test fails: nothing here is skipped.
Trace trace(const std::vector<std::string>& program, Part part, const std::string& calls = "all",
            std::string_view input = {});

}  // namespace worker_runtime::testing
