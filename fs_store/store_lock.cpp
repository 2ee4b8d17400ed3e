// The writer's lock: see store_lock.h.
#include "store_lock.h"

#include <unistd.h>  // tidy-allow(include-direction): names the process, opens nothing

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <thread>
#include <utility>

#include "layout.h"

namespace worker_runtime::fs_store {
namespace {

constexpr std::size_t lock_text_bytes_max = 512;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

/// The value of `key=` in the lock's text; empty if it is not there or holds anything unprintable.
std::string value_of(std::string_view text, std::string_view key) {
  const std::size_t start = text.find(std::string(key) + "=");
  if (start == std::string_view::npos) return {};
  const std::string_view rest = text.substr(start + key.size() + 1);
  const std::string_view value = rest.substr(0, rest.find_first_of(" \n"));
  const bool printable =
      std::all_of(value.begin(), value.end(), [](char byte) { return byte > ' ' && byte < 127; });
  return printable ? std::string(value) : std::string();
}

Error locked(FileSystem& file_system, const RuntimeId& runtime_id) {
  HolderFields holder;
  auto file = file_system.open(std::string(layout::lock), OpenMode::read);
  auto text = file ? (*file)->read(0, lock_text_bytes_max) : Result<std::string>(std::string());
  if (text) {
    const std::string pid = value_of(*text, "pid");
    std::int64_t number = 0;
    if (std::from_chars(pid.data(), pid.data() + pid.size(), number).ec == std::errc() &&
        number > 0) {
      holder.pid = number;
    }
    holder.host = value_of(*text, "host");
    holder.since = value_of(*text, "since");
  }
  std::string message = "runtime " + runtime_id.text() + " is in use by another writer";
  if (holder.pid) message += ": process " + std::to_string(*holder.pid);
  if (!holder.host.empty()) message += " on " + holder.host;
  if (!holder.since.empty()) message += " since " + holder.since;
  return {ErrorCode::store_locked, std::move(message), std::move(holder)};
}

}  // namespace

Result<std::unique_ptr<FileLock>> take_store_lock(FileSystem& file_system,
                                                  const RuntimeId& runtime_id,
                                                  std::chrono::milliseconds wait,
                                                  std::unique_ptr<FileLock> held) {
  constexpr std::chrono::milliseconds pause{20};
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    auto lock = held ? Result<std::unique_ptr<FileLock>>(std::move(held))
                     : file_system.try_lock(std::string(layout::lock));
    if (!lock) return lock;
    if (*lock) {
      auto named = (*lock)->set_text("pid=" + std::to_string(::getpid()) + " host=" + host_name() +
                                     " since=" + to_string(system_clock()()) + "\n");
      // The text is for messages: on a full disk the lock is held all the same.
      if (!named && !is_full(named.error())) return std::move(named).error();
      return lock;
    }
    if (std::chrono::steady_clock::now() >= deadline) return locked(file_system, runtime_id);
    // tidy-allow(sleep): the holder is another process and wakes nobody here
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace worker_runtime::fs_store
