// Standard input and output, byte by byte: the one place of the tool that calls the system for
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <thread>

namespace worker_runtime::cli {

/// How a read of standard input ended.
struct InputRead {
  std::size_t bytes = 0;  ///< 0 at the end of input.
  int system_error = 0;
};
InputRead read_input(char* buffer, std::size_t bytes_max);

/// Writes all of it. Answers errno of the write that failed, or 0.
int write_output(std::string_view text);

/// Lets a wait end early: at a signal, when nobody reads standard output any more, or because
/// another thread says so. One object at a time.
class InputWait {
 public:
  enum class For : std::uint8_t {
    input,    ///< Also until there is input.
    end_only  ///< Standard input is left alone.
  };
  /// From now on SIGINT and SIGTERM end the wait; the second one ends the process.
  explicit InputWait(For what = For::input);
  InputWait(const InputWait&) = delete;
  InputWait& operator=(const InputWait&) = delete;
  ~InputWait();

  enum class Event : std::uint8_t { readable, ended, output_lost };
  /// Until input is there (or its end), or a signal or end() came, or nobody reads standard output
  /// any more.
  Event wait();
  /// From any thread.
  void end();

 private:
  const For what_;
};

/// A stop that SIGINT, SIGTERM and the loss of standard output request, for work that reads no
/// input.
class StopWatch {
 public:
  StopWatch();
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;
  ~StopWatch();
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  InputWait wait_;
  std::thread thread_;
};

}  // namespace worker_runtime::cli
