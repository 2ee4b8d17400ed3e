// Watching a directory with inotify: see change_watch.h.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include "change_watch.h"
#include "posix_descriptor.h"

namespace worker_runtime::fs_store {
namespace {

class PosixWatch final : public ChangeWatch {
 public:
  PosixWatch(Descriptor events, Descriptor wake, Descriptor directory, std::string overwritten)
      : events_(std::move(events)),
        wake_(std::move(wake)),
        directory_(std::move(directory)),
        overwritten_(std::move(overwritten)) {}

  /// False if the directory can't be watched.
  bool begin() {
    if (!add(".", IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF))
      return false;
    watch_file();
    return true;
  }

  void wait(std::chrono::steady_clock::time_point until, const std::stop_token& stop) override {
    const std::stop_callback on_stop(stop, [this] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t put = ::write(wake_.number(), &one, sizeof one);
    });
    std::array<pollfd, 2> files{pollfd{events_.number(), POLLIN, 0},
                                pollfd{wake_.number(), POLLIN, 0}};
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                            until - std::chrono::steady_clock::now()) +
                        std::chrono::milliseconds(1);
      const auto bounded = std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000);
      const int ready = ::poll(files.data(), files.size(), static_cast<int>(bounded));
      if (ready < 0 && errno == EINTR) continue;
      break;
    }
    drain();
  }

 private:
  bool add(const std::string& name, std::uint32_t mask) {
    // The descriptor names the directory whatever becomes of its path.
    const std::string path = "/proc/self/fd/" + std::to_string(directory_.number()) + "/" + name;
    return ::inotify_add_watch(events_.number(), path.c_str(), mask | IN_DONT_FOLLOW) >= 0;
  }

  /// The end of a writer shows too: it closes the file, or the system does.
  void watch_file() {
    static_cast<void>(add(overwritten_, IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF));
  }

  void drain() {
    alignas(inotify_event) std::array<char, 4096> events{};
    bool any = false;
    while (::read(events_.number(), events.data(), events.size()) > 0) any = true;
    // Another file may have taken the name. The same one is watched once only.
    if (any) watch_file();
  }

  Descriptor events_;
  Descriptor wake_;
  Descriptor directory_;
  std::string overwritten_;
};

}  // namespace

void pause_until(std::chrono::steady_clock::time_point until, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, until, [] { return false; });
}

std::unique_ptr<ChangeWatch> make_posix_watch(Descriptor directory,
                                              const std::string& overwritten) {
  Descriptor events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (events.number() < 0 || wake.number() < 0) return nullptr;
  auto watch = std::make_unique<PosixWatch>(std::move(events), std::move(wake),
                                            std::move(directory), overwritten);
  if (!watch->begin()) return nullptr;
  return watch;
}

}  // namespace worker_runtime::fs_store
