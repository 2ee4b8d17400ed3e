// The test executable as a driver: see driver.h.
#include "driver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <thread>

#include "line_server.h"
#include "support/domain.h"
#include "worker_runtime/fs_store/fs_store.h"

namespace worker_runtime::testing {
namespace {

constexpr std::string_view driver_argument = "--drive";

/// One write a line, so that a trace shows where it stands.
bool say(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  return ::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

int failed(const Error& error) {
  std::cerr << error.detail() << "\n";
  return 1;
}

fs_store::StoreOptions options_of(const std::string& root) {
  fs_store::StoreOptions options;
  options.root = root;
  options.create = true;
  return options;
}

int serve(const std::string& root) {
  fs_store::StoreOptions options = options_of(root);
  options.log_part_bytes = 4096;
  options.checkpoint_bytes = 16'384;
  options.checkpoint_interval = std::chrono::milliseconds(20);
  options.extend_interval = std::chrono::milliseconds(1);
  auto runtime = fs_store::open_runtime(options);
  if (!runtime) return failed(runtime.error());
  LineServer server(*runtime, runtime_id("main"));
  // A last line without its newline was cut off: it is no request.
  for (std::string line; std::getline(std::cin, line) && !std::cin.eof();) {
    if (!say(server.answer(line))) return 1;
  }
  auto closed = runtime->close();
  return closed ? 0 : failed(closed.error());
}

int send_inputs(const std::string& root, int threads, int inputs) {
  auto runtime = fs_store::open_runtime(options_of(root));
  if (!runtime) return failed(runtime.error());
  auto created = runtime->create_worker(task("count"));
  if (!created) return failed(created.error());
  const WorkerRef worker_ref = created->summary.worker_ref;
  const auto send = [&] {
    for (int at = 0; at < inputs; ++at) {
      if (!runtime->send_input(input(worker_ref, "a line of input"))) std::abort();
    }
  };
  send();  // the steady state begins behind the first ones
  say("begin");
  if (threads == 1) {
    send();
  } else {
    std::vector<std::jthread> senders;
    senders.reserve(static_cast<std::size_t>(threads));
    for (int at = 0; at < threads; ++at) senders.emplace_back(send);
  }
  say("end");
  auto closed = runtime->close();
  return closed ? 0 : failed(closed.error());
}

int open_and_close(const std::string& root) {
  fs_store::StoreOptions options = options_of(root);
  options.create = false;
  auto runtime = fs_store::open_runtime(options);
  if (!runtime) return failed(runtime.error());
  auto closed = runtime->close();
  return closed ? 0 : failed(closed.error());
}

/// The child does nothing but calls that are safe in one of a process with threads.
[[noreturn]] void live_until_input_ends(bool as_a_program) {
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  if (as_a_program) ::execl("/bin/cat", "cat", nullptr);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  ::_exit(0);
}

int hold(const std::string& root, bool as_a_program) {
  auto runtime = fs_store::open_runtime(options_of(root));
  if (!runtime) return failed(runtime.error());
  if (::fork() == 0) live_until_input_ends(as_a_program);
  say("open");
  for (;;) ::pause();
}

}  // namespace

std::vector<std::string> driver(std::vector<std::string> arguments) {
  std::vector<std::string> line{std::filesystem::read_symlink("/proc/self/exe").string(),
                                std::string(driver_argument)};
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

int run_driver(const std::vector<std::string>& arguments) {
  const auto is = [&](std::string_view name, std::size_t count) {
    return arguments.size() == count + 1 && arguments[0] == name;
  };
  if (is("pipe", 1)) return serve(arguments[1]);
  if (is("inputs", 3))
    return send_inputs(arguments[1], std::stoi(arguments[2]), std::stoi(arguments[3]));
  if (is("hold", 2)) return hold(arguments[1], arguments[2] == "exec");
  if (is("open", 1)) return open_and_close(arguments[1]);
  return 2;
}

}  // namespace worker_runtime::testing

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == worker_runtime::testing::driver_argument) {
    return worker_runtime::testing::run_driver({argv + 2, argv + argc});
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
