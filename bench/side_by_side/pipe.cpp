// `worker-runtime pipe` as a program in another language uses it: lines to a child process and
// back.
//
// tidy-allow-file(posix-file-call): the child's standard input and output are plain descriptors
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "peers.h"

namespace worker_runtime::bench {
namespace {

class Child {
 public:
  explicit Child(const std::filesystem::path& root) {
    std::array<int, 2> requests{};
    std::array<int, 2> answers{};
    if (::pipe2(requests.data(), O_CLOEXEC) != 0 || ::pipe2(answers.data(), O_CLOEXEC) != 0)
      fail("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, requests[0], 0);
    posix_spawn_file_actions_adddup2(&actions, answers[1], 1);
    std::array<std::string, 4> words{WORKER_RUNTIME_CLI_PATH, "--root", root.string(), "pipe"};
    std::array<char*, 5> line{words[0].data(), words[1].data(), words[2].data(), words[3].data()};
    if (::posix_spawn(&process_, line[0], &actions, nullptr, line.data(), environ) != 0)
      fail("starting " + words[0]);
    posix_spawn_file_actions_destroy(&actions);
    ::close(requests[0]);
    ::close(answers[1]);
    requests_ = requests[1];
    answers_ = answers[0];
    reader_ = std::thread([this] { read_answers(); });
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    flush();
    ::close(requests_);
    reader_.join();
    ::close(answers_);
    ::waitpid(process_, nullptr, 0);
  }

  void request(std::string_view line, std::function<void(bool)> done) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(done));
    }
    buffer_ += line;
    if (++buffered_ == 16) flush();
  }

  /// From the requesting thread.
  void flush() {
    for (std::string_view rest = buffer_; !rest.empty();) {
      const ssize_t written = ::write(requests_, rest.data(), rest.size());
      if (written <= 0) fail("writing to pipe");
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
    buffered_ = 0;
  }

 private:
  void read_answers() {
    std::array<char, 65536> block{};
    std::string line;
    for (;;) {
      const ssize_t count = ::read(answers_, block.data(), block.size());
      if (count <= 0) return;
      std::string_view rest(block.data(), static_cast<std::size_t>(count));
      for (std::size_t end = rest.find('\n'); end != std::string_view::npos;
           end = rest.find('\n')) {
        line += rest.substr(0, end);
        rest.remove_prefix(end + 1);
        answer(line);
        line.clear();
      }
      line += rest;
    }
  }

  void answer(std::string_view line) {
    std::function<void(bool)> done;
    {
      const std::lock_guard lock(mutex_);
      done = std::move(waiting_.front());
      waiting_.pop_front();
    }
    done(line.find("\"ok\"") != std::string_view::npos);
  }

  pid_t process_ = 0;
  int requests_ = -1;
  int answers_ = -1;
  std::string buffer_;
  std::size_t buffered_ = 0;
  std::thread reader_;
  std::mutex mutex_;  // guards what follows
  std::deque<std::function<void(bool)>> waiting_;
};

}  // namespace

cli::Contender make_pipe(const std::filesystem::path& directory) {
  const auto child = std::make_shared<Child>(directory / "pipe");
  child->request(
      "{\"op\":\"create_worker\",\"worker_id\":\"w\",\"intent\":{\"kind\":\"assistant\"}}\n",
      [](bool created) {
        if (!created) fail("creating a worker through pipe");
      });
  const std::string input = R"({"op":"send_input","worker_id":"w","kind":"user","content":")" +
                            std::string(entry_bytes, 'x') + "\"}\n";
  cli::Contender contender;
  contender.name = "pipe";
  contender.submit = [child, input](std::function<void(bool)> done) {
    child->request(input, std::move(done));
  };
  contender.flush = [child] { child->flush(); };
  return contender;
}

}  // namespace worker_runtime::bench
