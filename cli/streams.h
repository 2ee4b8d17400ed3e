// Standard input and output, byte by byte: the one place of the tool that calls the system for
// them.
#pragma once

#include <cstddef>
#include <string_view>

namespace worker_runtime::cli {

/// How a read of standard input ended.
struct InputRead {
  std::size_t bytes = 0;  ///< 0 at the end of input.
  int system_error = 0;
};
InputRead read_input(char* buffer, std::size_t bytes_max);

/// Writes all of it. Answers errno of the write that failed, or 0.
int write_output(std::string_view text);

/// Lets a wait for standard input end early: at a signal, or because another thread says so. One
/// object at a time.
class InputWait {
 public:
  /// From now on SIGINT and SIGTERM end the input; the second one ends the process.
  InputWait();
  InputWait(const InputWait&) = delete;
  InputWait& operator=(const InputWait&) = delete;
  ~InputWait();

  enum class Event { readable, ended, output_lost };
  /// Until input is there (or its end), or a signal or end() came, or nobody reads standard output
  /// any more.
  Event wait();
  /// From any thread.
  void end();
};

}  // namespace worker_runtime::cli
