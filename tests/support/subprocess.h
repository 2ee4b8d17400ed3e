// Running a program from a test: its output, its exit code, and a talk over its pipes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace worker_runtime::testing {

struct Finished {
  int exit_code = -1;  ///< Minus the number of the signal that ended it.
  std::string output;
  std::string errors;
};

/// A program that runs, with pipes at its standard streams. What goes wrong is a test failure.
class Subprocess {
 public:
  /// `arguments` begins with the program. `output_path` takes standard output instead of a pipe.
  explicit Subprocess(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {},
                      const std::string& output_path = "");
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  /// Kills it if it still runs.
  ~Subprocess();

  void write(std::string_view text);
  /// Writes as much of `text` as goes in until `lines` lines of output wait to be read, or the
  /// program has closed its output. How much went in.
  std::size_t write_until(std::string_view text, std::size_t lines);
  void close_input();
  void close_output();
  /// The next line of standard output without its newline; empty at its end or after `timeout`.
  std::string read_line(std::chrono::milliseconds timeout = std::chrono::seconds(30));
  void send_signal(int signal) const;
  [[nodiscard]] pid_t process() const { return process_; }

  /// Writes `input`, closes it, and reads both streams to their ends.
  Finished finish(std::string_view input = {});

 private:
  /// Moves bytes until `done` or the time is over.
  template <typename Done>
  void exchange(std::string_view input, std::chrono::milliseconds timeout, Done done);

  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::string output_text_;
  std::size_t read_ = 0;  // of output_text_, by read_line()
  std::string errors_text_;
};

/// Runs a program to its end.
Finished run(const std::vector<std::string>& arguments, std::string_view input = {},
             const std::vector<std::string>& environment = {});

}  // namespace worker_runtime::testing
