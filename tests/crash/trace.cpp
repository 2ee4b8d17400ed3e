// Counting system calls: see trace.h.
#include "trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "support/subprocess.h"
#include "support/temporary_directory.h"

namespace worker_runtime::testing {
namespace {

/// The name of the call that a line of strace's output begins; empty if it tells of another thing,
/// or of the end of a call that an earlier line began.
std::string_view call_of(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of("0123456789 "), line.size()));
  const std::size_t end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_");
  return end != std::string_view::npos && end > 0 && line[end] == '(' ? line.substr(0, end)
                                                                      : std::string_view();
}

/// What a read answered: behind the last equals sign.
std::uint64_t result_of(std::string_view line) {
  const std::size_t equals = line.rfind("= ");
  std::uint64_t result = 0;
  if (equals != std::string_view::npos)
    std::from_chars(line.data() + equals + 2, line.data() + line.size(), result);
  return result;
}

bool tells_of_a_read(std::string_view line) {
  const std::string_view call = call_of(line);
  return call == "read" || call == "pread64" || line.find("read resumed") != line.npos ||
         line.find("pread64 resumed") != line.npos;
}

}  // namespace

std::uint64_t Trace::all() const {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : calls) sum += count;
  return sum;
}

std::uint64_t Trace::of(const std::vector<std::string_view>& names) const {
  std::uint64_t sum = 0;
  for (const std::string_view name : names) {
    const auto found = calls.find(name);
    if (found != calls.end()) sum += found->second;
  }
  return sum;
}

std::uint64_t Trace::syncs() const {
  return of({"fdatasync", "fsync", "syncfs", "sync", "sync_file_range", "msync"});
}

Trace trace(const std::vector<std::string>& program, Part part, const std::string& calls,
            std::string_view input) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() / "trace";
  // The leak checker of a sanitizer needs ptrace for itself.
  std::vector<std::string> line{"/usr/bin/env",
                                "ASAN_OPTIONS=detect_leaks=0",
                                "strace",
                                "-f",
                                "--seccomp-bpf",
                                "-o",
                                file,
                                "-e",
                                "trace=" + calls};
  line.insert(line.end(), program.begin(), program.end());
  const Finished finished = run(line, input);
  EXPECT_EQ(finished.exit_code, 0)
      << "strace must be installed and allowed to trace, or system calls can't be counted:\n"
      << finished.errors;
  Trace result;
  std::map<std::string, std::map<std::string, std::uint64_t>> of_threads;
  bool counting = part == Part::whole;
  std::ifstream lines(file);
  for (std::string text; std::getline(lines, text);) {
    if (part == Part::between_marks && text.find("write(1, \"begin\\n\"") != text.npos) {
      counting = true;
      continue;
    }
    if (part == Part::between_marks && text.find("write(1, \"end\\n\"") != text.npos) break;
    if (!counting) continue;
    const std::string_view call = call_of(text);
    if (!call.empty()) {
      ++result.calls[std::string(call)];
      const std::uint64_t count = ++of_threads[text.substr(0, text.find(' '))][std::string(call)];
      std::uint64_t& most = result.most_of_a_thread[std::string(call)];
      most = std::max(most, count);
    }
    if (tells_of_a_read(text)) result.bytes_read += result_of(text);
  }
  EXPECT_GT(result.all(), 0U) << "strace saw nothing:\n" << finished.errors;
  return result;
}

}  // namespace worker_runtime::testing
