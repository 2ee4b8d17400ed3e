// Standard input and output: see streams.h.
// tidy-allow-file(posix-file-call): standard input and output are no files of a store
#include "streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace worker_runtime::cli {
namespace {

/// The self-pipe of InputWait: a signal handler may do little more than write a byte.
std::array<int, 2> wake{-1, -1};

void write_wake_byte() {
  const int saved = errno;
  const char byte = 0;
  // A full pipe has woken the waiter already.
  [[maybe_unused]] const ssize_t put = ::write(wake[1], &byte, 1);
  errno = saved;
}

void on_signal(int /*signal*/) { write_wake_byte(); }

}  // namespace

InputRead read_input(char* buffer, std::size_t bytes_max) {
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, bytes_max);
    if (got >= 0) return {static_cast<std::size_t>(got), 0};
    if (errno != EINTR) return {0, errno};
  }
}

int write_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(STDOUT_FILENO, text.data(), text.size());
    if (put >= 0) {
      text.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      // Somebody made the other end of the terminal or pipe non-blocking.
      pollfd output{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&output, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

InputWait::InputWait(For what) : what_(what) {
  // Without the pipe, waits end with the input alone.
  if (::pipe2(wake.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

InputWait::~InputWait() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  // The descriptors stay: a handler that is under way may still write to them.
}

InputWait::Event InputWait::wait() {
  // Standard output is asked for nothing: its loss is told all the same.
  std::array<pollfd, 3> files{pollfd{what_ == For::input ? STDIN_FILENO : -1, POLLIN, 0},
                              pollfd{wake[0], POLLIN, 0}, pollfd{STDOUT_FILENO, 0, 0}};
  for (;;) {
    const int ready = ::poll(files.data(), files.size(), -1);
    if (ready < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (ready < 0) return Event::readable;  // the read tells what is wrong
    if ((files[2].revents & (POLLERR | POLLHUP)) != 0) return Event::output_lost;
    if (files[1].revents != 0) return Event::ended;
    if (files[0].revents != 0) return Event::readable;
    files[2].fd = -1;  // something that is not worth waking for again
  }
}

void InputWait::end() { write_wake_byte(); }

StopWatch::StopWatch() : wait_(InputWait::For::end_only) {
  // Without the pipe a signal ends the process, and nobody could end the thread.
  if (wake[0] < 0) return;
  thread_ = std::thread([this] {
    static_cast<void>(wait_.wait());
    stop_.request_stop();
  });
}

StopWatch::~StopWatch() {
  if (!thread_.joinable()) return;
  wait_.end();
  thread_.join();
}

}  // namespace worker_runtime::cli
