// A pager behind standard output: see posix_pager.h.
#include "posix_pager.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>

#include "output.h"

namespace worker_runtime::cli {
namespace {

constexpr const char* less = "command -v less > /dev/null || exec cat; exec less";
/// For less, if nothing else is wanted of it: a short text stays on the screen, colours are kept,
/// and the screen is not cleared behind it.
constexpr const char* options_of_less = "FRX";

/// Runs a command whose input is `input`. -1 if it can't.
pid_t spawn(const char* command, int input) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  if (::posix_spawn_file_actions_init(&files) != 0) return -1;
  if (::posix_spawnattr_init(&attributes) != 0) {
    ::posix_spawn_file_actions_destroy(&files);
    return -1;
  }
  // The tool ignores these; a program that it runs may not.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  sigaddset(&signals, SIGXFSZ);
  sigaddset(&signals, SIGINT);
  std::string text = command;
  std::string shell = "sh";
  std::string option = "-c";
  std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
  pid_t process = -1;
  const bool started =
      ::posix_spawnattr_setsigdefault(&attributes, &signals) == 0 &&
      ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) == 0 &&
      ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO) == 0 &&
      ::posix_spawn(&process, "/bin/sh", &files, &attributes, arguments.data(), environ) == 0;
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return started ? process : -1;
}

}  // namespace

Pager::Pager(const Options& options) {
  if (options.json || !is_terminal_output()) return;
  const char* const named = std::getenv("PAGER");  // NOLINT(concurrency-mt-unsafe)
  if (named == nullptr) {
    begin(less);
  } else if (*named != '\0') {
    begin(named);
  }
}

/// Where anything fails, the output goes to the terminal as it is.
void Pager::begin(const char* command) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  terminal_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  // No other thread runs yet.
  ::setenv("LESS", options_of_less, 0);  // NOLINT(concurrency-mt-unsafe)
  if (terminal_ >= 0) process_ = spawn(command, ends[0]);
  if (process_ >= 0) {
    // Control-C is for the pager. Whoever leaves it ends the output.
    std::signal(SIGINT, SIG_IGN);
    static_cast<void>(::dup2(ends[1], STDOUT_FILENO));
  }
  static_cast<void>(::close(ends[0]));
  static_cast<void>(::close(ends[1]));
}

Pager::~Pager() {
  if (process_ >= 0) {
    // The last writing end goes: the pager sees the end of its input.
    static_cast<void>(::dup2(terminal_, STDOUT_FILENO));
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
    std::signal(SIGINT, SIG_DFL);
  }
  if (terminal_ >= 0) static_cast<void>(::close(terminal_));
}

}  // namespace worker_runtime::cli
