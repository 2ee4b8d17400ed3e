// Running a program from a test: see subprocess.h.
#include "support/subprocess.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace worker_runtime::testing {
namespace {

constexpr std::chrono::milliseconds patience = std::chrono::seconds(100);

using Pipe = std::array<int, 2>;

Pipe make_pipe() {
  Pipe pipe{-1, -1};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "pipe: " << std::strerror(errno);
  return pipe;
}

void close_end(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

/// The environment of the test without what would lead the program elsewhere, and `additions`.
std::vector<std::string> environment_with(const std::vector<std::string>& additions) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with("WORKER_RUNTIME_")) continue;
    result.emplace_back(*entry);
  }
  result.insert(result.end(), additions.begin(), additions.end());
  return result;
}

/// False at the end of the stream.
bool read_some(int descriptor, std::string& text) {
  std::array<char, 65536> block{};
  const ssize_t got = ::read(descriptor, block.data(), block.size());
  if (got > 0) text.append(block.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& environment,
                       const std::string& output_path) {
  // A program that ends early must not end the test with it.
  std::signal(SIGPIPE, SIG_IGN);
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  if (output_path.empty()) {
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_path.c_str(), O_WRONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
  // What a shell or a CI left open counts against the limits that tests set.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  // Ignored signals would be ignored by the program too.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  const std::vector<std::string> variables = environment_with(environment);
  const int failed = posix_spawn(&process_, arguments.front().c_str(), &actions, &attributes,
                                 pointers(arguments).data(), pointers(variables).data());
  if (failed != 0) {
    process_ = -1;
    ADD_FAILURE() << arguments.front() << ": " << std::strerror(failed);
  }
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close_end(input[0]);
  close_end(output[1]);
  close_end(errors[1]);
  input_ = input[1];
  output_ = output[0];
  errors_ = errors[0];
  ::fcntl(input_, F_SETFL, O_NONBLOCK);
}

Subprocess::~Subprocess() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  close_end(input_);
  close_end(output_);
  close_end(errors_);
}

template <typename Done>
void Subprocess::exchange(std::string_view input, std::chrono::milliseconds timeout, Done done) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!done(input)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      ADD_FAILURE() << "the program takes too long";
      return;
    }
    std::array<pollfd, 3> files{pollfd{output_, POLLIN, 0}, pollfd{errors_, POLLIN, 0},
                                pollfd{input.empty() ? -1 : input_, POLLOUT, 0}};
    if (::poll(files.data(), files.size(), static_cast<int>(left.count())) < 0) continue;
    if (files[0].revents != 0 && !read_some(output_, output_text_)) close_end(output_);
    if (files[1].revents != 0 && !read_some(errors_, errors_text_)) close_end(errors_);
    if (files[2].revents == 0) continue;
    const ssize_t put = ::write(input_, input.data(), input.size());
    // A program that does not read any more has its reasons; its exit code tells.
    if (put < 0 && errno == EPIPE) input = {};
    if (put > 0) input.remove_prefix(static_cast<std::size_t>(put));
  }
}

void Subprocess::write(std::string_view text) {
  exchange(text, patience, [](std::string_view rest) { return rest.empty(); });
}

std::size_t Subprocess::write_until(std::string_view text, std::size_t lines) {
  std::size_t rest_bytes = text.size();
  std::size_t seen = 0;
  std::size_t counted = read_;
  exchange(text, patience, [&](std::string_view rest) {
    rest_bytes = rest.size();
    for (; counted < output_text_.size(); ++counted) {
      if (output_text_[counted] == '\n') ++seen;
    }
    return seen >= lines || output_ < 0;
  });
  return text.size() - rest_bytes;
}

void Subprocess::close_input() { close_end(input_); }
void Subprocess::close_output() { close_end(output_); }

std::string Subprocess::read_line(std::chrono::milliseconds timeout) {
  std::size_t searched = read_;
  std::size_t newline = std::string::npos;
  exchange({}, timeout, [&](std::string_view) {
    newline = output_text_.find('\n', searched);
    searched = output_text_.size();
    return output_ < 0 || newline != std::string::npos;
  });
  if (newline == std::string::npos) return "";
  std::string line = output_text_.substr(read_, newline - read_);
  read_ = newline + 1;
  if (read_ == output_text_.size()) {
    output_text_.clear();
    read_ = 0;
  }
  return line;
}

void Subprocess::send_signal(int signal) const { ::kill(process_, signal); }

Finished Subprocess::finish(std::string_view input) {
  if (!input.empty()) write(input);
  close_input();
  exchange({}, patience, [this](std::string_view) { return output_ < 0 && errors_ < 0; });
  Finished finished{-1, output_text_.substr(read_), std::move(errors_text_)};
  if (process_ <= 0) return finished;
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return finished;
}

Finished run(const std::vector<std::string>& arguments, std::string_view input,
             const std::vector<std::string>& environment) {
  return Subprocess(arguments, environment).finish(input);
}

}  // namespace worker_runtime::testing
